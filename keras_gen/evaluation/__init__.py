"""One evaluator for all systems: likelihood, reconstruction, representation, samples."""

from .importance_sampling import log_likelihood as log_likelihood
