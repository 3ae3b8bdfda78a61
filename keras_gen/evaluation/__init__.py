"""Evaluation of trained runs: likelihood, reconstruction, representation and sample quality.

`evaluate` and `compare` work on runs. The other functions take arrays; further metrics are in `metrics/` and
`features/`, for example `keras_gen.evaluation.metrics.mode_coverage`.
"""

from .compare import compare as compare
from .evaluating import evaluate as evaluate
from .features.extractors import feature_extractor as feature_extractor
from .metrics.frechet_distance import frechet_distance as frechet_distance
from .metrics.kernel_distance import kernel_distance as kernel_distance
from .metrics.log_likelihood import log_likelihood as log_likelihood
from .metrics.memorization import nearest_neighbors as nearest_neighbors
from .metrics.ms_ssim import ms_ssim as ms_ssim
from .metrics.precision_recall import precision_recall as precision_recall
from .metrics.sample_quality import sample_quality as sample_quality
