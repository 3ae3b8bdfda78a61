"""The precisions of TFLite files and the names of the files."""

from collections.abc import Sequence

PRECISIONS = ("float32", "float16", "dynamic", "int8")
FORMATS = ("tflite", "saved_model")


def parse_precisions(quantize: str | Sequence[str] | None) -> tuple[str, ...]:
    """Parses precisions and keeps their order.

    Args:
        quantize: names, separately or separated by commas: `"int8"`, `"int8,float32"`, `("int8", "none")`. `"none"` is
            float32.

    Raises:
        ValueError: for an unknown name, or no name.

    Example:
        >>> parse_precisions("int8,none")
        ('int8', 'float32')
    """
    requested = [quantize] if quantize is None or isinstance(quantize, str) else list(quantize)
    names = [part.strip() for item in requested for part in str(item).lower().split(",")]
    names = ["float32" if name == "none" else name for name in names]
    unknown = [name for name in names if name not in PRECISIONS]
    if unknown or not names:
        raise ValueError(
            "Expected one or more precisions of none (float32), float16, dynamic, int8; received "
            f"{', '.join(unknown) or repr(quantize)}"
        )
    return tuple(dict.fromkeys(names))


def parse_formats(format: str | Sequence[str]) -> tuple[str, ...]:
    """Parses formats: `"tflite"`, `"saved_model"` or both.

    Args:
        format: names, separately or separated by commas.

    Raises:
        ValueError: for an unknown name, or no name.
    """
    names = [part.strip() for item in ([format] if isinstance(format, str) else format) for part in item.split(",")]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ValueError(
            f"Expected the format as {' or '.join(FORMATS)}; received {', '.join(unknown) or repr(format)}"
        )
    return tuple(dict.fromkeys(names))


def file_names(precisions: Sequence[str]) -> dict[str, str]:
    """Returns precision -> file name; the first is model.tflite, which the runtime opens by default."""
    return {name: f"model_{name}.tflite" if index else "model.tflite" for index, name in enumerate(precisions)}
