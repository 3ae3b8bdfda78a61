"""TFDS builders by name: found, downloaded and prepared, with errors that come early and say what is known."""

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
    """Return the folder that holds prepared sets: `data_dir`, else `TFDS_DATA_DIR`, else ~/tensorflow_datasets."""
    import tensorflow_datasets as tfds

    default = os.environ.get("TFDS_DATA_DIR") or tfds.core.constants.DATA_DIR
    return pathlib.Path(data_dir or default).expanduser()


def prepared_sets(data_dir: str | os.PathLike | None = None) -> tuple[str, ...]:
    """Return the names of the sets that lie prepared in a data directory."""
    folder = tfds_folder(data_dir)
    found = {file.relative_to(folder).parts[0] for file in folder.glob("*/*/dataset_info.json")}
    found |= {file.relative_to(folder).parts[0] for file in folder.glob("*/*/*/dataset_info.json")}
    return tuple(sorted(found - {"downloads"}))


def is_tfds_name(name: str, data_dir: str | os.PathLike | None) -> bool:
    """Say whether TFDS knows the set, by its code or because it lies prepared in the data directory."""
    import tensorflow_datasets as tfds

    base = name.split("/")[0].split(":")[0]
    return base in tfds.list_builders(with_community_datasets=False) or base in prepared_sets(data_dir)


def similar_names(name: str, data_dir: str | os.PathLike | None) -> list[str]:
    """Return known names that look like `name`."""
    import tensorflow_datasets as tfds

    known = {*tfds.list_builders(with_community_datasets=False), *prepared_sets(data_dir), "shapes"}
    return difflib.get_close_matches(name.split("/")[0].split(":")[0], sorted(known), n=4)


def find_builder(name: str, data_dir: str | os.PathLike | None) -> Any:
    """Return the TFDS builder of a name ("mnist", "mnist:3.*.*", "celeb_a_hq/256").

    Raises:
        ValueError: the configuration or version is unknown.
    """
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=str(tfds_folder(data_dir)))
    except Exception as error:  # TFDS raises many kinds, by the set and the mistake
        raise ValueError(f"TFDS cannot open {name!r}: {str(error).splitlines()[0]}") from error


def prepare(builder: Any, *, download: bool = True) -> Any:
    """Download and prepare a builder where it is not prepared yet.

    Args:
        builder: a `tfds.core.DatasetBuilder`.
        download: False raises instead of using the network.

    Returns:
        The builder.

    Raises:
        ValueError: the set needs files that are not here and cannot be fetched.
    """
    if builder.is_prepared():
        return builder
    missing = _missing_downloads(builder)
    if missing:
        why = "downloading is switched off (download=False)" if not download else _unreachable(missing[0])
        if why:
            raise ValueError(_not_here(builder, why))
    bars_for_screens_alone()
    report(f"Downloading and preparing {builder.name}")
    try:
        builder.download_and_prepare()
    except Exception as error:
        why = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        raise ValueError(_not_here(builder, why)) from error
    return builder


def bars_for_screens_alone() -> None:
    """Switch TFDS's progress bars off where nobody sees them move: a log file would fill with their states."""
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()


def _not_here(builder: Any, why: str) -> str:
    folder = pathlib.Path(builder.data_dir).parents[len(builder.info.full_name.split("/")) - 1]
    prepared = ", ".join(prepared_sets(folder)) or "none"
    return (
        f"{builder.info.full_name} is not prepared under {folder}, and its files cannot be downloaded: {why}. "
        f"Point data_dir (or TFDS_DATA_DIR) to a folder that holds it prepared, or put its source files into the TFDS "
        f"download cache {folder / 'downloads' / builder.name}. Prepared there: {prepared}. "
        f"Needs no download: 'shapes', a folder of images, an .npz or .npy file."
    )


def _missing_downloads(builder: Any) -> list[str]:
    """Return the registered URLs of a set that are not in its download cache."""
    from tensorflow_datasets.core.download import resource

    try:
        registered = builder.url_infos
    except Exception:  # sets without a list of checksums
        return []
    folder = pathlib.Path(builder.data_dir).parents[len(builder.info.full_name.split("/")) - 1] / "downloads"
    return [
        url
        for url, info in (registered or {}).items()
        if not any(
            (place / resource.get_dl_fname(url, info.checksum)).exists() for place in (folder / builder.name, folder)
        )
    ]


def _unreachable(url: str, timeout: float = 8.0) -> str | None:
    """Say why the host of a URL does not answer, or None where it does: TFDS itself retries for minutes."""
    if not url.startswith(("http://", "https://")):
        return None
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout).close()
    except urllib.error.HTTPError:
        return None  # the host answers; a HEAD request may be refused where a download is not
    except (OSError, ValueError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
    return None
