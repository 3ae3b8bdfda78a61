"""Training: a system and data become a run directory, by `model.fit` under a distribution strategy.

The options are checked before TensorFlow is imported. `write_card` is imported on first use, so that the command line
starts quickly.
"""

from typing import TYPE_CHECKING

from keras_gen.lazy import lazy_attributes

from .config import TrainConfig as TrainConfig
from .train import train as train

if TYPE_CHECKING:
    from .card import write_card as write_card

__getattr__, __dir__ = lazy_attributes(__name__, {"write_card": "card"})
