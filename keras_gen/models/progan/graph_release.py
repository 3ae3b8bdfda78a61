"""Releases the TensorFlow graphs of steps that a model no longer runs."""

import weakref

import tensorflow as tf
from tensorflow.python.framework import ops  # the gradient registry has no public function that removes an entry

GRADIENT_ATTRIBUTE = "_gradient_op_type"


class TracedGraphs:
    """The graphs in which a model's step was traced, so that they can be released.

    Every Keras optimizer sums gradients over replicas, and TensorFlow registers a gradient function of that sum for the
    lifetime of the process. The function references its graph: without `release`, a model that is traced repeatedly
    would keep every graph in memory.
    """

    def __init__(self):
        self._graphs = weakref.WeakSet()

    def record(self) -> None:
        """Records the graph that is being traced. Call it within the step."""
        if not tf.executing_eagerly():
            self._graphs.add(ops.get_default_graph())

    def release(self) -> None:
        """Removes the gradient functions of all recorded graphs, which then cannot be differentiated any more."""
        registry = getattr(ops.gradient_registry, "_registry", {})
        for graph in list(self._graphs):
            for operation in graph.get_operations():
                if operation.type == "IdentityN" and GRADIENT_ATTRIBUTE in operation.node_def.attr:
                    registry.pop(operation.get_attr(GRADIENT_ATTRIBUTE).decode(), None)
        self._graphs.clear()
