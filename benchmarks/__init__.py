"""Speed beside peers and results beside papers; each module writes one JSON file into benchmarks/results."""

import keras_gen  # noqa: F401 - before TensorFlow, whose kernels it chooses
