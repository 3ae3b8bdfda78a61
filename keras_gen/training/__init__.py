"""Training: a system and data into a run directory, by `model.fit` under a strategy.

What is asked for is checked before TensorFlow is imported.
"""

from .card import write_card as write_card
from .train import train as train
