"""Sources of images: folders, array files and TFDS datasets."""
