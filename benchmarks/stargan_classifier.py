"""How StarGAN's classifier learns next to the critic, with which it shares a trunk: weights, rates and a warm-up.

usage: python -m benchmarks.stargan_classifier expressions [--variants weight_1 weight_10] [--updates 500] [--seed 1]
       python -m benchmarks.stargan_classifier skin_tones --zip twemoji.zip
       python -m benchmarks.stargan_classifier colors [--data-dir DIR]

Trains each variant of a configuration of `benchmarks.stargan` for the same number of updates, and measures it on
validation images, which are not those of `benchmarks.stargan`. `alone` trains the discriminator's classifier without
the critic and the generator. Writes benchmarks/results/stargan_classifier.json, and pictures to runs/benchmarks/.
"""

import argparse
import dataclasses
import json
import time
from typing import Any

import keras
import numpy as np

from benchmarks import record
from benchmarks.budget import Budget
from benchmarks.image_classifier import ImageClassifier
from benchmarks.stargan import CONFIGURATIONS, WEIGHTS, Configuration, Domains, batches, picture, translations
from keras_gen import pictures, zoo
from keras_gen.evaluation.metrics.counterfactual_error import counterfactual_errors
from keras_gen.models import StarGAN


@dataclasses.dataclass(frozen=True)
class Variant:
    """Settings that are compared.

    Attributes:
        weight: `classification_weight`.
        warmup: Fraction of the updates that are the classifier's warm-up.
        critic_rate: Learning rate of the discriminator, relative to the generator's.
        reconstruction: `reconstruction_weight`.
        penalty: `penalty_weight`.
    """

    weight: float = 1.0
    reconstruction: float = 10.0
    penalty: float = 10.0
    warmup: float = 0.0
    critic_rate: float = 1.0


VARIANTS = {
    "weight_1": Variant(),
    # as if the penalty were that of the mean of the critic map instead of four times the mean, all divided by 4
    "mean_penalty": Variant(weight=0.25, reconstruction=2.5, penalty=2.5),
    "mean_penalty_weight_10": Variant(weight=2.5, reconstruction=2.5, penalty=2.5),
    "weight_3": Variant(weight=3.0),
    "weight_10": Variant(weight=10.0),
    "weight_30": Variant(weight=30.0),
    "critic_rate_quarter": Variant(critic_rate=0.25),
    "critic_rate_4": Variant(critic_rate=4.0),
    "warmup": Variant(warmup=0.2),
    "weight_3_warmup": Variant(weight=3.0, warmup=0.2),
    "weight_10_warmup": Variant(weight=10.0, warmup=0.2),
}


def build(it: Configuration, variant: Variant, domains: Domains, updates: int, seed: int) -> StarGAN:
    """Returns the compiled model of a variant."""
    system = zoo.get("stargan")
    system = dataclasses.replace(system, learning_rate_multipliers={"discriminator": variant.critic_rate})
    settings: dict[str, Any] = {
        **it.settings,
        "groups": [len(domains.names)],
        "attribute_names": list(domains.names),
        "classification_weight": variant.weight,
        "reconstruction_weight": variant.reconstruction,
        "penalty_weight": variant.penalty,
        "classifier_warmup": round(variant.warmup * updates),
    }
    shape = domains.train[0].shape[1:]
    return zoo.build_system(system, shape, seed=seed, learning_rate=it.learning_rate, **settings)


def train(model: StarGAN, it: Configuration, domains: Domains, updates: int, seed: int) -> dict[str, float]:
    """Trains a model and returns the metrics of the last epoch; the learning rate falls to 0 over the second half."""
    dataset, steps = batches(domains, it, seed)
    history = model.fit(
        dataset, epochs=updates, steps_per_epoch=min(100, steps), verbose=0, callbacks=[Budget(steps=updates)]
    ).history
    for index in range(0, len(history["real_accuracy"]), 2):
        print({name: round(float(values[index]), 3) for name, values in history.items()}, flush=True)
    return {name: float(values[-1]) for name, values in history.items()}


