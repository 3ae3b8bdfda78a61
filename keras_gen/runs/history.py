"""metrics.csv: one row for each finished epoch, from which the best epoch follows."""

import csv
import io
import math
import pathlib
from collections.abc import Iterable, Mapping

from keras_gen import files


class History:
    """The metrics of the finished epochs, and their file.

    The file depends on the training alone, not on time. The best epoch and the number of epochs since then follow from
    the rows, so a resumed run needs no other state. Each state of `Checkpoints` has a copy of the rows, from which a
    lost or damaged file is restored.

    Args:
        path: metrics.csv, or None for no file.
        rows: rows of the epochs that are already finished; dicts with `epoch` (from 1) and the metrics.

    Attributes:
        rows: the rows of all finished epochs, in order, including those that `append` added.
    """

    def __init__(self, path: pathlib.Path | None, rows: Iterable[Mapping[str, float]] = ()):
        self.path = path
        self.rows = [dict(row) for row in rows]

    def append(self, epoch: int, metrics: dict[str, float]) -> None:
        """Adds an epoch and writes the file.

        Args:
            epoch: number of the epoch, counted from 1.
            metrics: name -> value.
        """
        # epochs are compared by the values in the file, so that a resumed run finds no difference in the last digits
        self.rows.append({"epoch": epoch, **{name: float(_text(value)) for name, value in metrics.items()}})
        self.write()

    def text(self) -> str:
        """Returns the content of the file."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: value if name == "epoch" else _text(value) for name, value in row.items()} for row in self.rows
        )
        return text.getvalue()

    def write(self) -> bool:
        """Writes the file unless it has exactly these rows; returns whether it was written."""
        if self.path is None or has_text(self.path, self.text()):
            return False
        files.write_text(self.path, self.text())
        return True

    def best(self, metric: str | None) -> int:
        """Returns the epoch with the smallest finite value of a metric, the first of equals; 0 where none is finite.

        Args:
            metric: name of the metric; with None every epoch counts as the best so far, and the last one is returned.
        """
        if metric is None:
            return len(self.rows)
        values = {row["epoch"]: row[metric] for row in self.rows if math.isfinite(row.get(metric, math.nan))}
        return int(min(values, key=lambda epoch: values[epoch], default=0))

    def epochs_since_best(self, metric: str | None) -> int:
        """Returns the number of epochs since the best one.

        Args:
            metric: as for `best`.
        """
        return len(self.rows) - self.best(metric)


def has_text(path: pathlib.Path, text: str) -> bool:
    """Returns whether a file exists and has exactly this text.

    Args:
        path: the file.
        text: the expected content.
    """
    try:
        return path.read_text() == text
    except (OSError, UnicodeDecodeError):
        return False


def _text(value: float) -> str:
    return f"{value:.9g}"  # nine digits distinguish any two float32 numbers


def read_rows(path: pathlib.Path) -> list[dict[str, float]]:
    """Reads the rows of a metrics.csv; `epoch` is an int, everything else a float.

    Args:
        path: the file; without one there are no rows.

    Raises:
        ValueError: where the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="") as file:
            rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
        return [{**row, "epoch": int(row["epoch"])} for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a table of metrics: {error!r}") from error
