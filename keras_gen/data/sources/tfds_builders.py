"""Finds, downloads and prepares TFDS builders, with early errors that list the available datasets."""

import difflib
import os
import pathlib
import sys
import urllib.error
import urllib.request
from typing import Any

from keras_gen.progress import report

EXAMPLES = ("mnist", "binarized_mnist", "fashion_mnist", "cifar10", "celeb_a", "oxford_flowers102")


def tfds_folder(data_dir: str | os.PathLike | None) -> pathlib.Path:
    """Returns the folder of prepared datasets: `data_dir`, or `TFDS_DATA_DIR`, or ~/tensorflow_datasets."""
    import tensorflow_datasets as tfds

    default = os.environ.get("TFDS_DATA_DIR") or tfds.core.constants.DATA_DIR
    return pathlib.Path(data_dir or default).expanduser()


def prepared_sets(data_dir: str | os.PathLike | None = None) -> tuple[str, ...]:
    """Returns the names of the datasets that are prepared in a data directory."""
    folder = tfds_folder(data_dir)
    files = (*folder.glob("*/*/dataset_info.json"), *folder.glob("*/*/*/dataset_info.json"))
    return tuple(sorted({file.relative_to(folder).parts[0] for file in files} - {"downloads"}))


def is_tfds_name(name: str, data_dir: str | os.PathLike | None) -> bool:
    """Returns whether a name is a dataset of TFDS, or one that is prepared in the data directory."""
    import tensorflow_datasets as tfds

    base = name.split("/")[0].split(":")[0]
    return base in tfds.list_builders(with_community_datasets=False) or base in prepared_sets(data_dir)


def similar_names(name: str, data_dir: str | os.PathLike | None) -> list[str]:
    """Returns known names that are similar to `name`."""
    import tensorflow_datasets as tfds

    known = {*tfds.list_builders(with_community_datasets=False), *prepared_sets(data_dir), "shapes"}
    return difflib.get_close_matches(name.split("/")[0].split(":")[0], sorted(known), n=4)


def find_builder(name: str, data_dir: str | os.PathLike | None) -> Any:
    """Returns the TFDS builder of a dataset.

    Args:
        name: A name such as "mnist", "mnist:3.*.*" or "celeb_a_hq/256".
        data_dir: TFDS directory.

    Raises:
        ValueError: If the configuration or version is unknown.
    """
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=str(tfds_folder(data_dir)))
    except Exception as error:  # TFDS raises many types, depending on the dataset and the mistake
        raise ValueError(f"TFDS cannot open {name!r}: {str(error).splitlines()[0]}") from error


def prepare(builder: Any, *, download: bool = True) -> Any:
    """Downloads and prepares a builder unless it is already prepared.

    Args:
        builder: A `tfds.core.DatasetBuilder`.
        download: False raises an error instead of using the network.

    Returns:
        The builder.

    Raises:
        ValueError: If files are missing and cannot be downloaded.
    """
    if builder.is_prepared():
        return builder
    missing = _missing_downloads(builder)
    if missing:
        reason = "downloads are disabled (download=False)" if not download else _unreachable(missing[0])
        if reason:
            raise ValueError(_not_prepared(builder, reason))
    hide_progress_bars()
    report(f"Downloading and preparing {builder.name}")
    try:
        builder.download_and_prepare()
    except Exception as error:
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise ValueError(_not_prepared(builder, reason)) from error
    return builder


def hide_progress_bars() -> None:
    """Disables the progress bars of TFDS unless stderr is a terminal, since they would fill a log file."""
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()


def _not_prepared(builder: Any, reason: str) -> str:
    folder = pathlib.Path(builder.data_dir).parents[len(builder.info.full_name.split("/")) - 1]
    prepared = ", ".join(prepared_sets(folder)) or "none"
    return (
        f"{builder.info.full_name} is not prepared under {folder}, and its files cannot be downloaded: {reason}. "
        f"Set data_dir (or TFDS_DATA_DIR) to a folder where it is prepared, or copy its source files to the TFDS "
        f"download cache {folder / 'downloads' / builder.name}. Prepared there: {prepared}. "
        f"These need no download: 'shapes', a folder of images, an .npz or .npy file."
    )


def _missing_downloads(builder: Any) -> list[str]:
    """Returns the registered URLs of a dataset that are not in its download cache."""
    from tensorflow_datasets.core.download import resource

    try:
        registered = builder.url_infos
    except Exception:  # datasets without a list of checksums
        return []
    folder = pathlib.Path(builder.data_dir).parents[len(builder.info.full_name.split("/")) - 1] / "downloads"
    return [
        url
        for url, info in (registered or {}).items()
        if not any(
            (cache / resource.get_dl_fname(url, info.checksum)).exists() for cache in (folder / builder.name, folder)
        )
    ]


def _unreachable(url: str, timeout: float = 8.0) -> str | None:
    """Returns why the host of a URL does not respond, or None if it does. TFDS itself would retry for minutes."""
    if not url.startswith(("http://", "https://")):
        return None
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout).close()
    except urllib.error.HTTPError:
        return None  # the host responds; it may refuse a HEAD request and still allow a download
    except (OSError, ValueError) as error:
        return f"{url} does not respond ({getattr(error, 'reason', error)})"
    return None
