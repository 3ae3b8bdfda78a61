"""The names of distribution strategies and the workers of TF_CONFIG, without TensorFlow."""

import json
import os
from typing import Any

STRATEGIES = ("auto", "default", "mirrored", "multiworker", "tpu")


def check_strategy(name: str) -> None:
    """Checks the name of a strategy, and that TF_CONFIG names workers where the strategy needs them.

    Args:
        name: one of `STRATEGIES`.

    Raises:
        ValueError: for an unknown name, `"multiworker"` without TF_CONFIG, or a TF_CONFIG that cannot be read.
    """
    if name not in STRATEGIES:
        raise ValueError(f"Expected one of {', '.join(STRATEGIES)} for strategy; received {name!r}")
    if name == "multiworker" and not workers():
        raise ValueError(
            "Expected the environment variable TF_CONFIG with strategy='multiworker'; received none. Set it on every "
            'machine, such as {"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]}, "task": {"type": "worker", '
            '"index": 0}}'
        )


def workers() -> dict[str, Any]:
    """Returns the cluster that TF_CONFIG describes: job -> addresses; empty without one.

    Raises:
        ValueError: where TF_CONFIG is not a JSON object.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return {}
    try:
        return json.loads(text).get("cluster") or {}
    except (json.JSONDecodeError, AttributeError) as error:
        raise ValueError(
            f"Expected a JSON object with a cluster in TF_CONFIG; received {text[:200]!r} ({error})"
        ) from error
