"""Text to image: do the images show what their captions say? Factors of `shapes`, R-precision, and the ablations.

usage: python -m benchmarks.text2image NAME [--seed 1] [--seconds 1200] [--encoder-epochs 15] [--data-dir DIR]
       python -m benchmarks.text2image twemoji[_with_vae] --folder FOLDER     (written by benchmarks.twemoji_folder)

The text encoder is pretrained in a joint embedding, which is saved for further runs of the same seed. Then the GAN is
trained for `--seconds` of processor time; its learning rates fall to 0 over the second half. On `shapes` both are
trained on the split `train_seen`, which has none of the pairs of shape and color in `HELD_OUT`.

Generated images are measured by classifiers of shape, color and texture and, for the R-precision, by a joint embedding
of another seed. Both are trained on real images of all pairs and saved. Every accuracy is reported next to that on the
real images of the same captions. Writes benchmarks/results/text2image_NAME.json (a run for each seed) and
pictures/text2image_NAME.png; weights go to runs/benchmarks/.
"""

import argparse
import dataclasses
import json
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks import record
from keras_gen import data, pictures, zoo
from keras_gen.batching import map_batches
from keras_gen.data import FACTORS, HELD_OUT
from keras_gen.evaluation.evaluators.captions import caption_classes
from keras_gen.evaluation.features.text_image_scorer import train_text_image_scorer
from keras_gen.evaluation.metrics.r_precision import r_precision
from keras_gen.models.text2image.preset import joint_embedding, vae_of

from .budget import Budget
from .shapes_factors import Epoch, convolutions, shifted

WEIGHTS = pathlib.Path("runs/benchmarks")
SHAPE, LENGTH = (32, 32, 3), 16
CLASSIFIED_FACTORS = ("shape", "color", "texture")
SCORER_SEED, CLASSIFIER_EPOCHS = 77, 10
CANDIDATES = 100


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One experiment.

    Attributes:
        settings: Settings of `text2image`, without vocabulary and length.
        rates: Player -> initial learning rate of Adam.
        batch_size: Images in a step.
        as_vae: Fraction of the time in which the generator is pretrained as the decoder of a VAE, in batches of 64.
        shapes: Whether the data are `shapes`, or else a folder with captions.
    """

    settings: dict = dataclasses.field(default_factory=dict)
    rates: dict[str, float] = dataclasses.field(default_factory=lambda: dict(RATES))
    batch_size: int = 64
    as_vae: float = 0.0
    shapes: bool = True

    @property
    def noise(self) -> float:
        """Standard deviation of the noise on images in the pretraining of the encoders."""
        return self.settings.get("matching_noise", 0.0)


# a slower discriminator remains at chance level before shapes have outlines
RATES = {"discriminator": 1e-3, "generator": 5e-4}
STABLE = {
    **{"base_filters": 32, "penalty": {"name": "r1", "gamma": 4.0}, "interpolate": True},
    **{"modulated": False, "vae": None, "style_weight": 0.0},
}
GUIDED = {**STABLE, "interpolate": False, "matching_weight": 2.0, "matching_noise": 0.2}
# without a matching loss: with it, R-precision is high but shapes have no outlines (RESULTS.md, `guided`)
BY_VAE = {**STABLE, "interpolate": False, "modulated": True, "vae": {"scale": 0.2}}
LATER = {"discriminator": 1e-3, "generator": 2e-4}
CONFIGURATIONS = {
    # GAN-CLS and GAN-INT as in the paper
    "full": Configuration(STABLE),
    # a matching loss for the generator, by an encoder that has seen noise; more and smaller steps
    "guided": Configuration(GUIDED, batch_size=32),
    # starts from the decoder of a VAE; the VAE's terms are added to the adversarial losses
    "with_vae": Configuration({**BY_VAE, "style_weight": 0.04}, LATER, batch_size=32, as_vae=0.8),
    # pixels with a smaller standard deviation, so that the code carries more details
    "with_sharper_vae": Configuration(
        {**BY_VAE, "vae": {"scale": 0.14}, "style_weight": 0.04}, LATER, batch_size=32, as_vae=0.8
    ),
    # the pretrained decoder without adversarial training; `--seconds` is such that it is the decoder of `with_vae`
    "vae_alone": Configuration({**BY_VAE, "style_weight": 0.04}, LATER, batch_size=32, as_vae=1.0),
    # the ablations, all for the same short time
    "short": Configuration(STABLE),
    "without_matching": Configuration({**STABLE, "matching_aware": False}),
    "without_interpolation": Configuration({**STABLE, "interpolate": False}),
    "plain": Configuration({**STABLE, "matching_aware": False, "interpolate": False}),
    "twemoji": Configuration({**STABLE, "matching_weight": 1.0}, shapes=False),
    "twemoji_with_vae": Configuration({**BY_VAE, "style_weight": 0.04}, LATER, batch_size=32, as_vae=0.8, shapes=False),
}


@dataclasses.dataclass(frozen=True)
class Source:
    """A source of images and captions.

    Attributes:
        name: Name of the source in names of saved files.
        data: The source for `keras_gen.data.load`.
        splits: Role -> split.
        options: Further arguments of `load`.
    """

    name: str
    data: str
    splits: dict[str, str]
    options: dict

    def load(self, role: str, batch_size: int, **options) -> tf.data.Dataset:
        """Returns a split in batches."""
        return data.load(self.data, self.splits[role], image_shape=SHAPE, batch_size=batch_size,
                         **{**self.options, **options})  # fmt: skip

    def all(self, role: str, **options) -> dict[str, np.ndarray]:
        """Returns a split as arrays, in its order."""
        batches = list(self.load(role, 2000, shuffle=False, **options).as_numpy_iterator())
        return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def source_of(args) -> Source:
    """Returns `shapes`, or the folder of `--folder`."""
    if CONFIGURATIONS[args.name].shapes:
        splits = {"train": "train_seen", "scorers": "train", "seen": "test_seen", "held_out": "test_unseen"}
        return Source("shapes", "shapes", splits, {"data_dir": args.data_dir})
    if not args.folder:
        raise SystemExit(f"{args.name}: expected --folder; write one with benchmarks.twemoji_folder")
    return Source("twemoji", args.folder, {"train": "train", "scorers": "train", "held_out": "test"}, {})


class Report(keras.callbacks.Callback):
    """Prints the metrics of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        print(epoch + 1, *(f"{name} {value:.3f}" for name, value in (logs or {}).items()), flush=True)


