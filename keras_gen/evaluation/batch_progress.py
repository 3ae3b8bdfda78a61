"""Progress of Keras's own loops."""

from collections.abc import Callable

import keras


class BatchProgress(keras.callbacks.Callback):
    """Reports the batches of `fit`, over all epochs, or of `evaluate`.

    Args:
        progress: called with (batches done, all of them).
        total: batches in all.
    """

    def __init__(self, progress: Callable[[int, int], None], total: int):
        super().__init__()
        self.progress, self.total, self.done = progress, total, 0
        progress(0, total)

    def on_train_batch_end(self, batch, logs=None):
        self._count()

    def on_test_batch_end(self, batch, logs=None):
        self._count()

    def _count(self) -> None:
        self.done += 1
        self.progress(min(self.done, self.total), self.total)
