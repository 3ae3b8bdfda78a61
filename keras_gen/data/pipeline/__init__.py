"""The `tf.data` pipeline: order, augmentation, binarization, batches."""
