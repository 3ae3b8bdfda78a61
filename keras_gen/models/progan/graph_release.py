"""Graphs that a model is done with, taken out of TensorFlow's hands."""

import weakref

import tensorflow as tf
from tensorflow.python.framework import ops  # the registry has no public way out

GRADIENT = "_gradient_op_type"


class Graphs:
    """The graphs that a model's step was traced in, so that they can be released.

    A sum over replicas, which is a part of every Keras optimizer's step, registers its gradient with TensorFlow for as
    long as the process lives, and the registration holds the graph: without `release`, a model that is traced again
    and again keeps every graph.
    """

    def __init__(self):
        self._seen = weakref.WeakSet()

    def note(self) -> None:
        """Remember the graph that is being traced; called within a step."""
        if not tf.executing_eagerly():
            self._seen.add(ops.get_default_graph())

    def release(self) -> None:
        """Take the gradients of all noted graphs out of the registry; nothing can be differentiated there any more."""
        registered = getattr(ops.gradient_registry, "_registry", {})
        for graph in list(self._seen):
            for operation in graph.get_operations():
                if operation.type == "IdentityN" and GRADIENT in operation.node_def.attr:
                    registered.pop(operation.get_attr(GRADIENT).decode(), None)
        self._seen.clear()
