"""The export folder: its files, its description, and the replacement of an earlier export."""

import contextlib
import datetime
import hashlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import keras_gen.runtime
from keras_gen import files
from keras_gen.runs import versions, write_json
from keras_gen.runtime.description import FORMAT, digest_of, read_description
from keras_gen.runtime.model_file import digest_of_file
from keras_gen.runtime.noise import NOISE_KINDS

from .parity import read_parity
from .precisions import PRECISIONS

if TYPE_CHECKING:
    import keras

    from keras_gen.models import Endpoint, GenerativeModel

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

REQUIREMENTS_TEXT = """numpy>=1.26,<3
ai-edge-litert>=2.1,<3
# for image files; without it, images are .npy files:
# pillow>=11
"""
REQUIREMENTS = "requirements.txt"
RUNTIME = "runtime"
SAVED_MODEL = "saved_model"
DESCRIPTION = "model.json"
PARITY = "parity.json"
REPLACED = "replaced"  # in a scratch folder: the earlier export, until the new one is complete
# all that an export may write; other files in the folder belong to the user
WRITTEN = {DESCRIPTION, PARITY, SAVED_MODEL, RUNTIME, REQUIREMENTS, "model.tflite"}
WRITTEN |= {f"model_{precision}.tflite" for precision in PRECISIONS}


def describe(
    model: "GenerativeModel",
    endpoints: "Sequence[Endpoint]",
    *,
    system: str,
    title: str,
    batch: int,
    labels: list[str] | None,
    preprocessing: Mapping[str, Any],
) -> dict[str, Any]:
    """Returns the content of model.json without its files: the signatures, the noise, and the names of conditions.

    Args:
        model: the model.
        endpoints: its endpoints.
        system: key of the system.
        title: name of the system for people.
        batch: fixed batch size of the TFLite files.
        labels: names of the classes, or None.
        preprocessing: `value_range`, `crop` and `background` of the training data that differ from the default.

    Raises:
        ValueError: for a model that is not built.
    """
    if model.image_shape is None:
        raise ValueError("Expected a model with an image_shape; received one that is not built: call or train it first")
    from keras_gen.distributions.noise import noise_inputs

    entries = model.export_description()
    drawn = {name for each in endpoints for name, port in each.inputs.items() if port.kind in NOISE_KINDS}
    if "sampling" in entries:  # the initial states are noise, and those of later steps are not
        drawn.add(entries["sampling"]["state"])
    noise = [each for each in noise_inputs(model.noise()) if each["name"] in drawn]
    return {
        "format": FORMAT,
        "system": system,
        "title": title,
        "image_shape": list(model.image_shape),
        "batch": batch,
        "preferred": None,
        "files": {},
        "saved_model": None,
        "runtime": {},
        "signatures": {
            endpoint.name: {"inputs": _ports(endpoint.inputs), "outputs": _ports(endpoint.outputs)}
            for endpoint in endpoints
        },
        "noise": {
            "generator": "numpy.random.Generator(numpy.random.Philox(key=[seed, stream])), float32: standard_normal "
            "for the kind normal, random for uniform, 2 * random - 1 for uniform_symmetric, the row integers(classes) "
            "of the identity for one_hot",
            "inputs": noise,
        },
        "labels": labels,
        **preprocessing,
        **entries,
        "fingerprint": fingerprint(model),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def _ports(ports: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"shape": list(port.shape), "kind": port.kind, "range": list(port.range) if port.range else None}
        for name, port in ports.items()
    }


def fingerprint(model: "keras.Model") -> str:
    """Returns 16 hexadecimal digits that change with any weight."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def check_replaceable(folder: pathlib.Path) -> None:
    """Checks that a folder is absent, empty or an export.

    Raises:
        ValueError: if it is a file, or is not empty and has no model.json.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"Expected a folder to export to; received the file {folder}")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise ValueError(
            f"Expected an export folder, or an empty one; received {folder}, which holds files and no model.json, so "
            "it is not replaced. Choose another folder"
        )


def check_same_weights(folder: pathlib.Path, model: "GenerativeModel") -> None:
    """Checks that a folder does not hold the export of other weights.

    Raises:
        FileExistsError: if it does.
    """
    earlier = _read_earlier(folder)
    if earlier and earlier[0]["fingerprint"] != fingerprint(model):
        raise FileExistsError(
            f"{folder} holds the export of other weights ({earlier[0]['title']}, {earlier[0].get('created')}). Replace "
            "it (--overwrite), or choose another folder (--out)"
        )


