"""Losses: pure functions of tensors, one value per example, no reduction over the batch."""

from . import adversarial as adversarial
from . import gradient_penalty as gradient_penalty
from . import penalties as penalties
from .diff_augment import diff_augment as diff_augment
from .diff_augment import noise_size as noise_size
from .joint_embedding import contrastive as contrastive
from .joint_embedding import structured as structured
from .objective import Objective as Objective
from .packing import pack as pack
from .packing import spread as spread
from .penalties import Penalty as Penalty
from .reconstruction import bernoulli_cross_entropy as bernoulli_cross_entropy
from .reconstruction import squared_error as squared_error
