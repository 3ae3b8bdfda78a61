"""The precisions of a TFLite file and the names of the files."""

from collections.abc import Sequence

PRECISIONS = ("float32", "float16", "dynamic", "int8")
FORMATS = ("tflite", "saved_model")


def parse_precisions(quantize: str | Sequence[str] | None) -> tuple[str, ...]:
    """Precisions as asked for, in that order: `"int8"`, `"int8,float32"`, `("int8", "none")`; none is float32.

    Raises:
        ValueError: for an unknown name, or none at all.
    """
    asked = [quantize] if quantize is None or isinstance(quantize, str) else list(quantize)
    names = [part.strip() for item in asked for part in str(item).lower().split(",")]
    names = ["float32" if name == "none" else name for name in names]
    unknown = [name for name in names if name not in PRECISIONS]
    if unknown or not names:
        raise ValueError(
            f"Unknown precision {', '.join(unknown) or repr(quantize)}: expected one or more of none (float32), "
            "float16, dynamic, int8"
        )
    return tuple(dict.fromkeys(names))


def parse_formats(format: str | Sequence[str]) -> tuple[str, ...]:
    """Formats as asked for: `"tflite"`, `"saved_model"` or both.

    Raises:
        ValueError: for an unknown name.
    """
    names = [part.strip() for item in ([format] if isinstance(format, str) else format) for part in item.split(",")]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ValueError(f"Unknown format {', '.join(unknown) or repr(format)}: expected {' or '.join(FORMATS)}")
    return tuple(dict.fromkeys(names))


def file_names(precisions: Sequence[str]) -> dict[str, str]:
    """Precision -> file: the first is model.tflite, which the runtime opens by default."""
    return {name: f"model_{name}.tflite" if index else "model.tflite" for index, name in enumerate(precisions)}