def create_scratch(folder: pathlib.Path) -> pathlib.Path:
    """Creates a folder next to the export folder, on the same disk, so that a failure leaves the earlier export alone.

    An export that was killed while it replaced an earlier one is completed first, see `recover`.

    Raises:
        PermissionError: if it cannot be created.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        return pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except PermissionError as error:
        raise PermissionError(
            f"{folder} cannot be written: no permission in {folder.parent}; choose another folder"
        ) from error


def finish(new: pathlib.Path, folder: pathlib.Path, description: dict[str, Any], parity: dict[str, Any]) -> None:
    """Writes the runtime and the descriptions next to the new models, and replaces the earlier export.

    Models of the earlier export that are not renewed stay if they have the same weights (a SavedModel next to new
    TFLite files, or the reverse), and so do files that no export writes.

    Args:
        new: folder with the new .tflite files and SavedModel only, in a scratch folder that the caller removes.
        folder: the export folder.
        description: content of model.json.
        parity: content of parity.json.
    """
    earlier = _read_earlier(folder)
    if earlier and earlier[0]["fingerprint"] == description["fingerprint"]:
        _keep_models(description, parity, *earlier)
    if description["files"]:
        description["runtime"] = write_runtime(new)
    write_json(new / PARITY, parity)
    write_json(new / DESCRIPTION, {**description, "digest": digest_of(description)})
    new.chmod(0o777 & ~_umask())
    files.flush(new)
    with _exclusive(folder.parent):
        if not folder.exists():
            os.replace(new, folder)
            return
        replaced = new.with_name(REPLACED)
        os.replace(folder, replaced)
        try:
            os.replace(new, folder)
        except OSError:
            os.replace(replaced, folder)
            raise
        _move_kept_files(replaced, folder)
        # under the lock: without it, a `replaced` folder is one of a killed export
        shutil.rmtree(replaced, ignore_errors=True)


def write_runtime(folder: pathlib.Path) -> dict[str, str]:
    """Copies the device runtime into an export and writes its requirements.

    Args:
        folder: the export folder.

    Returns:
        file, relative to the folder -> its SHA-256.
    """
    source = pathlib.Path(keras_gen.runtime.__file__).parent
    (folder / RUNTIME).mkdir()
    for module in sorted(source.glob("*.py")):
        shutil.copyfile(module, folder / RUNTIME / module.name)
    (folder / REQUIREMENTS).write_text(REQUIREMENTS_TEXT)
    written = [*sorted((folder / RUNTIME).iterdir()), folder / REQUIREMENTS]
    return {file.relative_to(folder).as_posix(): digest_of_file(file) for file in written}


def recover(folder: pathlib.Path) -> None:
    """Completes the replacements of an export folder by killed processes.

    If the export folder is missing, the earlier export is put back; else the files that `finish` would have preserved
    are moved into it.
    """
    with _exclusive(folder.parent):
        for replaced in folder.parent.glob(f".{folder.name}-*/{REPLACED}"):
            if folder.exists():
                _move_kept_files(replaced, folder)
            else:
                os.replace(replaced, folder)
            shutil.rmtree(replaced.parent, ignore_errors=True)


@contextlib.contextmanager
def _exclusive(parent: pathlib.Path) -> Iterator[None]:
    """Locks a folder, so that one process at a time replaces exports in it.

    The operating system frees the lock with the process. Folders that cannot be locked (Windows, some network disks)
    are not protected.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _move_kept_files(replaced: pathlib.Path, folder: pathlib.Path) -> None:
    """Moves the user's files, and the models that the new model.json keeps, out of a replaced export."""
    try:
        description = read_description(folder, need_model=False)
    except (OSError, ValueError):
        named = set()
    else:
        named = {description["saved_model"], *(file["file"] for file in description["files"].values())}
    for item in list(replaced.iterdir()):
        if (item.name in named or item.name not in WRITTEN) and not (folder / item.name).exists():
            os.replace(item, folder / item.name)


def _read_earlier(folder: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Returns model.json and parity.json of the folder, or None without an earlier export that can be read."""
    try:
        return read_description(folder, need_model=False), read_parity(folder)
    except (OSError, ValueError):
        return None


def _keep_models(
    description: dict[str, Any], parity: dict[str, Any], earlier: dict[str, Any], earlier_parity: dict[str, Any]
) -> None:
    """Copies the entries of models that are not renewed from an earlier export of the same weights."""
    if earlier["saved_model"] and not description["saved_model"] and "saved_model" in earlier_parity:
        description["saved_model"] = earlier["saved_model"]
        parity["saved_model"] = earlier_parity["saved_model"]
    if earlier["files"] and not description["files"]:
        for key in ("files", "preferred", "batch"):
            description[key] = earlier[key]
        parity["files"] = earlier_parity["files"]
        parity["calibrated_on"] = earlier_parity.get("calibrated_on")
        parity["images"] = {**earlier_parity.get("images", {}), **parity["images"]}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
