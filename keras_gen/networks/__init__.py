"""Networks that several systems use: functions that return a keras.Model."""

from .conv import conv_decoder as conv_decoder
from .conv import conv_encoder as conv_encoder
from .conv import nearest_size as nearest_size
from .conv import num_downsamples as num_downsamples
from .dcgan import dcgan_discriminator as dcgan_discriminator
from .dcgan import dcgan_generator as dcgan_generator
from .gan import mlp_discriminator as mlp_discriminator
from .gan import mlp_generator as mlp_generator
from .mlp import mlp_decoder as mlp_decoder
from .mlp import mlp_encoder as mlp_encoder
from .text import text_encoder as text_encoder
from .translator import residual_translator as residual_translator
from .unet import unet as unet
