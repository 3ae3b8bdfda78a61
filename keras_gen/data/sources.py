"""From the text that names a source to its table."""

import os
import pathlib
from typing import Any

from .arrays import read_arrays
from .fit import Fit
from .info import Table
from .store import Store, choose_cache


def resolve(
    source: str | os.PathLike,
    split: str,
    fit: Fit,
    *,
    cache: str | None,
    on_error: str,
    data_dir: str | os.PathLike | None,
    download: bool,
) -> Table:
    """Find a source and read one of its splits; the arguments are those of `keras_gen.data.load`."""
    kind, place = identify(source, data_dir)
    store = Store(data_dir)
    if kind == "arrays":
        from .holding import hold

        return hold(read_arrays(place, split, fit), cache, fit, on_error, store)
    from .tfds_builders import find_builder, prepare
    from .tfds_sets import check_split, read_tfds

    builder = prepare(find_builder(place, data_dir), download=download)
    check_split(builder, split)
    how = choose_cache(cache, builder.info.splits[split].num_examples, fit.image_shape)
    return read_tfds(builder, split, fit, cache=how, store=store)


def identify(source: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> tuple[str, Any]:
    """Say what a source is: ("arrays", path), ("folder", path) or ("tfds", name).

    Raises:
        ValueError: nothing of that name is known.
    """
    from .tfds_builders import EXAMPLES, is_tfds_name, prepared_sets, similar_names

    text = os.fspath(source)
    path = pathlib.Path(text).expanduser()
    if path.suffix in (".npy", ".npz"):
        return "arrays", path
    named = not isinstance(source, os.PathLike) and not text.startswith((".", "~", os.sep))
    if named and is_tfds_name(text, data_dir):
        return "tfds", text
    if path.is_dir():
        return "folder", path
    close = similar_names(text, data_dir) if named else []
    prepared = ", ".join(prepared_sets(data_dir)) or "none"
    found = f"{path} is a file of a kind that is not known" if path.exists() else f"there is no data set and no folder {text!r}"
    raise ValueError(
        f"source={text!r}: {found}."
        + (f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else "")
        + f" Known: 'shapes'; TFDS sets with an image feature ({', '.join(EXAMPLES)}, ...; prepared here: {prepared}); "
        f"a folder of images; an .npy or .npz file."
    )
