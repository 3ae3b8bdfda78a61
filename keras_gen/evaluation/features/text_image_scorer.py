"""The text-image scorer: a joint embedding of images and captions, trained independently of the evaluated model."""

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_gen.data.cache.store import Store

from ..batch_progress import BatchProgress
from ..seeding import seeded_generator
from ..types import Progress, no_progress
from .stored_weights import load_weights, save_weights

# everything that the weights depend on besides data and seed; increase the version when the code changes
SETTINGS: dict[str, Any] = {"version": 2, "steps": 1000, "batch_size": 128, "learning_rate": 1e-3}


def train_text_image_scorer(
    scorer: Any,
    images: np.ndarray,
    tokens: np.ndarray,
    *,
    seed: int,
    folder: str | os.PathLike | None = None,
    settings: dict[str, Any] | None = None,
    progress: Progress = no_progress,
) -> Any:
    """Trains a joint embedding, or loads its weights from the cache.

    The seed must differ from that of the evaluated model: a model could otherwise fit its own encoder rather than show
    the text.

    Args:
        scorer: an untrained joint embedding with `vocabulary`, `embed`, `embed_image` and `score`, as a model's
            `new_text_image_scorer(seed)` returns it.
        images: of the training split, float32 [num, height, width, channels] in [0, 1].
        tokens: of their captions, integers [num, length].
        seed: seed of the scorer's weights and of the order.
        folder: the cache is `keras_gen_cache/text_image_scorers` in it; None is
            `$XDG_CACHE_HOME/keras_gen/text_image_scorers` or `~/.cache/keras_gen/text_image_scorers`.
        settings: changes to `SETTINGS`; they are part of the key.
        progress: called with (batches done, total) in training.

    Returns:
        the scorer.

    Raises:
        ValueError: for unknown settings.
    """
    settings = {**SETTINGS, **(settings or {})}
    if unknown := set(settings) - set(SETTINGS):
        raise ValueError(f"Expected settings from {', '.join(SETTINGS)}; received {', '.join(sorted(unknown))}")
    key = _fingerprint(settings, seed, scorer.vocabulary, images, tokens)
    file = Store(folder).folder / "text_image_scorers" / f"{key}.npz"
    if load_weights(file, scorer) is not None:
        return scorer
    batches = _ShuffledBatches(images, tokens, settings, seed)
    learning_rate = keras.optimizers.schedules.CosineDecay(settings["learning_rate"], len(batches))
    scorer.compile(keras.optimizers.Adam(learning_rate))
    scorer.fit(batches, shuffle=False, verbose=0, callbacks=[BatchProgress(progress, len(batches))])
    save_weights(file, scorer)
    return scorer


class _ShuffledBatches(keras.utils.PyDataset):
    """A number of batches over several passes through the data, each in an order that depends on the seed."""

    def __init__(self, images: np.ndarray, tokens: np.ndarray, settings: dict[str, Any], seed: int):
        super().__init__()
        self.images, self.tokens = images, tokens
        self.batch_size, self.steps = min(settings["batch_size"], len(images)), settings["steps"]
        generator = seeded_generator(seed)
        num_passes = -(-self.steps // (len(images) // self.batch_size))
        self.orders = [generator.permutation(len(images)) for _ in range(num_passes)]

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        number, batch = divmod(index, len(self.images) // self.batch_size)
        rows = np.sort(self.orders[number][batch * self.batch_size : (batch + 1) * self.batch_size])
        return {"image": np.asarray(self.images[rows], np.float32), "tokens": np.asarray(self.tokens[rows], np.int32)}


def _fingerprint(settings: dict[str, Any], seed: int, vocabulary: Sequence[str], *arrays: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps([settings, seed, list(vocabulary)], sort_keys=True).encode())
    for array in arrays:
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
