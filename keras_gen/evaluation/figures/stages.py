"""A picture of a growing model: images of the same noise at every resolution."""

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext

NUM_ROWS = 8


def stages(context: EvaluationContext) -> np.ndarray:
    """Draws a row for each noise vector and a column for each stage, all enlarged to the last resolution.

    Returns:
        uint8 [height, width, channels].
    """
    model, conditions = context.model, context.conditions(NUM_ROWS)
    columns = []
    for stage in range(model.stable_stage + 1):
        images = model.generate(NUM_ROWS, seed=context.seed, stage=stage, **conditions)
        factor = model.image_shape[0] // images.shape[1]
        columns.append(images.repeat(factor, axis=1).repeat(factor, axis=2))
    images = np.stack(columns, axis=1)
    return pictures.grid(images.reshape(-1, *model.image_shape), columns=len(columns), scale=context.zoom)
