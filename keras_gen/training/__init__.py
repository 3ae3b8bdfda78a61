"""Training: a system and data into a run directory, by `model.fit` under a strategy."""

from .card import write_card as write_card
from .fitting import train as train
