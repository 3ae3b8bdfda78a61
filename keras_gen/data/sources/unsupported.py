"""Formats of other libraries that `load` does not read, and how to convert them."""

import re

_SAVE = "np.savez('images.npz', image=images, label=labels)"
_FOLDER = "pass the folder of images"
# file extensions in lower case -> description of the format, and how to convert it
_HINTS = {
    (".h5", ".hdf5", ".hdf"): (
        "an HDF5 file",
        f"Convert it to an .npz file: images = h5py.File(path)['NAME'][:], then {_SAVE}",
    ),
    (".mat",): ("a MATLAB file", f"Convert it to an .npz file: images = scipy.io.loadmat(path)['NAME'], then {_SAVE}"),
    (".parquet",): (
        "a Parquet file",
        "Save its images in a folder with a metadata.csv (file_name, label): pandas.read_parquet(path) has the bytes "
        "of each image in image['bytes']",
    ),
    (".csv", ".tsv"): (
        "a table",
        "Save a table of file names in the folder of its images, as metadata.csv with a column file_name, and pass "
        f"that folder. Convert a table of pixels to an .npz file: {_SAVE}",
    ),
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"): ("an archive", f"Unpack it (tar -xf FILE) and {_FOLDER}"),
    (".zip", ".7z", ".rar", ".gz"): ("an archive", f"Unpack it (python -m zipfile -e FILE FOLDER) and {_FOLDER}"),
    (".tfrecord", ".tfrecords"): (
        "a TFRecord file",
        "Pass the name of its TFDS dataset with --data-dir DIRECTORY (data_dir=), or save its images in an .npz file: "
        f"{_SAVE}",
    ),
    (".pt", ".pth"): ("a PyTorch file", f"Convert it to an .npz file: tensors = torch.load(path), then {_SAVE}"),
    (".pkl", ".pickle"): (
        "a pickle",
        "A pickle can run any program when it is opened. If you trust it, convert it to an .npz file: "
        f"pickle.load(open(path, 'rb')), then {_SAVE}",
    ),
}
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def conversion_hint(source: str, exists: bool) -> str | None:
    """Returns what a source is and how to convert it, or None if it is not one of the known formats.

    Args:
        source: The source as passed to `load`.
        exists: Whether a file of this name exists.
    """
    text = source.lower()
    if text.startswith("hf://") or "huggingface.co/" in text:
        return _hub(source.split("huggingface.co/")[-1].removeprefix("hf://").removeprefix("datasets/"))
    if re.match(r"[a-z][a-z0-9+.-]+://", text):
        return f"it is an address, which is not downloaded. Download it yourself, unpack it and {_FOLDER}."
    for ends, (what, how) in _HINTS.items():
        if text.endswith(ends):
            problem = f"it is {what}, which is not read" if exists else f"there is no such file, and {what} is not read"
            return f"{problem}. {how}."
    if not exists and _HUB_NAME.fullmatch(source):
        hub = _hub(source)
        return f"there is no folder of this name and no TFDS dataset. If it is a dataset of the Hugging Face Hub: {hub}"
    return None


def _hub(name: str) -> str:
    return (
        f"datasets of the Hub are not read by name. Load it with datasets.load_dataset({name!r}), save its images in "
        "a folder (row['image'].save(FILE)) with a metadata.csv (file_name, label), and pass that folder."
    )
