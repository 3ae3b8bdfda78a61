"""SavedModel to TFLite in four precisions, with builtin operations only."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .flatbuffer import deduplicate, operations

BUILTINS = tf.lite.OpsSet.TFLITE_BUILTINS
INT8 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
# an int8 range loses the small variances of a normalization, and values that are small next to a wide input of a
# convolution
_ARITHMETIC = ("MEAN", "SQUARE", "SQUARED_DIFFERENCE", "RSQRT", "MUL", "ADD", "SUB")
# operations of an int8 file that compute in float32: tried in this order until the file is close to Keras
FLOAT_FALLBACKS = ((), _ARITHMETIC, (*_ARITHMETIC, "TRANSPOSE_CONV"))


class UnsupportedOperations(ValueError):
    """The error for a model that TFLite's builtin operations cannot express.

    Attributes:
        names: the unsupported operations.
    """

    def __init__(self, names: Sequence[str]):
        self.names = sorted(set(names))
        super().__init__(
            f"Expected endpoints of operations with a TFLite builtin; received {', '.join(self.names)}, so nothing is "
            "exported: a plain runtime cannot run them. Write the endpoint with other operations; random ones belong "
            "outside, as inputs of kind 'normal' or 'uniform'"
        )


def convert(
    folder: str,
    signatures: Sequence[str],
    precision: str,
    calibration: Callable[[], Iterator] | None = None,
    float_fallback: Sequence[str] = (),
) -> bytes:
    """Converts a SavedModel with fixed shapes.

    Args:
        folder: the SavedModel.
        signatures: names of its signatures, all of which are converted.
        precision: `"float32"`, `"float16"` (weights), `"dynamic"` (int8 weights) or `"int8"` (weights and
            activations; inputs and outputs stay float32).
        calibration: () -> iterator of (signature, {input: array}), with rows for every signature; required for int8.
        float_fallback: operations of an int8 file that compute in float32; the weights of layers remain int8.

    Returns:
        the content of the .tflite file.

    Raises:
        UnsupportedOperations: if an operation is not a builtin.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
    converter.target_spec.supported_ops = [BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = calibration
        # BUILTINS too: operations without an int8 kernel (LOG of a softplus) stay in float32
        converter.target_spec.supported_ops = [INT8, BUILTINS]
    try:
        content = _convert_partly(converter, float_fallback) if float_fallback else converter.convert()
    except Exception as error:  # the converter's error class is private
        names = [
            name.strip() for listed in re.findall(r"(?:TF Select|Custom) ops: ([^\n]+)", str(error))
            for name in listed.split(",")
        ]  # fmt: skip
        if names:
            raise UnsupportedOperations(names) from error
        raise
    custom = [name for names in operations(content).values() for name in names if name.startswith("<")]
    if custom:
        raise UnsupportedOperations(custom)
    return deduplicate(content)


def _convert_partly(converter: Any, float_fallback: Sequence[str]) -> bytes:
    """Quantizes selectively. TensorFlow has this only in its debugger, of which nothing else is used."""
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(float_fallback))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=lambda: iter(()), debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def representative_dataset(
    arrays: Mapping[str, Mapping[str, np.ndarray]], batch: int
) -> Callable[[], Iterator[tuple[str, dict[str, np.ndarray]]]]:
    """Returns a function that yields calibration data, signature by signature and `batch` rows at a time.

    Args:
        arrays: signature -> {input: [num, *shape]}.
        batch: the fixed batch size.
    """

    def examples() -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        for signature, inputs in arrays.items():
            num = len(next(iter(inputs.values())))
            for start in range(0, num - batch + 1, batch):
                yield signature, {name: array[start : start + batch] for name, array in inputs.items()}

    return examples