def fit_for(seconds: float, model, batches) -> int:
    """Trains a model for a processor time, and returns the number of steps."""
    budget = Budget(seconds)
    model.fit(batches, epochs=10_000, verbose=0, callbacks=[budget, Report()])
    return budget.done


def encoder(source: Source, seed: int, epochs: int, noise: float):
    """Returns the joint embedding with the text encoder of the GAN; trained once per source, seed and noise."""
    file = WEIGHTS / f"text2image_encoder_{source.name}_{seed}_{epochs}_{noise}.keras"
    if file.exists():
        return keras.saving.load_model(file)
    captions = source.all("train", fields=("caption",))["caption"]
    vocabulary = data.build_vocabulary(captions)
    joint = joint_embedding(SHAPE, seed, vocabulary=vocabulary, length=LENGTH, image_noise=noise)
    train = source.load(
        "train", 128, seed=seed, drop_remainder=True, fields=("image", "tokens"), tokens=joint.tokenizer_config()
    )
    joint.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(train))))
    joint.fit(train, epochs=epochs, verbose=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    joint.save(file)
    return joint


def decoder(source: Source, model, options: dict, seed: int, seconds: float):
    """Returns the VAE whose decoder the generator starts from; trained once per seed and duration."""
    file = WEIGHTS / f"text2image_vae_{source.name}_{seed}_{model.style_scale}_{seconds:.0f}.keras"
    if file.exists():
        return keras.saving.load_model(file)
    vae = vae_of(model, seed, scale=model.style_scale)
    fit_for(seconds, vae, source.load("train", 64, fields=("image", "tokens"), **options))
    file.parent.mkdir(parents=True, exist_ok=True)
    vae.save(file)
    return vae


def train(source: Source, it: Configuration, joint, seed: int, seconds: float):
    """Returns the trained GAN and a summary of its training."""
    work, options = time.process_time(), {"seed": seed, "drop_remainder": True, "tokens": joint.tokenizer_config()}
    batches = source.load("train", it.batch_size, fields=("image", "tokens"), **options)
    model = zoo.build("text2image", SHAPE, seed=seed, **joint.tokenizer_config(), **it.settings)
    model.load_pretrained(joint)
    vae_steps = 0
    if it.as_vae:
        vae = decoder(source, model, options, seed, it.as_vae * seconds)
        vae_steps = int(vae.optimizer.iterations)
        model.load_pretrained(vae)
    model.compile({player: keras.optimizers.Adam(rate, 0.5) for player, rate in it.rates.items()})
    steps = fit_for((1 - it.as_vae) * seconds, model, batches) if it.as_vae < 1 else 0
    about = {
        "steps_as_vae": vae_steps,
        "steps": steps,
        "epochs": round(steps / len(batches), 1),
        "train_minutes": round(seconds / 60, 1),
        "processor_minutes": round((time.process_time() - work) / 60, 1),
        "parameters": model.generator.count_params() + model.trunk.count_params() + model.head.count_params(),
    }
    return model, about


def factor_classifier(source: Source) -> keras.Model:
    """Returns classifiers of shape, color and texture with shared convolutions: images - 0.5 -> logits by factor."""
    file = WEIGHTS / f"text2image_classifier_{SCORER_SEED}_{CLASSIFIER_EPOCHS}.keras"
    if file.exists():
        return keras.saving.load_model(file)
    keras.utils.set_random_seed(SCORER_SEED)
    image = keras.Input(SHAPE, name="object")
    x = convolutions(image, ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)))
    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    classifier = keras.Model(
        image, {name: keras.layers.Dense(len(FACTORS[name]), name=name)(x) for name in CLASSIFIED_FACTORS}
    )
    train = source.load("scorers", 64, seed=SCORER_SEED, fields=("image", *CLASSIFIED_FACTORS))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, CLASSIFIER_EPOCHS * len(train))
    losses = {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in CLASSIFIED_FACTORS}
    classifier.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss=losses)
    pairs = train.map(lambda batch: (shifted(batch["image"]) - 0.5, {name: batch[name] for name in CLASSIFIED_FACTORS}))
    classifier.fit(pairs, epochs=CLASSIFIER_EPOCHS, verbose=2, shuffle=False, callbacks=[Epoch(train)])
    file.parent.mkdir(parents=True, exist_ok=True)
    classifier.save(file)
    return classifier


