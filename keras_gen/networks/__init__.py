"""Networks: functions that return a keras.Model."""

from .conv import conv_decoder as conv_decoder
from .conv import conv_encoder as conv_encoder
from .conv import halvings as halvings
from .mlp import mlp_decoder as mlp_decoder
from .mlp import mlp_encoder as mlp_encoder
