"""What is measured and drawn: each row fits the systems that offer what it needs. A new metric is a row here."""

import dataclasses
from collections.abc import Callable

import numpy as np

from .context import EvaluationContext
from .evaluators.attribute_translation import attribute_translation, attribute_translations
from .evaluators.captions import caption_precision, captions
from .evaluators.categories import category_error
from .evaluators.domain_translation import cycle, known_counterparts, transferred, translations
from .evaluators.elbo import bound
from .evaluators.historical import historical
from .evaluators.information import information
from .evaluators.likelihood import likelihood
from .evaluators.puzzle import key_patches, restorations, tile_grid
from .evaluators.reconstruction import reconstruction, reconstructions
from .evaluators.samples import generated, neighbors, samples
from .evaluators.stacked_modes import stacked_modes
from .figures.interpolation import interpolation
from .figures.latent_map import latent_map
from .figures.stages import stages
from .metrics.active_units import active_units


@dataclasses.dataclass(frozen=True)
class Offer:
    """What a model must have.

    Attributes:
        endpoints: names of endpoints.
        attributes: names of attributes.
    """

    endpoints: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def fits(self, model) -> bool:
        """Whether the model has all of it."""
        offered = {endpoint.name for endpoint in model.endpoints()}
        return offered.issuperset(self.endpoints) and all(hasattr(model, name) for name in self.attributes)


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """A group of metrics.

    Attributes:
        name: what it measures.
        measure: EvaluationContext -> (metrics {name: number, or None where it cannot be given}, about {name: dict}). `about` has
            `unit`, sample sizes (`images`, `samples`, ...) and, with None, the `reason`.
        needs: the models that it fits.
    """

    name: str
    measure: Callable[[EvaluationContext], tuple[dict, dict]]
    needs: Offer


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, written as `evaluation/<name>.png`.

    Attributes:
        name: its name.
        draw: EvaluationContext -> uint8 [height, width, channels].
        needs: the models that it fits.
    """

    name: str
    draw: Callable[[EvaluationContext], np.ndarray]
    needs: Offer


EVALUATORS = (
    Evaluator("bound", bound, Offer(("reconstruct",))),
    Evaluator("information", information, Offer(attributes=("posterior_draws", "prior"))),
    Evaluator("log-likelihood", likelihood, Offer(attributes=("posterior_draws", "log_likelihood", "likelihood"))),
    Evaluator("active units", active_units, Offer(("encode",), ("posterior_draws",))),
    Evaluator("reconstruction", reconstruction, Offer(("reconstruct",))),
    Evaluator("category error", category_error, Offer(("infer",), ("num_categories",))),
    Evaluator("category error", category_error, Offer(("classify",), ("num_categories",))),
    Evaluator("R-precision", caption_precision, Offer(("embed", "generate"))),
    Evaluator("attribute translation", attribute_translation, Offer(("translate", "classify"), ("vocabulary",))),
    Evaluator("samples", samples, Offer(("generate",))),
    Evaluator("modes", stacked_modes, Offer(("generate",))),
    Evaluator("cycle", cycle, Offer(("a_to_b", "b_to_a"))),
    Evaluator("transfer", transferred, Offer(("a_to_b", "b_to_a"))),
    Evaluator("counterfactuals", known_counterparts, Offer(("a_to_b", "b_to_a"))),
    Evaluator("Parzen windows", historical, Offer(("generate",))),
    Evaluator("key patches", key_patches, Offer(("restore",), ("part_encoder",))),
    Evaluator("tile grid", tile_grid, Offer(("restore",), ("tile_placer",))),
)

PICTURES = (
    Picture("samples", generated, Offer(("generate",))),
    Picture("stages", stages, Offer(("generate",), ("stable_stage",))),
    Picture("captions", captions, Offer(("embed", "generate"))),
    Picture("neighbors", neighbors, Offer(("generate",))),
    Picture("translations", attribute_translations, Offer(("translate",), ("vocabulary",))),
    Picture("reconstructions", reconstructions, Offer(("reconstruct",))),
    Picture("translations", translations, Offer(("a_to_b", "b_to_a"))),
    Picture("interpolation", interpolation, Offer(("encode", "decode"))),
    Picture("latent_map", latent_map, Offer(("encode", "decode"), ("prior",))),
    Picture("restorations", restorations, Offer(("restore",))),
)
