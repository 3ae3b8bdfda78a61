"""Training: a system and data become a run directory, by `model.fit` under a distribution strategy.

The options are checked before TensorFlow is imported. `write_card` is imported on first use, so that the command line
starts quickly.
"""

from typing import TYPE_CHECKING, Any

from .config import TrainConfig as TrainConfig
from .train import train as train

if TYPE_CHECKING:
    from .card import write_card as write_card


def __getattr__(name: str) -> Any:
    if name == "write_card":
        from .card import write_card

        return write_card
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
