"""The values of variables on the host, whatever devices hold them."""

import keras
import numpy as np


def host_value(variable: keras.Variable) -> np.ndarray:
    """Returns the value of a variable that one device holds, or several replicas alike, as a numpy array.

    A variable that was created in the scope of a strategy has no `int()`, `float()` or `numpy()`: TensorFlow raises a
    TypeError or an AttributeError. A callback, and whatever else runs between two steps, therefore reads variables
    with this function alone.

    Args:
        variable: of a model, a layer or an optimizer, of any shape.

    Returns:
        An array of the variable's shape and dtype.
    """
    return np.asarray(variable)
