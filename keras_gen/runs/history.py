"""metrics.csv: one row for each finished epoch, and what follows from the rows."""

import csv
import io
import math
import pathlib
from collections.abc import Iterable, Mapping

from keras_gen import files


class History:
    """The metrics of finished epochs, and the file that shows them.

    The file depends on the training alone, not on time. The best epoch and the epochs since it follow from the rows,
    so a resumed run needs no other state. Each state of `Checkpoints` has a copy of the rows: a lost or damaged file
    is written again from it.

    Args:
        path: metrics.csv, or None for no file.
        rows: of the epochs that are already finished; dicts with `epoch` (from 1) and the metrics.

    Attributes:
        rows: the same, in order, with those that `append` added.
    """

    def __init__(self, path: pathlib.Path | None, rows: Iterable[Mapping[str, float]] = ()):
        self.path = path
        self.rows = [dict(row) for row in rows]

    def append(self, epoch: int, metrics: dict[str, float]) -> None:
        """Add an epoch, counted from 1, and write the file."""
        # what is compared is what was written: a resumed run must not find a difference in the last digits
        self.rows.append({"epoch": epoch, **{name: float(_text(value)) for name, value in metrics.items()}})
        self.write()

    def text(self) -> str:
        """The content of the file."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: value if name == "epoch" else _text(value) for name, value in row.items()} for row in self.rows
        )
        return text.getvalue()

    def write(self) -> bool:
        """Write all rows where the file does not hold just these; whether it was written."""
        if self.path is None or holds(self.path, self.text()):
            return False
        files.write_text(self.path, self.text())
        return True

    def best(self, metric: str | None) -> int:
        """The epoch with the smallest finite value of a metric, the first of equals; 0 where there is none.

        With None every epoch counts as the best so far: the last one is returned.
        """
        if metric is None:
            return len(self.rows)
        values = {row["epoch"]: row[metric] for row in self.rows if math.isfinite(row.get(metric, math.nan))}
        return min(values, key=values.get, default=0)

    def epochs_since_best(self, metric: str | None) -> int:
        """Epochs since the best one."""
        return len(self.rows) - self.best(metric)


def holds(path: pathlib.Path, text: str) -> bool:
    """Whether a file exists and holds just this text."""
    try:
        return path.read_text() == text
    except (OSError, UnicodeDecodeError):
        return False


def _text(value: float) -> str:
    return f"{value:.9g}"  # nine digits tell any two float32 numbers apart


def read_rows(path: pathlib.Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv; `epoch` is an int, everything else a float.

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
