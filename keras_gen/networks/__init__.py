"""Networks: functions that return a keras.Model."""

from .aae import code_discriminator as code_discriminator
from .conv import conv_decoder as conv_decoder
from .conv import conv_encoder as conv_encoder
from .conv import halvings as halvings
from .dcgan import dcgan_discriminator as dcgan_discriminator
from .dcgan import dcgan_generator as dcgan_generator
from .gan import mlp_discriminator as mlp_discriminator
from .gan import mlp_generator as mlp_generator
from .infogan import infogan_discriminator_head as infogan_discriminator_head
from .infogan import infogan_q_head as infogan_q_head
from .infogan import infogan_trunk as infogan_trunk
from .mlp import mlp_decoder as mlp_decoder
from .mlp import mlp_encoder as mlp_encoder
from .stargan import stargan_discriminator as stargan_discriminator
from .translator import residual_translator as residual_translator