def measure(source: Source, it: Configuration, model, joint, seed: int) -> dict:
    """Returns accuracies of factors and R-precisions of generated and real images, by split."""
    train = source.all("scorers", fields=("image", "tokens"), tokens=joint.tokenizer_config())
    scorer = train_text_image_scorer(
        model.new_text_image_scorer(SCORER_SEED + seed),
        train["image"],
        train["tokens"],
        seed=SCORER_SEED + seed,
        folder=WEIGHTS,
    )
    results: dict[str, dict] = {}
    for role in [role for role in source.splits if role not in ("train", "scorers")]:
        split = source.all(role, tokens=joint.tokenizer_config())
        generated = model.generate(len(split["image"]), seed=seed, tokens=split["tokens"])
        results[role] = {"images": len(generated)}
        for name, images in (("generated", generated), ("real", split["image"])):
            texts = np.asarray(scorer.embed(split["tokens"]))
            embeddings = map_batches(lambda rows, images=images: scorer.embed_image(images[rows]), len(images), 500)
            scores = scorer.score(embeddings[:, None], texts[None]).numpy()
            precision = r_precision(scores, caption_classes(split), CANDIDATES, seed)
            results[role][name] = {"r_precision": precision.value, "r_precision_error": precision.standard_error}
            if it.shapes:
                logits = factor_classifier(source).predict(images - 0.5, verbose=0)
                results[role][name] |= {
                    factor: float(np.mean(logits[factor].argmax(-1) == split[factor])) for factor in CLASSIFIED_FACTORS
                }
    return results


def picture(source: Source, model, joint, rows: int = 12, num: int = 8) -> np.ndarray:
    """Returns a picture with a strip for each of some held-out captions: the real image, then generated ones."""
    split = source.all("held_out", fields=("image", "caption", "tokens"), tokens=joint.tokenizer_config())
    # evenly over the split, which may be ordered by class
    chosen = np.linspace(0, len(split["image"]) - 1, rows).astype(int)
    strips = []
    for row in chosen:
        generated = model.generate(num, seed=1, tokens=split["tokens"][row])
        images = np.concatenate([split["image"][row : row + 1], generated])
        strip = pictures.strip(images, scale=2)
        strips.append(pictures.vstack({data.normalize(split["caption"][row]): strip}, pad=3))
    width = max(strip.shape[1] for strip in strips)
    strips = [np.pad(s, [[0, 0], [0, width - s.shape[1]], [0, 0]], constant_values=255) for s in strips]
    sides = [np.concatenate(part) for part in (strips[: rows // 2], strips[rows // 2 :])]
    height = max(side.shape[0] for side in sides)
    filled = [np.pad(s, [[0, height - s.shape[0]], [0, 8], [0, 0]], constant_values=255) for s in sides]
    return np.concatenate(filled, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CONFIGURATIONS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1200, help="of the GAN's training")
    parser.add_argument("--encoder-epochs", type=int, default=15)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--folder", help="folder of captioned images, for twemoji")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    it, source = CONFIGURATIONS[args.name], source_of(args)
    start = time.perf_counter()
    joint = encoder(source, args.seed, args.encoder_epochs, it.noise)
    encoder_minutes = round((time.perf_counter() - start) / 60, 1)
    model, about = train(source, it, joint, args.seed, args.seconds)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    model.save(WEIGHTS / f"text2image_{args.name}_{args.seed}.keras")
    pictures.save(record.RESULTS / "pictures" / f"text2image_{args.name}.png", picture(source, model, joint))
    result = {
        "measures": measure(source, it, model, joint, args.seed),
        **about,
        "encoder_epochs": args.encoder_epochs,
        "encoder_minutes": encoder_minutes,  # near 0 if it was loaded
    }
    name = f"text2image_{args.name}"
    content = {
        "what": "images generated from captions: accuracy of factors by a classifier, and R-precision (own caption "
        f"first among {CANDIDATES}) by a joint embedding of another seed; next to both on real images",
        "held_out": [" ".join(reversed(pair)) for pair in HELD_OUT] if it.shapes else "a tenth of the captions",
        "settings": {"rates": it.rates, "batch_size": it.batch_size, **it.settings},
    }
    print(json.dumps(result, indent=2))
    print("written to", record.write_run(name, args.seed, result, content))


if __name__ == "__main__":
    main()
