"""R-precision: whether generated images show their captions."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen import pictures
from keras_gen.batching import map_batches
from keras_gen.data import normalize

from ..context import EvaluationContext
from ..features.text_image_scorer import train_text_image_scorer
from ..metrics.r_precision import r_precision
from ..types import About, Metrics

# the factors that every caption of `shapes` names; longer captions name more
FACTORS = ("shape", "color", "texture", "size", "position")
CANDIDATES = 100
SCORER_SEED = 1_000_003  # added to the run's seed
NUM_CAPTIONS, IMAGES_PER_CAPTION = 8, 8  # in the picture
UNIT = "fraction of images, 0 to 1"


def caption_classes(batch: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the equivalence class of each caption: captions of one class describe the same images.

    Captions of `shapes` are equivalent if shape, color, texture, size and position agree, whatever their wording and
    whether or not they name rotation and background. Captions of other data are equivalent if their normalized texts
    are equal.

    Args:
        batch: with `caption`, and for `shapes` with the five factors.

    Returns:
        integers [num].
    """
    if all(name in batch for name in FACTORS):
        rows = np.stack([np.asarray(batch[name]) for name in FACTORS], axis=1)
        return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    texts = [normalize(caption) for caption in batch["caption"]]
    return np.unique(texts, return_inverse=True)[1]


def caption_precision(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes `r_precision_test`, how often a scorer ranks the caption of a generated image first among 100.

    `r_precision_test_real` is the same for real images, and `..._baseline` is chance. The scorer, a joint embedding
    that the model declares, is trained on the training images with a seed other than the run's. The 99 other captions
    do not describe the image, see `caption_classes`.
    """
    model, split = context.model, context.split
    count = min(context.samples, context.count())
    batch = context.caption_batch(count)
    train = context.caption_batch(context.max_images, role="train")
    seed = context.run.config["training"].get("seed", 0) + SCORER_SEED
    scorer = train_text_image_scorer(
        model.new_text_image_scorer(seed),
        train["image"],
        train["tokens"],
        seed=seed,
        progress=functools.partial(context.progress, "training the text-image scorer: batches"),
    )
    texts, classes = np.asarray(scorer.embed(batch["tokens"])), caption_classes(batch)
    # fewer candidates where the split has too few captions that are false for every image
    candidates = min(CANDIDATES, 1 + count - int(np.bincount(classes).max()))
    metrics: Metrics = {}
    about: About = {}
    for suffix, images in (("", context.generated_images[:count]), ("_real", batch["image"])):
        scores = scorer.score(_embed_images(scorer, images, context)[:, None], texts[None]).numpy()
        precision = r_precision(scores, classes, candidates, context.seed)
        metrics[f"r_precision_{split}{suffix}"] = precision.value
        about[f"r_precision_{split}{suffix}"] = {
            "unit": UNIT,
            "images": count,
            "standard_error": precision.standard_error,
            "note": f"own caption first among {candidates}, chance {precision.chance:.2f}; scorer of seed {seed}, "
            f"trained on {len(train['image']):,} images",
        }
    baseline = f"r_precision_{split}_baseline"
    metrics[baseline] = 1 / candidates
    about[baseline] = {"unit": UNIT, "images": count, "note": "chance: images that are independent of the captions"}
    return metrics, about


def caption_picture(context: EvaluationContext) -> np.ndarray:
    """Draws captions of the split, each above its real image and generated ones: uint8 [height, width, channels]."""
    model = context.model
    batch = {name: value[:NUM_CAPTIONS] for name, value in context.caption_batch(NUM_CAPTIONS).items()}
    rows = {}
    for row, caption in enumerate(batch["caption"]):
        generated = model.generate(IMAGES_PER_CAPTION, seed=context.seed, tokens=batch["tokens"][row])
        images = np.concatenate([batch["image"][row : row + 1], generated])
        rows[normalize(caption)] = pictures.strip(images, scale=context.zoom)
    return pictures.vstack(rows)


def _embed_images(scorer: Any, images: np.ndarray, context: EvaluationContext) -> np.ndarray:
    progress = functools.partial(context.progress, "embedding images with the scorer")
    return map_batches(lambda rows: scorer.embed_image(images[rows]), len(images), context.batch_size, progress)
