"""One evaluator for all systems: likelihood, information, reconstruction, representation, samples."""

from .active_units import count_active_units as count_active_units
from .aggregate_posterior import PriorFitting as PriorFitting
from .aggregate_posterior import prior_fitting as prior_fitting
from .beside import compare as compare
from .data_kind import data_kind as data_kind
from .evaluating import evaluate as evaluate
from .evaluators import EVALUATORS as EVALUATORS
from .evaluators import PICTURES as PICTURES
from .frechet_distance import frechet_distance as frechet_distance
from .importance_sampling import log_likelihood as log_likelihood
from .kernel_distance import KernelDistance as KernelDistance
from .kernel_distance import kernel_distance as kernel_distance
from .ms_ssim import Similarity as Similarity
from .ms_ssim import ms_ssim as ms_ssim
from .ms_ssim import pair_similarity as pair_similarity
from .precision_recall import PrecisionRecall as PrecisionRecall
from .precision_recall import precision_recall as precision_recall
from .pyramid import pyramid_distance as pyramid_distance
from .reconstruction import psnr as psnr
from .sample_distance import nearest_distance as nearest_distance
from .sample_distance import nearest_reference as nearest_reference
from .sample_distance import sliced_wasserstein as sliced_wasserstein
