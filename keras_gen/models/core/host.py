"""The values of variables on the host, whichever devices store them."""

import keras
import numpy as np


def host_value(variable: keras.Variable) -> np.ndarray:
    """Returns the value of a variable of one device, or of several replicas with equal values, as a numpy array.

    A variable that was created in the scope of a strategy has no `int()`, `float()` or `numpy()`: TensorFlow raises a
    TypeError or an AttributeError. Callbacks, and all other code between two steps, therefore read variables with this
    function only.

    Args:
        variable: A variable of a model, a layer or an optimizer, of any shape.

    Returns:
        An array of the variable's shape and dtype.
    """
    return np.asarray(variable)
