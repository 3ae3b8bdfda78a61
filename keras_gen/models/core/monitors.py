"""Keras's callbacks on models that report other numbers than `loss`."""

from collections.abc import Iterable

import keras

# how the names of metrics end whose smallest, or largest, value is the best
_SMALLEST, _LARGEST = ("loss", "error", "reconstruction"), ("accuracy", "elbo", "information", "agreement", "iou")


def check_callbacks(model: keras.Model, callbacks, validated: bool) -> None:
    """Refuse, before the first step, what Keras's callbacks would fail or be ignored with after the first epoch.

    A callback that leaves open whether its metric should be small or large is told, where the metric's name says so.

    Args:
        model: reports the numbers that it `tracked`.
        callbacks: those of `fit`: a list, one of them, a CallbackList or None.
        validated: whether `fit` reports the same of validation data, as `val_...`.

    Raises:
        ValueError: for a monitor that is not reported, with those that are, or a file that cannot be written.
    """
    given = (
        callbacks.callbacks if isinstance(callbacks, keras.callbacks.CallbackList) else keras.tree.flatten(callbacks)
    )
    given = [callback for callback in given if callback is not None]
    reported = [*model.tracked, *(f"val_{name}" for name in model.tracked if validated)]
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"Expected Keras callbacks; received {callback!r}")
        if isinstance(callback, keras.callbacks.ModelCheckpoint):
            _check_file(callback)
            if not callback.save_best_only:
                continue
        elif not isinstance(callback, (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)):
            continue
        if callback.monitor not in reported:
            _check_unreported(model, callback, reported, validated, given)
        elif callback.mode == "auto":
            callback.mode = mode_of(callback.monitor) or _refuse_open(callback)


def mode_of(metric: str) -> str | None:
    """`"min"` or `"max"`, whichever is the better value of a metric by its name, or None where it does not say."""
    return "min" if metric.endswith(_SMALLEST) else "max" if metric.endswith(_LARGEST) else None


def _check_unreported(model, callback, reported: Iterable[str], validated: bool, given: list) -> None:
    monitor, name = callback.monitor, type(callback).__name__
    # callbacks of the user's may report further numbers, but not by these names
    own = any(_may_report(each) for each in given)
    if own and monitor.removeprefix("val_") not in {"loss", *model.tracked}:
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


def _refuse_open(callback) -> None:
    raise ValueError(
        f"Expected mode='min' or mode='max' for the monitor {callback.monitor!r}, whose name does not say which is "
        f"better; received mode='auto' in {type(callback).__name__}"
    )


def _check_file(callback: keras.callbacks.ModelCheckpoint) -> None:
    if not callback.save_weights_only and not callback.filepath.endswith(".keras"):
        raise ValueError(
            f"Expected a ModelCheckpoint of files that end in .keras; received {callback.filepath!r} (only weights: "
            "save_weights_only=True and .weights.h5)"
        )
