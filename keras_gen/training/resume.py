"""The content of a resumed run's config.json, and what a resume may change."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from keras_gen.options import as_json, declared, differences

from .config import TrainConfig
from .new_run import absolute_source
from .source import inspect_source, splits_of
from .views import LIMITS, source_of

# entry of `training` that follows from the number of epochs: see `callbacks.LinearDecay`
SCHEDULE = "schedule"


def resumed(config: TrainConfig, content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the content of a resumed run's config.json: as the run began, except for the resumable options.

    Args:
        config: the options; `TrainConfig` declares which of them are resumable. Data at another place are compared with
            the former ones when they are loaded. With `data_changed` they may differ, and are split like those of a new
            run.
        content: the content of the run's config.json.

    Raises:
        ValueError: for an option that is not resumable and differs; names each of them.
    """
    config = dataclasses.replace(config, system=config.system_name)
    if config.data is not None:
        config = dataclasses.replace(config, data=absolute_source(source_of(content["system"], config.data)))
    if different := differences(config, TrainConfig.from_json(content)):
        raise ValueError(
            f"Expected the options that the run began with: {'; '.join(different)}. Leave these out, or start another "
            "run in another directory"
        )
    sections = {"data": dict(content["data"]), "training": dict(content["training"])}
    for each in declared(TrainConfig):
        value = getattr(config, each.name)
        if each.resumable and each.section and value is not None:
            sections[each.section][each.key] = as_json(value)
    if config.data_changed:
        loaded = sections["data"]
        limits = {name: loaded[name] for name in LIMITS if name in loaded}
        loaded["splits"] = splits_of(inspect_source(loaded["source"], loaded["data_dir"], **limits))
    return {**content, **sections}


def data_changed(content: Mapping[str, Any], former: Mapping[str, Any]) -> bool:
    """Returns whether a run continued on other data, deliberately, after an earlier content of its config.json.

    Args:
        content: the content of config.json.
        former: its content at an earlier time.
    """
    now, then = (each.get("fingerprints", {}).get("changed", []) for each in (content, former))
    return now != then


def changes(content: Mapping[str, Any], former: Mapping[str, Any]) -> list[str]:
    """Returns, in words, where config.json differs from its earlier content, except for what a resume may change.

    Args:
        content: the content of config.json.
        former: its content at an earlier time, as a state of the training contains it.
    """
    free = {each.key for each in declared(TrainConfig) if each.resumable} | {SCHEDULE}
    if data_changed(content, former):
        free |= {"splits"}
    now, then = (_flat(_fixed(each, free)) for each in (content, former))
    return [
        f"{name} is {now.get(name)!r}, expected {then.get(name)!r}"
        for name in sorted(now.keys() | then.keys())
        if now.get(name) != then.get(name)
    ]


def _fixed(content: Mapping[str, Any], free: set[str]) -> dict[str, Any]:
    """Returns the parts of config.json that stay as they are."""
    parts = {name: content.get(name) for name in ("id", "system", "image_shape", "settings")}
    for section in ("data", "training"):
        parts[section] = {name: value for name, value in content[section].items() if name not in free}
    return parts


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns {"a": {"b": 1}} as {"a.b": 1}, with values as JSON represents them."""
    flat = {}
    for name, value in json.loads(json.dumps(content)).items():
        inner = _flat(value) if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}".removesuffix("."): each for key, each in inner.items()}
    return flat
