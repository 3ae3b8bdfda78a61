"""Keras layers and an initializer, one per file."""

from .adaptive_probability import AdaptiveProbability as AdaptiveProbability
from .attribute_planes import AttributePlanes as AttributePlanes
from .blur2d import Blur2D as Blur2D
from .depth_to_space import DepthToSpace as DepthToSpace
from .equalized_conv2d import EqualizedConv2D as EqualizedConv2D
from .equalized_conv2d_transpose import EqualizedConv2DTranspose as EqualizedConv2DTranspose
from .equalized_dense import EqualizedDense as EqualizedDense
from .equalized_resize_conv2d import EqualizedResizeConv2D as EqualizedResizeConv2D
from .flow_prior import FlowPrior as FlowPrior
from .icnr import ICNR as ICNR
from .image_pool import ImagePool as ImagePool
from .minibatch_standard_deviation import MinibatchStandardDeviation as MinibatchStandardDeviation
from .mixture_prior import MixturePrior as MixturePrior
from .pixel_normalization import PixelNormalization as PixelNormalization
from .reflection_padding2d import ReflectionPadding2D as ReflectionPadding2D
from .resize_conv2d import ResizeConv2D as ResizeConv2D
from .spectral_conv2d import SpectralConv2D as SpectralConv2D
from .spectral_conv2d_transpose import SpectralConv2DTranspose as SpectralConv2DTranspose
from .spectral_dense import SpectralDense as SpectralDense
from .vamp_prior import VampPrior as VampPrior
from .word_mask import WordMask as WordMask
