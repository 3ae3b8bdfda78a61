"""The modes that a run on stacked digits covers."""

import functools

import numpy as np

from ..context import EvaluationContext
from ..features.of_run import is_stacked, label_classifier, single_images
from ..metrics.mode_coverage import mode_coverage, modes_floor
from ..metrics.names import score_name


def stacked_modes(context: EvaluationContext) -> tuple[dict, dict]:
    """`modes_classifier_26k` and `kl_classifier_26k` of 26,000 samples, and what as many draws from the data have.

    A classifier of the single digits looks at each channel. The data's own shares of the modes, which KL(generated ||
    data) is of, are known exactly: each channel is drawn by itself, uniformly from the training digits. Nothing for
    other data. See `mode_coverage`; papers take 26,000 samples.
    """
    if not is_stacked(context):
        return {}, {}
    classifier = label_classifier(context)
    channels, columns = context.generated.shape[3], []
    for channel in range(channels):
        context.progress("classifying channels", channel, channels)
        columns.append(classifier.classify(context.generated[..., [channel]]))
    classes = np.stack(columns, axis=1)
    num_classes = classifier.network.output_shape[-1]
    labels = np.concatenate([batch["label"] for batch in single_images(context, "train").as_numpy_iterator()])
    single = np.bincount(labels, minlength=num_classes) / len(labels)
    data = functools.reduce(np.outer, [single] * classes.shape[1]).reshape(-1)
    found = mode_coverage(classes, num_classes=num_classes, data=data)
    floor = modes_floor(found.samples, len(data), data=data, seed=context.seed)
    modes, kl = (score_name(metric, "classifier", found.samples) for metric in ("modes", "kl"))
    common = {
        "samples": found.samples,
        "features": f"classifier {classifier.key[:12]}, accuracy {classifier.accuracy:.4f} on single images",
    }
    drawn = {"samples": found.samples, "note": f"of {found.samples:,} draws from the data's own modes, by simulation"}
    metrics = {modes: found.covered, f"{modes}_floor": floor.covered, kl: found.kl, f"{kl}_floor": floor.kl}
    about = {
        modes: {"unit": f"modes of {len(data):,}", **common, "note": "modes that at least one sample falls into"},
        f"{modes}_floor": {"unit": f"modes of {len(data):,}", **drawn, "deviation": floor.covered_deviation},
        kl: {"unit": "nats", **common, "note": "KL(generated || data) of the modes' shares"},
        f"{kl}_floor": {"unit": "nats", **drawn, "deviation": floor.kl_deviation},
    }
    return metrics, about
