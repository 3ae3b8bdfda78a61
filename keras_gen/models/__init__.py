"""Generative models: one folder for each system, and their bases in `core`.

Classes are imported at first use, so that the systems can be listed without Keras.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

from keras_gen.lazy import lazy_attributes

if TYPE_CHECKING:
    from .aae.model import AdversarialAutoencoder as AdversarialAutoencoder
    from .autoencoder.model import Autoencoder as Autoencoder
    from .core.adversarial import AdversarialModel as AdversarialModel
    from .core.class_conditional import ClassConditional as ClassConditional
    from .core.encoder_decoder import EncoderDecoder as EncoderDecoder
    from .core.endpoint import Endpoint as Endpoint
    from .core.endpoint import Port as Port
    from .core.generative_model import GenerativeModel as GenerativeModel
    from .core.global_batch import BatchNoise as BatchNoise
    from .core.global_batch import GlobalBatch as GlobalBatch
    from .core.iterative_sampling import IterativeSampling as IterativeSampling
    from .core.player import Player as Player
    from .core.text_conditional import TextConditional as TextConditional
    from .cyclegan.model import CycleGAN as CycleGAN
    from .gan.model import GAN as GAN
    from .infogan.model import InfoGAN as InfoGAN
    from .progan.model import ProgressiveGAN as ProgressiveGAN
    from .puzzlegan.base import Puzzle as Puzzle
    from .puzzlegan.grid import PuzzleGrid as PuzzleGrid
    from .puzzlegan.patches import PuzzleGAN as PuzzleGAN
    from .stargan.attributes import AttributeSchema as AttributeSchema
    from .stargan.model import StarGAN as StarGAN
    from .text2image.captioned_vae import CaptionedVAE as CaptionedVAE
    from .text2image.joint_embedding import JointEmbedding as JointEmbedding
    from .text2image.model import Text2Image as Text2Image
    from .vae.model import VAE as VAE

_MEMBERS = {
    "AdversarialAutoencoder": "aae.model",
    "AdversarialModel": "core.adversarial",
    "AttributeSchema": "stargan.attributes",
    "Autoencoder": "autoencoder.model",
    "BatchNoise": "core.global_batch",
    "CaptionedVAE": "text2image.captioned_vae",
    "ClassConditional": "core.class_conditional",
    "CycleGAN": "cyclegan.model",
    "EncoderDecoder": "core.encoder_decoder",
    "Endpoint": "core.endpoint",
    "GAN": "gan.model",
    "GenerativeModel": "core.generative_model",
    "GlobalBatch": "core.global_batch",
    "InfoGAN": "infogan.model",
    "IterativeSampling": "core.iterative_sampling",
    "JointEmbedding": "text2image.joint_embedding",
    "Player": "core.player",
    "Port": "core.endpoint",
    "ProgressiveGAN": "progan.model",
    "Puzzle": "puzzlegan.base",
    "PuzzleGAN": "puzzlegan.patches",
    "PuzzleGrid": "puzzlegan.grid",
    "StarGAN": "stargan.model",
    "Text2Image": "text2image.model",
    "TextConditional": "core.text_conditional",
    "VAE": "vae.model",
}
__all__ = list(_MEMBERS)
__getattr__, __dir__ = lazy_attributes(__name__, _MEMBERS)


def import_all() -> None:
    """Imports every module of every system, so that Keras finds the classes that a saved file refers to."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
