"""Checks of Keras's callbacks on models that report other metrics than `loss`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import keras

if TYPE_CHECKING:
    from .generative_model import GenerativeModel

# endings of the names of metrics whose smallest, or largest, value is the best
_SMALLEST, _LARGEST = ("loss", "error", "reconstruction"), ("accuracy", "elbo", "information", "agreement", "iou")


def check_callbacks(model: "GenerativeModel", callbacks: Any, validated: bool) -> None:
    """Refuses, before the first step, callbacks that would fail or be ignored after the first epoch.

    Sets the mode of a callback with `mode="auto"` to the better direction of its metric, if the metric's name says so.

    Args:
        model: The model; it reports the metrics in `tracked`.
        callbacks: The callbacks of `fit`: a list, a single one, a CallbackList or None.
        validated: Whether `fit` also reports the metrics of validation data, as `val_...`.

    Raises:
        ValueError: For a monitor that is not reported, or a file that cannot be written.
    """
    is_list = isinstance(callbacks, keras.callbacks.CallbackList)
    flat = callbacks.callbacks if is_list else keras.tree.flatten(callbacks)
    requested = [callback for callback in flat if callback is not None]
    reported = [*model.tracked, *(f"val_{name}" for name in model.tracked if validated)]
    for callback in requested:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"Expected Keras callbacks; received {callback!r}")
        if isinstance(callback, keras.callbacks.ModelCheckpoint):
            _check_file(callback)
            if not callback.save_best_only:
                continue
        elif not isinstance(callback, (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)):
            continue
        if callback.monitor not in reported:
            _check_unreported(model, callback, reported, validated, requested)
        elif callback.mode == "auto":
            callback.mode = mode_of(callback.monitor) or _refuse_unknown_mode(callback)


def mode_of(metric: str) -> str | None:
    """Returns whether the best value of a metric is its `"min"` or its `"max"`; None if its name does not say.

    Args:
        metric: Name of the metric.
    """
    return "min" if metric.endswith(_SMALLEST) else "max" if metric.endswith(_LARGEST) else None


def _check_unreported(
    model: "GenerativeModel", callback: Any, reported: Iterable[str], validated: bool, requested: list
) -> None:
    monitor, name = callback.monitor, type(callback).__name__
    # a user's callbacks may report further metrics, but not under these names
    if any(_may_report(each) for each in requested) and monitor.removeprefix("val_") not in {"loss", *model.tracked}:
        return
    example = model.monitor or next((each for each in model.tracked if mode_of(each)), model.tracked[0])
    needs = "" if validated or not monitor.startswith("val_") else " (a val_ metric needs validation_data)"
    if needs and monitor.removeprefix("val_") in model.tracked:
        example = monitor
    elif monitor.startswith("val_") and validated:
        example = f"val_{example}"
    raise ValueError(
        f"Expected a monitor among {', '.join(reported)}; received {name}(monitor={monitor!r}){needs}. Pass, for "
        f"example, {name}(monitor={example!r}, mode={mode_of(example) or 'min'!r})"
    )


def _may_report(callback: keras.callbacks.Callback) -> bool:
    module = type(callback).__module__
    return not module.startswith(("keras.", "keras_gen.")) or isinstance(callback, keras.callbacks.LambdaCallback)


def _refuse_unknown_mode(callback: Any) -> NoReturn:
    raise ValueError(
        f"Expected mode='min' or mode='max' for the monitor {callback.monitor!r}, whose name does not say which is "
        f"better; received mode='auto' in {type(callback).__name__}"
    )


def _check_file(callback: keras.callbacks.ModelCheckpoint) -> None:
    if not callback.save_weights_only and not callback.filepath.endswith(".keras"):
        raise ValueError(
            f"Expected a ModelCheckpoint of files that end in .keras; received {callback.filepath!r} (to save only "
            "weights: save_weights_only=True and .weights.h5)"
        )
