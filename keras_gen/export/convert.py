"""SavedModel to TFLite: one function for each precision, builtins only."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from .flatbuffer import operations, without_repetition

BUILTINS = tf.lite.OpsSet.TFLITE_BUILTINS
INT8 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
# an int8 range loses the small variances of a normalization, and what is small beside a wide input of a convolution
_ARITHMETIC = ("MEAN", "SQUARE", "SQUARED_DIFFERENCE", "RSQRT", "MUL", "ADD", "SUB")
IN_FLOAT = ((), _ARITHMETIC, (*_ARITHMETIC, "TRANSPOSE_CONV"))  # of an int8 file, one after another until it is close


class UnsupportedOperations(ValueError):
    """A model that TFLite's builtin ops cannot express; `names` lists the ops."""

    def __init__(self, names: Sequence[str]):
        self.names = sorted(set(names))
        super().__init__(
            f"The endpoints use operations that TFLite has no builtin for: {', '.join(self.names)}. A plain runtime "
            "cannot run them, so nothing is exported. Write the endpoint with other operations; random ones belong "
            "outside, as inputs of kind 'normal' or 'uniform'"
        )


def convert(
    folder: str,
    signatures: Sequence[str],
    precision: str,
    calibration: Callable[[], Iterator] | None = None,
    float_fallback: Sequence[str] = (),
) -> bytes:
    """Convert a SavedModel with fixed shapes.

    Args:
        folder: the SavedModel.
        signatures: names of its signatures, all of which go into the file.
        precision: `"float32"`, `"float16"` (weights), `"dynamic"` (int8 weights) or `"int8"` (weights and
            activations; inputs and outputs stay float32).
        calibration: () -> iterator of (signature, {input: array}), which must serve every signature; for int8.
        float_fallback: ops of an int8 file that compute in float32 all the same; weights of layers remain int8.

    Returns:
        The content of the .tflite file.

    Raises:
        UnsupportedOperations: where an op is no builtin.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
    converter.target_spec.supported_ops = [BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = calibration
        # with BUILTINS too: what has no int8 kernel (LOG of a softplus) stays in float
        converter.target_spec.supported_ops = [INT8, BUILTINS]
    try:
        content = _partly_in_float(converter, float_fallback) if float_fallback else converter.convert()
    except Exception as error:  # the converter's error class is private
        names = [
            name.strip() for found in re.findall(r"(?:TF Select|Custom) ops: ([^\n]+)", str(error))
            for name in found.split(",")
        ]  # fmt: skip
        if names:
            raise UnsupportedOperations(names) from error
        raise
    custom = [name for ops in operations(content).values() for name in ops if name.startswith("<")]
    if custom:
        raise UnsupportedOperations(custom)
    return without_repetition(content)


def _partly_in_float(converter: tf.lite.TFLiteConverter, names: Sequence[str]) -> bytes:
    """Selective quantization, which TensorFlow offers by its debugger alone; nothing is debugged."""
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(names))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=lambda: iter(()), debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def calibration_of(arrays: dict[str, dict[str, np.ndarray]], batch: int) -> Callable[[], Iterator]:
    """Representative data: every signature in turn, `batch` rows at a time.

    Args:
        arrays: signature -> {input: [num, *shape]}.
        batch: the fixed batch size.
    """

    def examples() -> Iterator:
        for signature, inputs in arrays.items():
            num = len(next(iter(inputs.values())))
            for start in range(0, num - batch + 1, batch):
                yield signature, {name: array[start : start + batch] for name, array in inputs.items()}

    return examples
