"""Sources of images: folders, arrays, TFDS datasets."""
