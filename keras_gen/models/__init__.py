"""Generative models: the shared base, then one system per file."""

from .aae import AdversarialAutoencoder as AdversarialAutoencoder
from .adversarial import AdversarialModel as AdversarialModel
from .attributes import Attributes as Attributes
from .autoencoder import Autoencoder as Autoencoder
from .base import GenerativeModel as GenerativeModel
from .captioned_vae import CaptionedVAE as CaptionedVAE
from .cyclegan import CycleGAN as CycleGAN
from .encoder_decoder import EncoderDecoder as EncoderDecoder
from .endpoints import Endpoint as Endpoint
from .endpoints import Port as Port
from .gan import GAN as GAN
from .infogan import InfoGAN as InfoGAN
from .joint_embedding import JointEmbedding as JointEmbedding
from .placement import Draws as Draws
from .placement import Place as Place
from .players import Player as Player
from .progressive_gan import ProgressiveGAN as ProgressiveGAN
from .puzzle import Puzzle as Puzzle
from .puzzle_grid import PuzzleGrid as PuzzleGrid
from .puzzlegan import PuzzleGAN as PuzzleGAN
from .stargan import StarGAN as StarGAN
from .text2image import Text2Image as Text2Image
from .vae import VAE as VAE
