"""Keras layers, one public layer per file."""

from .attribute_planes import AttributePlanes as AttributePlanes
from .flow_prior import FlowPrior as FlowPrior
from .image_pool import ImagePool as ImagePool
from .mixture_prior import MixturePrior as MixturePrior
from .reflection_padding2d import ReflectionPadding2D as ReflectionPadding2D
from .spectral_conv2d import SpectralConv2D as SpectralConv2D
from .spectral_conv2d_transpose import SpectralConv2DTranspose as SpectralConv2DTranspose
from .spectral_dense import SpectralDense as SpectralDense
from .vamp_prior import VampPrior as VampPrior
from .word_mask import WordMask as WordMask
