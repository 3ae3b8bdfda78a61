"""Functions over tfp.distributions: network outputs as distributions, priors, divergences, base noise."""

from . import heads as heads
from . import posteriors as posteriors
from .discretized_logistic import DiscretizedLogistic as DiscretizedLogistic
from .discretized_logistic import bits_per_dimension as bits_per_dimension
from .divergences import CLOSED_FORM as CLOSED_FORM
from .divergences import MONTE_CARLO as MONTE_CARLO
from .divergences import Divergence as Divergence
from .divergences import kl as kl
from .divergences import kl_per_dimension as kl_per_dimension
from .heads import Head as Head
from .latent_prior import LatentPrior as LatentPrior
from .latent_prior import check_prior as check_prior
from .minimax import discriminator_error as discriminator_error
from .minimax import jensen_shannon as jensen_shannon
from .minimax import optimal_discriminator as optimal_discriminator
from .minimax import optimal_logit as optimal_logit
from .minimax import value_function as value_function
from .noise import Noise as Noise
from .noise import draw_noise as draw_noise
from .petal_prior import PetalPrior as PetalPrior
from .posteriors import Posterior as Posterior
from .priors import Prior as Prior
from .ring_and_grid import gaussian_grid as gaussian_grid
from .ring_and_grid import gaussian_ring as gaussian_ring
from .swiss_roll_prior import SwissRollPrior as SwissRollPrior
