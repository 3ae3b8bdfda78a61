"""Generative models for Keras 3 on TensorFlow: training with `fit`, evaluation, export to TFLite, demos.

Attributes are loaded on first use (PEP 562), so that `import keras_gen` takes milliseconds and TensorFlow is imported
only when it is needed.
"""

import os
from typing import TYPE_CHECKING

from .lazy import lazy_attributes

__version__ = "0.1.0"

# on processors without AVX-512, TensorFlow disables the kernels of oneDNN, which make the training of convolutions
# faster. TensorFlow reads the variable when it is imported; a user's 0 keeps them disabled
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_MODULES = (
    "data",
    "distributions",
    "evaluation",
    "export",
    "layers",
    "losses",
    "models",
    "networks",
    "pictures",
    "runs",
    "runtime",
    "training",
    "zoo",
)
_MEMBERS = {
    "AdversarialAutoencoder": "models",
    "Autoencoder": "models",
    "CycleGAN": "models",
    "GAN": "models",
    "GenerativeModel": "models",
    "InfoGAN": "models",
    "JointEmbedding": "models",
    "ProgressiveGAN": "models",
    "PuzzleGAN": "models",
    "PuzzleGrid": "models",
    "StarGAN": "models",
    "Text2Image": "models",
    "VAE": "models",
    "Prior": "distributions",
    "load": "runs",
    "train": "training",
    "evaluate": "evaluation",
    "build": "zoo",
}
__all__ = ["__version__", *_MODULES, *_MEMBERS]
__getattr__, __dir__ = lazy_attributes(__name__, _MEMBERS, _MODULES)

if TYPE_CHECKING:
    from . import (
        data,
        distributions,
        evaluation,
        export,
        layers,
        losses,
        models,
        networks,
        pictures,
        runs,
        runtime,
        training,
        zoo,
    )
    from .distributions import Prior
    from .evaluation import evaluate
    from .models import (
        GAN,
        VAE,
        AdversarialAutoencoder,
        Autoencoder,
        CycleGAN,
        GenerativeModel,
        InfoGAN,
        JointEmbedding,
        ProgressiveGAN,
        PuzzleGAN,
        PuzzleGrid,
        StarGAN,
        Text2Image,
    )
    from .runs import load
    from .training.train import train
    from .zoo import build
