"""The names of strategies and the workers of TF_CONFIG, which are checked before TensorFlow is imported."""

import json
import os

STRATEGIES = ("auto", "default", "mirrored", "multiworker", "tpu")


def check_strategy(name: str) -> None:
    """Check the name of a strategy, and that there are workers where it needs them.

    Raises:
        ValueError: for an unknown name, `"multiworker"` without TF_CONFIG, or a TF_CONFIG that cannot be read.
    """
    if name not in STRATEGIES:
        raise ValueError(f"Unknown strategy {name!r}: expected one of {', '.join(STRATEGIES)}")
    if name == "multiworker" and not workers():
        raise ValueError(
            "strategy='multiworker' needs the environment variable TF_CONFIG on every machine, such as "
            '{"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]}, "task": {"type": "worker", "index": 0}}'
        )


def workers() -> dict:
    """The cluster of TF_CONFIG; empty where there is none.

    Raises:
        ValueError: where TF_CONFIG is no JSON object.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return {}
    try:
        return json.loads(text).get("cluster") or {}
    except (json.JSONDecodeError, AttributeError) as error:
        raise ValueError(f"TF_CONFIG is no JSON object with a cluster: {error}. It holds {text[:200]!r}") from error
