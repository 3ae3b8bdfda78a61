"""The `tf.data` pipeline: order, augmentation, binarization and batches."""
