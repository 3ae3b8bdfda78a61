"""One metric of sample quality, measured in a separate process: `resident_mb` before it, `peak_mb` with it, `seconds`.

python -m benchmarks.workers.evaluation_cost METRIC SAMPLES HEIGHT WIDTH CHANNELS
"""

import json
import sys
import time

import numpy as np

from keras_gen import evaluation
from keras_gen.evaluation.features.classifier import FeatureClassifier
from keras_gen.evaluation.metrics.laplacian_swd import laplacian_swd
from keras_gen.evaluation.metrics.ms_ssim import pair_similarity
from keras_gen.evaluation.metrics.parzen import parzen
from keras_gen.evaluation.metrics.sliced_wasserstein import sliced_wasserstein
from keras_gen.evaluation.seeding import seeded_generator
from keras_gen.networks import conv_encoder

from .memory import memory

# of the last hidden layer of the classifier
FEATURES = 128


def images(num: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Returns noise: the cost does not depend on the content of images."""
    return seeded_generator(seed).random((num, *shape), np.float32)


def pixels(num: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Returns two sets of pixels as features."""
    return [images(num, shape, seed).reshape(num, -1) for seed in (0, 1)]


def features(num: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Returns two sets of features of the classifier's size."""
    return pixels(num, (FEATURES,))


def pictures(num: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Returns two sets of images."""
    return [images(num, shape, seed) for seed in (0, 1)]


def classify(first: np.ndarray, second: np.ndarray) -> None:
    """Computes features of both sets by the network of the classifier, with initial weights."""
    classifier = FeatureClassifier(conv_encoder(first.shape[1:], 10, base_filters=32, dense_units=FEATURES), 0.0, "")
    for each in (first, second):
        classifier.features(each)


# metric -> (function that creates both sets, function that computes the metric)
METRICS = {
    "classifier features": (pictures, classify),
    "frechet distance, classifier": (features, evaluation.frechet_distance),
    "kernel distance, classifier": (features, evaluation.kernel_distance),
    "precision, recall, density, coverage, classifier": (features, evaluation.precision_recall),
    "sliced wasserstein, classifier": (features, sliced_wasserstein),
    "frechet distance, pixels": (pixels, evaluation.frechet_distance),
    "kernel distance, pixels": (pixels, evaluation.kernel_distance),
    "precision, recall, density, coverage, pixels": (pixels, evaluation.precision_recall),
    "sliced wasserstein, pixels": (pixels, sliced_wasserstein),
    "pyramid distance": (pictures, laplacian_swd),
    "ms-ssim of pairs": (pictures, lambda first, second: pair_similarity(first)),
    "nearest neighbors": (
        pictures, lambda first, second: evaluation.nearest_neighbors(first, second, first)
    ),
    "parzen windows": (
        pictures, lambda first, second: parzen(first, second, second[:1000], second, sigmas=(0.2,))
    ),
}  # fmt: skip

BY_FEATURES = tuple(metric for metric, (create, _) in METRICS.items() if create is features)


def main(metric: str, num: str, *shape: str) -> None:
    """Prints {"seconds", "resident_mb", "peak_mb"}, or {"reason"} if the metric raises an error."""
    create, measure = METRICS[metric]
    sets = create(int(num), tuple(map(int, shape)))
    before, start = memory()["resident_mb"], time.perf_counter()
    try:
        measure(*sets)
    except ValueError as error:
        print(json.dumps({"reason": str(error)}), flush=True)
        return
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "resident_mb": before, "peak_mb": memory()["peak_mb"]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
