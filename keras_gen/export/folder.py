"""The export folder: what is in it, its description, and how a new export takes the place of an earlier one."""

import contextlib
import datetime
import hashlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_gen import files
from keras_gen.runs import versions, write_json

from .parity import read_parity
from .precisions import PRECISIONS
from .runtime import FORMAT, digest_of, read_description

if TYPE_CHECKING:
    import keras

    from keras_gen.models import Endpoint, GenerativeModel

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

REQUIREMENTS = "numpy>=1.26,<3\nai-edge-litert>=2.1,<3\n"
SAVED_MODEL = "saved_model"
DESCRIPTION = "model.json"
PARITY = "parity.json"
REPLACED = "replaced"  # in a scratch folder: the earlier export, until the new one is complete
# all that an export may write; other files in the folder are somebody's own
WRITTEN = {DESCRIPTION, PARITY, SAVED_MODEL, "runtime.py", "requirements.txt", "__pycache__", "model.tflite"}
WRITTEN |= {f"model_{precision}.tflite" for precision in PRECISIONS}


def describe(
    model: "GenerativeModel",
    endpoints: "list[Endpoint]",
    *,
    system: str,
    title: str,
    batch: int,
    labels: list[str] | None,
    reading: dict,
) -> dict:
    """The content of model.json but for its files: what each signature takes and returns, and what makes the noise.

    Args:
        model, endpoints, system, title, batch, labels: what is described.
        reading: `value_range`, `crop` and `background` of the training data, as far as they are not the usual ones.
    """
    from keras_gen.distributions.noise import KINDS as NOISE_KINDS

    drawn = any(port.kind in NOISE_KINDS for each in endpoints for port in each.inputs.values())
    noise = [
        {"name": name, "stream": stream, "kind": each.kind, "shape": list(each.shape)}
        for stream, (name, each) in enumerate(model.noise().items() if drawn else ())
    ]
    return {
        "format": FORMAT,
        "system": system,
        "title": title,
        "image_shape": list(model.image_shape),
        "batch": batch,
        "preferred": None,
        "files": {},
        "saved_model": None,
        "signatures": {
            endpoint.name: {"inputs": _ports(endpoint.inputs), "outputs": _ports(endpoint.outputs)}
            for endpoint in endpoints
        },
        "noise": {
            "generator": "numpy.random.Generator(numpy.random.Philox(key=[seed, stream])), float32: standard_normal "
            "for the kind normal, random for uniform, 2 * random - 1 for uniform_symmetric, the row integers(classes) of the "
            "identity for one_hot",
            "inputs": noise,
        },
        "labels": labels,
        **reading,
        **model.described(),
        "fingerprint": fingerprint(model),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def _ports(ports: dict) -> dict:
    return {
        name: {"shape": list(port.shape), "kind": port.kind, "range": list(port.range) if port.range else None}
        for name, port in ports.items()
    }


def fingerprint(model: "keras.Model") -> str:
    """16 hexadecimal digits that change with any weight."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def check_replaceable(folder: pathlib.Path) -> None:
    """Refuse a folder that holds something else than an export.

    Raises:
        ValueError: where it is a file, or is not empty and has no model.json.
        PermissionError: where it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected a folder to export to")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise ValueError(f"{folder} holds files and no model.json: it is no export folder, so it is not replaced")


def check_same_weights(folder: pathlib.Path, model: "GenerativeModel") -> None:
    """Refuse a folder that holds the export of other weights.

    Raises:
        FileExistsError: where it does.
    """
    earlier = _earlier(folder)
    if earlier and earlier[0]["fingerprint"] != fingerprint(model):
        raise FileExistsError(
            f"{folder} holds the export of other weights ({earlier[0]['title']}, {earlier[0].get('created')}). Replace "
            "it (--overwrite), or choose another folder (--out)"
        )


def scratch_beside(folder: pathlib.Path) -> pathlib.Path:
    """A new folder beside the export folder, on the same disk, where a failure leaves the earlier export alone.

    An export that was killed while it replaced an earlier one is brought to its end first, see `recover`.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        return pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except PermissionError as error:
        raise PermissionError(
            f"{folder} cannot be written: no permission in {folder.parent}; choose another"
        ) from error


def finish(new: pathlib.Path, folder: pathlib.Path, description: dict, parity: dict) -> None:
    """Write the description beside the new files and put them in the place of an earlier export.

    From the earlier export stays what this one does not renew, if it was made from the same weights (a SavedModel
    beside new TFLite files, or the reverse), and files that no export writes.

    Args:
        new: folder with the new .tflite files and SavedModel, and nothing else, in a scratch folder that the caller
            removes.
        folder: the export folder.
        description, parity: contents of model.json and parity.json.
    """
    earlier = _earlier(folder)
    if earlier and earlier[0]["fingerprint"] == description["fingerprint"]:
        _keep(description, parity, *earlier)
    if description["files"]:
        shutil.copyfile(pathlib.Path(__file__).with_name("runtime.py"), new / "runtime.py")
        (new / "requirements.txt").write_text(REQUIREMENTS)
    write_json(new / PARITY, parity)
    write_json(new / DESCRIPTION, {**description, "digest": digest_of(description)})
    new.chmod(0o777 & ~_umask())
    files.flush(new)
    with _alone(folder.parent):
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
        _carry_over(replaced, folder)
        shutil.rmtree(replaced, ignore_errors=True)  # under the lock: what is there without it is of a killed export


def recover(folder: pathlib.Path) -> None:
    """Finish what killed exports left beside an export folder.

    Where there is no export folder, the earlier export that had been put aside comes back; where there is one, it gets
    what `finish` would have moved into it.
    """
    with _alone(folder.parent):
        for replaced in folder.parent.glob(f".{folder.name}-*/{REPLACED}"):
            if folder.exists():
                _carry_over(replaced, folder)
            else:
                os.replace(replaced, folder)
            shutil.rmtree(replaced.parent, ignore_errors=True)


@contextlib.contextmanager
def _alone(parent: pathlib.Path) -> Iterator[None]:
    """One process at a time replaces export folders in a folder; others wait, for the moment that it takes.

    The system frees the lock with the process. Where folders cannot be locked (Windows, some network disks) there is
    none.
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


def _carry_over(replaced: pathlib.Path, folder: pathlib.Path) -> None:
    """Move files that no export writes, and those that the new model.json takes over, out of a replaced export."""
    try:
        description = read_description(folder, need_model=False)
    except (OSError, ValueError):
        named = set()
    else:
        named = {description["saved_model"], *(file["file"] for file in description["files"].values())}
    for item in list(replaced.iterdir()):
        if (item.name in named or item.name not in WRITTEN) and not (folder / item.name).exists():
            os.replace(item, folder / item.name)


def _earlier(folder: pathlib.Path) -> tuple[dict, dict] | None:
    """model.json and parity.json of the folder, or None where there is no earlier export that can be read."""
    try:
        return read_description(folder, need_model=False), read_parity(folder)
    except (OSError, ValueError):
        return None


def _keep(description: dict, parity: dict, old: dict, old_parity: dict) -> None:
    """Take over the parts of an earlier export of the same weights that are not renewed."""
    if old["saved_model"] and not description["saved_model"] and "saved_model" in old_parity:
        description["saved_model"] = old["saved_model"]
        parity["saved_model"] = old_parity["saved_model"]
    if old["files"] and not description["files"]:
        for key in ("files", "preferred", "batch"):
            description[key] = old[key]
        parity["files"] = old_parity["files"]
        parity["calibrated_on"] = old_parity.get("calibrated_on")
        parity["images"] = {**old_parity.get("images", {}), **parity["images"]}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
