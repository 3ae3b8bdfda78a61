"""Keras layers, one public layer per file."""

from .mixture_prior import MixturePrior as MixturePrior
from .vamp_prior import VampPrior as VampPrior
