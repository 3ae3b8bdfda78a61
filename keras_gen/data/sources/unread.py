"""Sources of other libraries that are not read, and how to convert them."""

import re

_SAVE = "np.savez('images.npz', image=images, label=labels)"
_FOLDER = "give the folder of images"
# ends of names, in lower case -> what it is and how to convert it
_HINTS = {
    (".h5", ".hdf5", ".hdf"): (
        "an HDF5 file",
        f"Convert it to an .npz file: images = h5py.File(path)['NAME'][:], then {_SAVE}",
    ),
    (".mat",): ("a MATLAB file", f"Convert it to an .npz file: images = scipy.io.loadmat(path)['NAME'], then {_SAVE}"),
    (".parquet",): (
        "a Parquet file",
        "Write its images to a folder with a metadata.csv (file_name, label): pandas.read_parquet(path) has the bytes "
        "of each image in image['bytes']",
    ),
    (".csv", ".tsv"): (
        "a table",
        "A table of file names belongs into the folder of its images, as metadata.csv with a column file_name: give "
        f"that folder. A table of pixels becomes an .npz file: {_SAVE}",
    ),
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"): ("an archive", f"Unpack it (tar -xf FILE) and {_FOLDER}"),
    (".zip", ".7z", ".rar", ".gz"): ("an archive", f"Unpack it (python -m zipfile -e FILE FOLDER) and {_FOLDER}"),
    (".tfrecord", ".tfrecords"): (
        "a TFRecord file",
        "Give the name of its TFDS set with --data-dir DIRECTORY (data_dir=), or write its images to an .npz file: "
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


def hint_for(source: str, exists: bool) -> str | None:
    """What a source is that is not read, and how to convert it; None where it is none of the known ones.

    Args:
        source: as it was given.
        exists: whether there is a file of this name.
    """
    text = source.lower()
    if text.startswith("hf://") or "huggingface.co/" in text:
        return _hub(source.split("huggingface.co/")[-1].removeprefix("hf://").removeprefix("datasets/"))
    if re.match(r"[a-z][a-z0-9+.-]+://", text):
        return f"it is an address, and nothing is downloaded from there. Download it yourself, unpack it and {_FOLDER}."
    for ends, (what, how) in _HINTS.items():
        if text.endswith(ends):
            found = f"it is {what}, which is not read" if exists else f"there is no such file, and {what} is not read"
            return f"{found}. {how}."
    if not exists and _HUB_NAME.fullmatch(source):
        return "there is no folder of this name and no TFDS set. If it is a dataset of the Hugging Face Hub: " + _hub(
            source
        )
    return None


def _hub(name: str) -> str:
    return (
        f"datasets of the Hub are not read by name. Load it with datasets.load_dataset({name!r}), write its images to "
        "a folder (row['image'].save(FILE)) with a metadata.csv (file_name, label), and give that folder."
    )
