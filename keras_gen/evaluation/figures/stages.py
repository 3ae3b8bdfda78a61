"""The picture of a model that grows: the same noise at every stage."""

import numpy as np

from keras_gen import pictures

from ..context import EvaluationContext

ROWS = 8


def stages(context: EvaluationContext) -> np.ndarray:
    """A row for each draw of the noise, a column for each stage, all at the size of the last one."""
    model, told = context.model, context.conditions(ROWS)
    columns = []
    for stage in range(model.stable_stage + 1):
        images = model.generate(ROWS, seed=context.seed, stage=stage, **told)
        times = model.image_shape[0] // images.shape[1]
        columns.append(images.repeat(times, axis=1).repeat(times, axis=2))
    images = np.stack(columns, axis=1)
    return pictures.grid(images.reshape(-1, *model.image_shape), columns=len(columns), scale=context.zoom)
