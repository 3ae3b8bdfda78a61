"""Measures speed against peers and results against papers; each module writes a JSON file into benchmarks/results."""

import keras_gen  # noqa: F401 - before TensorFlow, since it selects TensorFlow's kernels
