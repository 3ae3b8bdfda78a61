import json

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.training import strategies


def test_one_device_needs_no_strategy(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name in ("auto", "default"):
        strategy = strategies.get(name)
        assert strategy.num_replicas_in_sync == 1 and strategies.task_of(strategy) == 0
        np.testing.assert_array_equal(strategies.gather(strategy, [7, 8]), [[7, 8]])


def test_mirrored_uses_all_logical_cpus():
    strategy = strategies.get("mirrored")
    assert strategy.num_replicas_in_sync == 2 and strategies.task_of(strategy) == 0
    np.testing.assert_array_equal(strategies.gather(strategy, [7]), [[7], [7]])
    np.testing.assert_array_equal(strategies.gather(strategy, [[7], [8]]), [[7], [8]])
    assert strategies.describe(strategy) == "2 CPUs, mirrored"


@pytest.mark.parametrize(
    "gpus, cluster, expected",
    [
        (0, None, "default"),
        (1, None, "default"),
        (2, None, "mirrored"),
        (2, {"worker": ["a:1", "b:1"]}, "multiworker"),
        (0, {}, "default"),
    ],
)
def test_auto_depends_on_the_cluster_and_then_on_the_gpus(monkeypatch, gpus, cluster, expected):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster is not None:
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}}))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["GPU"] * gpus)
    assert strategies.choose() == expected


def test_unknown_strategies_and_missing_clusters_raise(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="Expected one of auto, default, .* for strategy; received 'horovod'"):
        strategies.get("horovod")
    with pytest.raises(ValueError, match="Expected the environment variable TF_CONFIG with strategy='multiworker'"):
        strategies.get("multiworker")
    monkeypatch.setenv("TF_CONFIG", "{cluster")
    with pytest.raises(ValueError, match="Expected a JSON object with a cluster in TF_CONFIG; received '{cluster'"):
        strategies.get("auto")


def test_tasks_are_numbered_with_the_chief_first():
    class Strategy:
        class extended:
            _in_multi_worker_mode = staticmethod(lambda: True)

        def __init__(self, cluster, kind, index):
            self.cluster_resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
                tf.train.ClusterSpec(cluster), task_type=kind, task_id=index
            )

    without_chief, with_chief = {"worker": ["a:1", "b:1"]}, {"chief": ["c:1"], "worker": ["a:1", "b:1"]}
    assert [strategies.task_of(Strategy(without_chief, "worker", index)) for index in (0, 1)] == [0, 1]
    assert strategies.task_of(Strategy(with_chief, "chief", 0)) == 0
    assert [strategies.task_of(Strategy(with_chief, "worker", index)) for index in (0, 1)] == [1, 2]
