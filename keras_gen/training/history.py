"""metrics.csv: one row for each finished epoch, and what follows from the rows."""

import csv
import io
import math
import os
import pathlib


class History:
    """The metrics of finished epochs, kept in a file.

    The file is replaced as a whole, so it never holds half a row; it depends on the training alone, not on time.
    The best epoch and the epochs since follow from its rows, so a resumed run needs no other state.

    Args:
        path: metrics.csv.
        epochs: read the rows of epochs 1 to `epochs` where the file exists, and forget later ones (an epoch that was
            written but not checkpointed is trained again).

    Attributes:
        rows: dicts with `epoch` (from 1) and the metrics, in order.

    Raises:
        ValueError: where the file is damaged or rows are missing.
    """

    def __init__(self, path: pathlib.Path, epochs: int = 0):
        self.path = path
        self.rows = [row for row in read_rows(path) if row["epoch"] <= epochs] if epochs else []
        if [row["epoch"] for row in self.rows] != list(range(1, epochs + 1)):
            raise ValueError(f"{path} should hold the epochs 1 to {epochs}; it holds {len(self.rows)} of them")

    def append(self, epoch: int, metrics: dict[str, float]) -> None:
        """Add an epoch, counted from 1, and write the file."""
        # what is compared is what was written: a resumed run must not find a difference in the last digits
        self.rows.append({"epoch": epoch, **{name: float(_text(value)) for name, value in metrics.items()}})
        self.write()

    def write(self) -> None:
        """Write all rows."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: value if name == "epoch" else _text(value) for name, value in row.items()} for row in self.rows
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(self.path.name + ".tmp")
        scratch.write_text(text.getvalue())
        os.replace(scratch, self.path)

    def best(self, metric: str | None) -> int:
        """The epoch with the smallest finite value of a metric, the first of equals; 0 where there is none.

        With None every epoch counts as the best so far: the last one is returned.
        """
        if metric is None:
            return len(self.rows)
        values = {row["epoch"]: row[metric] for row in self.rows if math.isfinite(row.get(metric, math.nan))}
        return min(values, key=values.get, default=0)

    def waited(self, metric: str | None) -> int:
        """Epochs since the best one."""
        return len(self.rows) - self.best(metric)


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
