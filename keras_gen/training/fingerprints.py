"""Comparison of the data of a resumed run with those that it began with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.data import DataInfo

from . import strategies


def compare(
    config: Mapping[str, Any], infos: Mapping[str, DataInfo], finished: int, *, resume: bool, data_changed: bool
) -> dict[str, Any]:
    """Compares the loaded data with those that a run began with.

    Args:
        config: the content of config.json.
        infos: role, `"train"` or `"validation"` -> the loaded data.
        finished: number of epochs that the run has finished.
        resume: whether the run is resumed; the data of a new run are not compared.
        data_changed: whether the user has confirmed that the data have changed.

    Returns:
        The entry `fingerprints` of config.json: {role: {"images": count, "digest": fingerprint}}, and under "changed" a
        list of the confirmed changes: {"epoch": epochs finished before, role: [former count, new count]}, with None for
        a split that does not exist.

    Raises:
        ValueError: where the data differ and `data_changed` is False; names the splits, former and new counts.
    """
    current: dict[str, Any] = {
        role: {"images": info.num_examples, "digest": info.fingerprint} for role, info in infos.items()
    }
    if not resume:
        return current
    former = config["fingerprints"]
    if former.get("changed"):
        current["changed"] = former["changed"]
    roles = [role for role in ("train", "validation") if current.get(role) != former.get(role)]
    if not roles:
        return current
    if not data_changed:
        source = config["data"]["source"]
        raise ValueError(
            f"The data of this run have changed: {'; '.join(_difference(role, former, current) for role in roles)}. "
            f"Restore the former data ({source}), or continue on these with --data-changed (data_changed=True), which "
            "splits them again: images that validate the model from then on may have been trained on before"
        )
    counts = {role: [_count(former, role), _count(current, role)] for role in roles}
    return current | {"changed": [*former.get("changed", ()), {"epoch": finished, **counts}]}


def check_workers_agree(devices: tf.distribute.Strategy, fingerprints: Mapping[str, Any]) -> None:
    """Verifies that all workers have loaded the same data.

    Args:
        devices: the distribution strategy.
        fingerprints: the result of `compare` at this worker.

    Raises:
        ValueError: at every worker, where one of them has loaded other data than the first.
    """
    digests = [fingerprints[role]["digest"] for role in ("train", "validation") if role in fingerprints]
    number = np.frombuffer(bytes.fromhex("".join(digests)).ljust(16, b"\0"), np.int32)
    gathered = strategies.gather(devices, number)
    if different := [replica for replica in range(1, len(gathered)) if (gathered[replica] != gathered[0]).any()]:
        raise ValueError(
            f"Expected the same data at every worker; received other data at replica {', '.join(map(str, different))} "
            f"of {len(gathered)} than at replica 0. Copy the data of one machine to all others, with their file names"
        )


def _difference(role: str, former: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    old, new = _count(former, role) or 0, _count(current, role) or 0
    if old == new:
        return f"{role} has {new:,} images as before, but other images, another order or other labels"
    return f"{role} had {old:,} images and has {new:,}"


def _count(fingerprints: Mapping[str, Any], role: str) -> int | None:
    return fingerprints.get(role, {}).get("images")
