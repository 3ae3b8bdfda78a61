"""Generative models: the shared base, then one system per file."""

from .autoencoder import Autoencoder as Autoencoder
from .base import GenerativeModel as GenerativeModel
from .encoder_decoder import EncoderDecoder as EncoderDecoder
from .endpoints import Endpoint as Endpoint
from .endpoints import Port as Port
from .placement import Draws as Draws
from .placement import Place as Place
from .vae import VAE as VAE