def train_alone(model: StarGAN, it: Configuration, domains: Domains, seed: int) -> int:
    """Trains the discriminator's classifier for one epoch without the critic, and returns the number of updates."""
    network = keras.Model(model.discriminator.inputs, model.discriminator.outputs[1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(it.learning_rate, 0.5, 0.999), loss)
    dataset, steps = batches(domains, it, seed)
    network.fit(
        dataset.map(lambda batch: (batch["image"], batch["label"])), steps_per_epoch=steps, shuffle=False, verbose=0
    )
    return steps


def own_accuracy(model: StarGAN, domains: Domains) -> float:
    """Returns the accuracy of the discriminator's classifier on held-out images.

    Domains count by their share of the training images: for always the same answer it is the share of that domain.
    """
    images = domains.counterfactuals
    shares = np.bincount(domains.train[1], minlength=len(domains.names)) / len(domains.train[1])
    right = [
        np.mean(model.classify(images[:, index]).numpy().argmax(1) == index) for index in range(len(domains.names))
    ]
    return float(shares @ right)


def measure(model: StarGAN, domains: Domains, classifier: ImageClassifier) -> dict[str, float]:
    """Returns how many translations a classifier of real images assigns to their target, and their errors."""
    images, count = domains.counterfactuals, len(domains.names)
    outputs = translations(model, images)
    other = ~np.eye(count, dtype=bool)[None].repeat(len(images), 0)
    inputs = np.broadcast_to(images[:, :, None], outputs.shape)[other]
    truth = np.broadcast_to(images[:, None], outputs.shape)[other]
    source = np.broadcast_to(np.arange(count)[:, None], other.shape)[other]
    target = np.broadcast_to(np.arange(count), other.shape)[other]
    back = model.translate(outputs[other], np.eye(count, dtype=np.float32)[source])
    return {
        "translated": 1 - classifier.error(outputs[other], target),
        "counterfactual_ratio": counterfactual_errors(inputs, outputs[other], truth[None]).ratio,
        "round_trip_error": float(np.abs(back - inputs).mean()),
        "identity_error": float(np.abs(outputs[~other] - images.reshape(-1, *images.shape[2:])).mean()),
    }


def run(name: str, args: argparse.Namespace) -> None:
    """Trains and measures the variants of a configuration, and writes each result."""
    it = CONFIGURATIONS[name]
    domains = it.domains(args, it.size, validation=True)
    images = domains.counterfactuals
    classifier = it.classifier(domains)
    labels = np.tile(np.arange(len(domains.names)), len(images))
    common = {
        "most_frequent": float(np.bincount(domains.train[1]).max() / len(domains.train[1])),
        "independent_classifier": 1 - classifier.error(images.reshape(-1, *images.shape[2:]), labels),
    }
    print(common, flush=True)
    for key in args.variants:
        variant = VARIANTS.get(key, VARIANTS["weight_1"])
        model, start = build(it, variant, domains, args.updates, args.seed), time.process_time()
        if key == "alone":
            result: dict[str, Any] = {"updates": train_alone(model, it, domains, args.seed)}
        else:
            result = {"updates": args.updates, "last": train(model, it, domains, args.updates, args.seed)}
        result["processor_minutes"] = round((time.process_time() - start) / 60, 2)
        result |= {"own_classifier": own_accuracy(model, domains)}
        if key != "alone":
            result |= measure(model, domains, classifier)
            pictures.save(WEIGHTS / f"stargan_classifier_{name}_{key}.png", picture(model, domains, rows=8))
        print(key, json.dumps(result), flush=True)
        label = f"{name}, {key}, {result['updates']} updates, seed {args.seed}"
        file = record.write_run("stargan_classifier", label, {**common, **result}, {})
    print("written to", file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--variants", nargs="+", choices=("alone", *VARIANTS), default=["alone", *VARIANTS])
    parser.add_argument("--zip", help="twemoji.zip, for skin_tones")
    parser.add_argument("--data-dir", help="of TFDS, for colors")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--updates", type=int, default=500)
    args = parser.parse_args()
    run(args.name, args)


if __name__ == "__main__":
    main()
