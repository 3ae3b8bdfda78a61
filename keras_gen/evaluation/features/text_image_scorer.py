"""A joint embedding of images and captions that judges text-to-image models: trained apart from them, and kept."""

import hashlib
import json
import os
from collections.abc import Callable

import keras
import numpy as np

from keras_gen import files
from keras_gen.data.cache.store import Store
from keras_gen.models import JointEmbedding
from keras_gen.models.text2image import preset as text2image

from ..batch_progress import BatchProgress

# all that the weights depend on besides the data and the seed; raise the version where the code changes
SETTINGS = {"version": 2, "steps": 1000, "batch_size": 128, "learning_rate": 1e-3}


def text_judge(
    images: np.ndarray,
    tokens: np.ndarray,
    *,
    vocabulary: tuple[str, ...],
    seed: int,
    folder: str | os.PathLike | None = None,
    settings: dict | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> JointEmbedding:
    """Train the judge, or read it where the same one was trained before.

    It is `keras_gen.models.text2image.preset.joint_embedding` with its default networks. Its seed must not be that of
    the model that it judges: a model could otherwise please its own encoder rather than show its text.

    Args:
        images: of the training split, float32 [num, height, width, channels] in [0, 1].
        tokens: of their captions, integers [num, length].
        vocabulary: the words of the tokens.
        seed: of weights and order.
        folder: where it is kept, under `keras_gen_cache/text_judges`; None is `$XDG_CACHE_HOME/keras_gen/text_judges`
            or `~/.cache/keras_gen/text_judges`.
        settings: changes to `SETTINGS`; they are part of its key.
        progress: called with (batches done, all of them) in training.

    Raises:
        ValueError: for unknown settings.
    """
    settings = {**SETTINGS, **(settings or {})}
    if unknown := set(settings) - set(SETTINGS):
        raise ValueError(f"Unknown settings {', '.join(sorted(unknown))}; known: {', '.join(SETTINGS)}")
    file = Store(folder).folder / "text_judges" / f"{_key(settings, seed, vocabulary, images, tokens)}.npz"
    judge = text2image.joint_embedding(images.shape[1:], seed, vocabulary=vocabulary, length=int(tokens.shape[1]))
    if file.exists():
        with np.load(file) as kept:
            judge.set_weights([kept[f"weight_{i}"] for i in range(len(judge.weights))])
        return judge
    rows = _Shuffled(images, tokens, settings, seed)
    judge.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(settings["learning_rate"], len(rows))))
    judge.fit(rows, shuffle=False, verbose=0, callbacks=[BatchProgress(progress, len(rows))])
    with files.replacing(file) as scratch:
        np.savez(scratch, **{f"weight_{i}": weight for i, weight in enumerate(judge.get_weights())})
    return judge


class _Shuffled(keras.utils.PyDataset):
    """As many batches as there are steps, pass after pass, each in an order that the seed decides."""

    def __init__(self, images: np.ndarray, tokens: np.ndarray, settings: dict, seed: int):
        super().__init__()
        self.images, self.tokens = images, tokens
        self.size, self.steps = min(settings["batch_size"], len(images)), settings["steps"]
        generator = np.random.Generator(np.random.Philox(key=seed))
        each = len(images) // self.size
        self.orders = [generator.permutation(len(images)) for _ in range(-(-self.steps // each))]

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        order, place = divmod(index, len(self.images) // self.size)
        rows = np.sort(self.orders[order][place * self.size : (place + 1) * self.size])
        return {"image": np.asarray(self.images[rows], np.float32), "tokens": np.asarray(self.tokens[rows], np.int32)}


def _key(settings: dict, seed: int, vocabulary, *arrays: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps([settings, seed, list(vocabulary)], sort_keys=True).encode())
    for array in arrays:
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
