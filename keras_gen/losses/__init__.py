"""Losses: pure functions of tensors, one value per example, no reduction over the batch."""

from . import adversarial as adversarial
from . import gradient_penalty as gradient_penalty
from . import penalties as penalties
from . import reconstruction as reconstruction
from .classification import group_accuracy as group_accuracy
from .classification import group_cross_entropy as group_cross_entropy
from .cycle import absolute_error as absolute_error
from .cycle import over_patches as over_patches
from .cycle import semantic_consistency as semantic_consistency
from .diff_augment import diff_augment as diff_augment
from .diff_augment import noise_size as noise_size
from .joint_embedding import contrastive as contrastive
from .joint_embedding import structured as structured
from .masks import intersection_over_union as intersection_over_union
from .masks import mask_cross_entropy as mask_cross_entropy
from .masks import masked_error as masked_error
from .objective import Objective as Objective
from .packing import pack as pack
from .packing import repeat_per_example as repeat_per_example
from .penalties import Penalty as Penalty
from .reconstruction import bernoulli_cross_entropy as bernoulli_cross_entropy
from .reconstruction import squared_error as squared_error
from .sinkhorn import assignment_cross_entropy as assignment_cross_entropy
from .sinkhorn import log_sinkhorn as log_sinkhorn
