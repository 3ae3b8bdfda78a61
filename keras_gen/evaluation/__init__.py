"""Evaluation of trained runs: likelihood, reconstruction, representation and sample quality.

`evaluate` and `compare` work on runs. The other functions take arrays; further metrics are in `metrics/` and
`features/`, for example `keras_gen.evaluation.metrics.mode_coverage`. Attributes are loaded on first use, so that the
options in `config` can be checked before TensorFlow is imported.
"""

from typing import TYPE_CHECKING

from keras_gen.lazy import lazy_attributes

_MEMBERS = {
    "compare": "comparing",
    "evaluate": "evaluating",
    "feature_extractor": "features.extractors",
    "frechet_distance": "metrics.frechet_distance",
    "kernel_distance": "metrics.kernel_distance",
    "log_likelihood": "metrics.log_likelihood",
    "ms_ssim": "metrics.ms_ssim",
    "nearest_neighbors": "metrics.memorization",
    "precision_recall": "metrics.precision_recall",
    "sample_quality": "metrics.sample_quality",
}
__all__ = list(_MEMBERS)
__getattr__, __dir__ = lazy_attributes(__name__, _MEMBERS, modules=("features", "metrics"))

if TYPE_CHECKING:
    from . import features as features
    from . import metrics as metrics
    from .comparing import compare as compare
    from .evaluating import evaluate as evaluate
    from .features.extractors import feature_extractor as feature_extractor
    from .metrics.frechet_distance import frechet_distance as frechet_distance
    from .metrics.kernel_distance import kernel_distance as kernel_distance
    from .metrics.log_likelihood import log_likelihood as log_likelihood
    from .metrics.memorization import nearest_neighbors as nearest_neighbors
    from .metrics.ms_ssim import ms_ssim as ms_ssim
    from .metrics.precision_recall import precision_recall as precision_recall
    from .metrics.sample_quality import sample_quality as sample_quality
