"""What captions mean, and how well a run's images show theirs."""

import functools
from collections.abc import Mapping

import numpy as np

from keras_gen import pictures
from keras_gen.data import normalize

from ..context import EvaluationContext
from ..features.text_image_scorer import text_judge
from ..metrics.r_precision import r_precision

# what every caption of `shapes` names; its longer forms name more
FACTORS = ("shape", "color", "texture", "size", "position")
CANDIDATES = 100
JUDGE_SEED = 1_000_003  # added to the run's
SHOWN, EACH = 8, 8  # captions and images of each in the picture


def meanings(batch: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which captions of a batch say the same: integers [num], equal where they do.

    Captions of `shapes` say the same where shape, color, texture, size and position agree, however they say it, and
    whether or not they name rotation and background; those of other data where their normal form is the same.

    Args:
        batch: with `caption`, and for `shapes` with the five factors.
    """
    if all(name in batch for name in FACTORS):
        rows = np.stack([np.asarray(batch[name]) for name in FACTORS], axis=1)
        return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    texts = [normalize(caption) for caption in batch["caption"]]
    return np.unique(texts, return_inverse=True)[1]


def caption_precision(context: EvaluationContext) -> tuple[dict, dict]:
    """`r_precision_test`: how often a judge finds a generated image's caption among 100, and `..._real`, real images';
    `..._baseline` is chance.

    The judge (`text_judge`) is trained on the training images with another seed than the run's. The 99 other captions
    are false for the image, see `meanings`.
    """
    model, split = context.model, context.split
    count = min(context.samples, context.count())
    batch = context.captioned(count)
    train = context.captioned(context.max_images, role="train")
    seed = context.run.config["training"].get("seed", 0) + JUDGE_SEED
    judge = text_judge(
        train["image"],
        train["tokens"],
        vocabulary=model.vocabulary,
        seed=seed,
        progress=functools.partial(context.progress, "training the judge of captions: batches"),
    )
    texts, meaning = np.asarray(judge.embed(batch["tokens"])), meanings(batch)
    # fewer, and the note says so, where the split has not as many that are false for every image
    candidates = min(CANDIDATES, 1 + count - int(np.bincount(meaning).max()))
    metrics, about = {}, {}
    for name, images in (("", context.generated[:count]), ("_real", batch["image"])):
        scores = judge.score(_embedded(judge, images, context)[:, None], texts[None]).numpy()
        found = r_precision(scores, meaning, candidates, context.seed)
        metrics[f"r_precision_{split}{name}"] = found.value
        about[f"r_precision_{split}{name}"] = {
            "unit": "share of images, 0 to 1",
            "images": count,
            "standard_error": found.standard_error,
            "note": f"own caption first among {candidates}, chance {found.chance:.2f}; judge of seed {seed}, trained "
            f"on {len(train['image']):,} images",
        }
    baseline = f"r_precision_{split}_baseline"
    metrics[baseline] = 1 / candidates
    about[baseline] = {"unit": "share of images, 0 to 1", "images": count, "note": "chance: any image with any text"}
    return metrics, about


def captions(context: EvaluationContext) -> np.ndarray:
    """Captions of the split: above each row its text, first the real image and then generated ones, as a picture."""
    model = context.model
    batch = {name: value[:SHOWN] for name, value in context.captioned(SHOWN).items()}
    rows = {}
    for row, caption in enumerate(batch["caption"]):
        made = model.generate(EACH, seed=context.seed, tokens=batch["tokens"][row])
        images = np.concatenate([batch["image"][row : row + 1], made])
        rows[normalize(caption)] = pictures.strip(images, scale=context.zoom)
    return pictures.below(rows)


def _embedded(judge, images: np.ndarray, context: EvaluationContext) -> np.ndarray:
    parts = []
    for start in range(0, len(images), context.batch_size):
        context.progress("embedding images by the judge", start, len(images))
        parts.append(np.asarray(judge.embed_image(images[start : start + context.batch_size])))
    return np.concatenate(parts)
