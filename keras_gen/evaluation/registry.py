"""The tables of evaluators and pictures, with what each requires of a model. A new metric or picture is a row here."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_gen.models.core.generative_model import GenerativeModel
from keras_gen.models.core.protocols import (
    Grows,
    HasAttributes,
    HasCategories,
    HasLikelihood,
    HasPosterior,
    HasPrior,
    HasTextImageScorer,
    RestoresFromPatches,
    RestoresFromTiles,
)

from .context import EvaluationContext
from .evaluators.attribute_translation import attribute_translation, attribute_translation_picture
from .evaluators.captions import caption_picture, caption_precision
from .evaluators.categories import category_error
from .evaluators.domain_translation import (
    counterfactual_error,
    cycle_consistency,
    domain_accuracy,
    domain_translation_picture,
    transfer_accuracy,
    translation_distance,
)
from .evaluators.elbo import elbo
from .evaluators.likelihood import active_units, information, likelihood
from .evaluators.puzzle import key_patches, restoration_picture, tile_grid
from .evaluators.reconstruction import reconstruction, reconstruction_picture
from .evaluators.samples import neighbor_picture, parzen_windows, sample_picture, samples, stacked_modes
from .figures.interpolation import interpolation
from .figures.latent_map import latent_map
from .figures.stages import stages
from .types import About, Metrics


@dataclasses.dataclass(frozen=True)
class Requirements:
    """What a metric or picture requires of a model.

    Attributes:
        endpoints: names of endpoints.
        protocols: runtime-checkable protocols, see `keras_gen.models.core.protocols`.
    """

    endpoints: tuple[str, ...] = ()
    protocols: tuple[type, ...] = ()

    def met_by(self, model: GenerativeModel) -> bool:
        """Returns whether the model has all endpoints and implements all protocols."""
        names = {endpoint.name for endpoint in model.endpoints()}
        return names.issuperset(self.endpoints) and all(isinstance(model, protocol) for protocol in self.protocols)


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """A group of metrics that are computed together.

    Attributes:
        name: name of the group.
        measure: EvaluationContext -> (metrics, about). A metric that cannot be computed is None, with the `reason` in
            `about`.
        requirements: what the model must have.
    """

    name: str
    measure: Callable[[EvaluationContext], tuple[Metrics, About]]
    requirements: Requirements


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, written as `evaluation/<name>.png`.

    Attributes:
        name: name of the file.
        draw: EvaluationContext -> uint8 [height, width, channels].
        requirements: what the model must have.
    """

    name: str
    draw: Callable[[EvaluationContext], np.ndarray]
    requirements: Requirements


_GENERATES = Requirements(("generate",))
_RECONSTRUCTS = Requirements(("reconstruct",))
_RESTORES = Requirements(("restore",))
_TRANSLATES_DOMAINS = Requirements(("a_to_b", "b_to_a"))

EVALUATORS = (
    Evaluator("ELBO", elbo, _RECONSTRUCTS),
    Evaluator("information", information, Requirements(protocols=(HasPosterior, HasPrior))),
    Evaluator("log-likelihood", likelihood, Requirements(protocols=(HasPosterior, HasLikelihood))),
    Evaluator("active units", active_units, Requirements(("encode",), (HasPosterior,))),
    Evaluator("reconstruction", reconstruction, _RECONSTRUCTS),
    Evaluator("category error", category_error, Requirements(("infer",), (HasCategories,))),
    Evaluator("category error", category_error, Requirements(("classify",), (HasCategories,))),
    Evaluator("R-precision", caption_precision, Requirements(("embed", "generate"), (HasTextImageScorer,))),
    Evaluator(
        "attribute translation", attribute_translation, Requirements(("translate", "classify"), (HasAttributes,))
    ),
    Evaluator("samples", samples, _GENERATES),
    Evaluator("mode coverage", stacked_modes, _GENERATES),
    Evaluator("translation distance", translation_distance, _TRANSLATES_DOMAINS),
    Evaluator("domain accuracy", domain_accuracy, _TRANSLATES_DOMAINS),
    Evaluator("cycle consistency", cycle_consistency, _TRANSLATES_DOMAINS),
    Evaluator("domain transfer", transfer_accuracy, _TRANSLATES_DOMAINS),
    Evaluator("counterfactuals", counterfactual_error, _TRANSLATES_DOMAINS),
    Evaluator("Parzen windows", parzen_windows, _GENERATES),
    Evaluator("key patches", key_patches, Requirements(("restore",), (RestoresFromPatches,))),
    Evaluator("tile grid", tile_grid, Requirements(("restore",), (RestoresFromTiles,))),
)

PICTURES = (
    Picture("samples", sample_picture, _GENERATES),
    Picture("stages", stages, Requirements(("generate",), (Grows,))),
    Picture("captions", caption_picture, Requirements(("embed", "generate"))),
    Picture("nearest_neighbors", neighbor_picture, _GENERATES),
    Picture("translations", attribute_translation_picture, Requirements(("translate",), (HasAttributes,))),
    Picture("reconstructions", reconstruction_picture, _RECONSTRUCTS),
    Picture("translations", domain_translation_picture, _TRANSLATES_DOMAINS),
    Picture("interpolation", interpolation, Requirements(("encode", "decode"))),
    Picture("latent_map", latent_map, Requirements(("encode", "decode"), (HasPrior,))),
    Picture("restorations", restoration_picture, _RESTORES),
)
