"""The last states of a training, from which it goes on exactly."""

import os
import pathlib
import re
import warnings

import keras

_NAME = re.compile(r"epoch_(\d+)\.weights\.h5")
KEPT = 2


class Checkpoints:
    """A folder with the states after the last two epochs: weights, every optimizer, step counters and seeds.

    A state is written under another name and renamed, and its name tells its epoch: whenever the process is killed,
    a complete state lies here. Keras's BackupAndRestore writes weights and epoch in two files and in place, so that a
    kill between the two pairs the weights of one epoch with the number of another.

    Args:
        folder: where they lie; made by the first `save`.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    @property
    def epochs(self) -> list[int]:
        """Epochs after which a state is kept, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(int(found[1]) for file in self.folder.iterdir() if (found := _NAME.fullmatch(file.name)))

    def save(self, model: keras.Model, epoch: int) -> None:
        """Keep the state after an epoch, counted from 1."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / "unfinished.weights.h5"
        model.save_weights(scratch)
        os.replace(scratch, self._file(epoch))
        for old in self.epochs[:-KEPT]:
            self._file(old).unlink()

    def restore(self, model: keras.Model, latest: int | None = None) -> int:
        """Bring a built and compiled model to the newest state that can be read.

        Args:
            model: built as the one that was saved.
            latest: ignore states of later epochs.

        Returns:
            The number of finished epochs; 0 where nothing was kept.

        Raises:
            ValueError: where states are kept and none can be read.
        """
        kept = [epoch for epoch in self.epochs if latest is None or epoch <= latest]
        failures = []
        for epoch in reversed(kept):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")  # Keras only warns where an optimizer cannot be restored
                    model.load_weights(self._file(epoch))
                break
            except Exception as error:  # h5py and Keras each raise their own
                failures.append(f"{self._file(epoch).name}: {str(error).splitlines()[0] if str(error) else error!r}")
        else:
            if failures:
                raise ValueError(
                    f"No state under {self.folder} can be restored; start again with --overwrite. {'; '.join(failures)}"
                )
            return 0
        for later in [kept for kept in self.epochs if kept > epoch]:
            self._file(later).unlink()
        return epoch

    def _file(self, epoch: int) -> pathlib.Path:
        return self.folder / f"epoch_{epoch:04d}.weights.h5"
