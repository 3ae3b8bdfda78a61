"""Whether the data of a resumed run are those that it began with."""

import numpy as np
import tensorflow as tf

from keras_gen.data import DataInfo

from . import strategies


def compare(config: dict, infos: dict[str, DataInfo], finished: int, *, resume: bool, data_changed: bool) -> dict:
    """Compare the data that were loaded with those that a run began with.

    Args:
        config: the content of config.json.
        infos: role -> what was loaded for it, "train" and, where there is one, "validation".
        finished: epochs that the run has finished.
        resume: whether the run goes on; a new one has nothing to be compared.
        data_changed: whether other data are meant.

    Returns:
        The entry `fingerprints` of config.json: {role: {"images": count, "digest": fingerprint}}, and under "changed" a
        list of the changes that were meant: {"epoch": epochs finished before, role: [images then, images now]}, None
        where the number is not known (of a run of an earlier version) or there is no such split.

    Raises:
        ValueError: where the data differ and `data_changed` is False; says which split, and the counts then and now.
    """
    found = {role: {"images": info.num_examples, "digest": info.fingerprint} for role, info in infos.items()}
    former = config.get("fingerprints")
    if not resume or (former is None and not data_changed):  # runs of earlier versions have none
        return found
    former = former or {}
    if former.get("changed"):
        found["changed"] = former["changed"]
    roles = [role for role in ("train", "validation") if found.get(role) != former.get(role)]
    if not roles:
        return found
    if not data_changed:
        source = config["data"]["source"]
        raise ValueError(
            f"The data of this run have changed: {'; '.join(_difference(role, former, found) for role in roles)}. "
            f"Put the former data back ({source}); or continue on these with --data-changed (data_changed=True), which "
            "splits them anew: images that validate the model from now on may have been trained on before"
        )
    counts = {role: [_images(former, role), _images(found, role)] for role in roles}
    return found | {"changed": [*former.get("changed", ()), {"epoch": finished, **counts}]}


def check_workers_agree(devices: tf.distribute.Strategy, fingerprints: dict) -> None:
    """Raise a ValueError at every worker where one of them has loaded other data than the first."""
    digests = [fingerprints[role]["digest"] for role in ("train", "validation") if role in fingerprints]
    number = np.frombuffer(bytes.fromhex("".join(digests)).ljust(16, b"\0"), np.int32)
    found = strategies.gather(devices, number)
    if different := [replica for replica in range(1, len(found)) if (found[replica] != found[0]).any()]:
        raise ValueError(
            f"Expected the same data at every worker; replica {', '.join(map(str, different))} of {len(found)} has "
            "others than replica 0. Copy the data of one machine to all of them, with the same files and names"
        )


def _difference(role: str, former: dict, found: dict) -> str:
    then, now = _images(former, role), _images(found, role)
    if then == now:
        return f"{role} has {now:,} images as before, but others, in another order or with other labels"
    return f"{role} had {then or 0:,} images and has {now or 0:,}"


def _images(fingerprints: dict, role: str) -> int | None:
    return fingerprints.get(role, {}).get("images")
