"""How many latent dimensions carry anything about the image."""

import numpy as np

from ..context import EvaluationContext

THRESHOLD = 0.01


def count_active_units(codes: np.ndarray, threshold: float = THRESHOLD) -> int:
    """Dimensions in which the posterior's mean varies over images: Var_x(E_q(z|x)[z]) > threshold.

    Args:
        codes: posterior means [num, size].
        threshold: the paper's 0.01; the variances of most models lie far above or far below.

    Reference:
        Burda, Grosse, Salakhutdinov 2015, arXiv:1509.00519, section 5.2.
    """
    if len(codes) < 2:
        raise ValueError(f"A variance over images needs at least 2; received {len(codes)}")
    return int(np.sum(np.var(codes, axis=0) > threshold))


def active_units(context: EvaluationContext) -> tuple[dict, dict]:
    """`active_units`, out of the dimensions of a code."""
    codes = context.map(context.model.encode, context.batch(context.max_images))
    about = {
        "unit": f"latent dimensions of {codes.shape[1]}",
        "images": len(codes),
        "note": f"dimensions in which the posterior's mean has a variance over images above {THRESHOLD}",
    }
    return {"active_units": count_active_units(codes)}, {"active_units": about}
