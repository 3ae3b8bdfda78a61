"""Progress of Keras's `fit` and `evaluate`."""

from typing import Any

import keras

from .types import Progress


class BatchProgress(keras.callbacks.Callback):
    """A callback that reports the batches of `fit`, over all epochs, or of `evaluate`.

    Args:
        progress: called with (batches done, total).
        total: number of batches.
    """

    def __init__(self, progress: Progress, total: int):
        super().__init__()
        self.progress, self.total, self.done = progress, total, 0
        progress(0, total)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._count()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._count()

    def _count(self) -> None:
        self.done += 1
        self.progress(min(self.done, self.total), self.total)
