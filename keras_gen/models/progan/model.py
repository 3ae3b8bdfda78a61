"""The Progressive GAN: a generator and a discriminator that grow during training."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.pipeline.epochs import loaded_in
from keras_gen.distributions.noise import draw_noise
from keras_gen.losses import packing

from ..core.ema import update_ema
from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.host import host_value
from ..core.inputs import Shape
from ..core.player import Player, reset_optimizer
from ..gan.model import GAN
from .graph_release import TracedGraphs
from .phases import Growth, Phase, by_resolution, phases
from .progressive import blend, downsample, upsample
from .progressive_discriminator import ProgressiveDiscriminator
from .progressive_generator import ProgressiveGenerator

REFIT_IMAGES = 64  # generated images that the heads of earlier stages are fitted to
PHASE = "phase_number"


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveGAN(GAN):
    """A GAN that begins at a small resolution and doubles it several times during one `fit`.

    Training has phases: the smallest resolution; then, for each further one, a fade-in, in which the weight alpha of
    the new layers rises linearly from 0 to 1 with the number of images, and a stabilization. `fit` advances to the next
    phase at the beginning of an epoch, once the phase has processed its number of images. Real images are used at the
    current resolution and, in a fade-in, blended with the same images at half the resolution. Each phase has its own
    graph, traced once, of the layers that it uses.

    `generate`, evaluation and export use the last stage that has finished fading in, without a blend. They can also use
    an earlier stage: its head, which is no longer trained, is fitted to the downsampled images of the last stage after
    each epoch, so that it shows what the network generates now (the paper shows images from the time of a stage).

    `fit` accepts any images of the last stage's shape, and averages squares of pixels to reduce them. A dataset of
    `keras_gen.data.multi_resolution` has images at the current resolution, in batches of that resolution's size.

    Besides the metrics of `GAN`, the model reports `resolution` (the smaller side in pixels) and `alpha`, as means over
    the epoch.

    Args:
        generator: Codes -> images of a stage.
        discriminator: Images of a stage -> logits.
        fade_images: Images in a fade-in, >= 1; 800,000 in the paper.
        stable_images: Images in a stabilization, >= 1; 800,000 in the paper. The last one lasts as long as `fit`.
        batch_sizes: Resolution (smaller side of a stage in pixels) -> images in a step, for a multi-resolution dataset.
            None is the last stage's batch size, doubled from stage to stage towards the smallest, at most fourfold.
        stage_learning_rate_multipliers: Resolution -> factor of the learning rates in its phases, > 0; 1 for
            resolutions that are not listed. Cannot be combined with a learning-rate schedule.
        reset_optimizers: Whether each phase begins with a new state and zero iterations of the optimizers.
        phase: Number of the phase to begin with.
        **kwargs: The other arguments of `GAN`. The average of `ema` restarts in each phase.

    Raises:
        ValueError: As `GAN`, for numbers out of range, or a resolution that no stage has.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, Progressive Growing of GANs for Improved Quality, Stability, and Variation,
        arXiv:1710.10196, section 2 and appendix A.
    """

    tracked = (*GAN.tracked, "resolution", "alpha")
    system = "progan"
    config_attributes = {"phase": "phase_number"}
    generator: ProgressiveGenerator
    discriminator: ProgressiveDiscriminator

    def __init__(
        self,
        generator: ProgressiveGenerator,
        discriminator: ProgressiveDiscriminator,
        *,
        fade_images: int = 800_000,
        stable_images: int = 800_000,
        batch_sizes: Mapping | None = None,
        stage_learning_rate_multipliers: Mapping | None = None,
        reset_optimizers: bool = True,
        phase: int = 0,
        **kwargs: Any,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.fade_images, self.stable_images = fade_images, stable_images
        self.reset_optimizers = reset_optimizers
        self.phases = phases(generator.stages)
        resolutions = [self.resolution_of(stage) for stage in range(generator.stages)]
        self.batch_sizes = None if batch_sizes is None else by_resolution("batch_sizes", batch_sizes, resolutions)
        self.stage_learning_rate_multipliers = by_resolution(
            "stage_learning_rate_multipliers", stage_learning_rate_multipliers or {}, resolutions
        )
        for name, value in (("fade_images", fade_images), ("stable_images", stable_images)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"Expected {name} as an integer >= 1; received {value!r}")
        if discriminator.stages != generator.stages:
            raise ValueError(
                f"Expected a discriminator with the generator's {generator.stages} stages; received one with "
                f"{discriminator.stages}"
            )
        counter = {"shape": (), "dtype": "int64", "initializer": "zeros", "trainable": False}
        self.phase_images, self.phase_steps = (
            self.add_weight(name=name, aggregation="only_first_replica", **counter)
            for name in ("phase_images", "phase_steps")
        )
        self._graphs = TracedGraphs()
        self._set_phase(phase)

    # phases

    @property
    def phase(self) -> Phase:
        """The current phase."""
        return self.phases[self.phase_number]

    @property
    def stable_stage(self) -> int:
        """The last stage that has finished fading in, which `generate` and exports use."""
        return self.phase.stage - self.phase.fading

    def size_of(self, stage: int) -> tuple[int, int]:
        """Returns (height, width) of a stage's images."""
        return self.generator.shape_of(stage)[:2]

    def resolution_of(self, stage: int) -> int:
        """Returns the smaller side of a stage's images, in pixels."""
        return min(self.size_of(stage))

    def phase_length(self) -> int:
        """Returns the number of images that the current phase should process."""
        return self.fade_images if self.phase.fading else self.stable_images

    def phase_shares(self, updates: int, batch_size: int) -> dict[int, float]:
        """Returns the first phase of each resolution -> the share of a training's updates at that resolution.

        The phases of one resolution take the same time for a step, within 7 % (RESULTS.md).

        Args:
            updates: Updates of the training, >= 1.
            batch_size: Examples in a step of the last stage.
        """
        sizes = [stage["batch_size"] for stage in self.data_stages(batch_size)]
        first, shares, left = {}, {}, updates
        for number, (stage, fading) in enumerate(self.phases):
            images = self.fade_images if fading else self.stable_images
            last = number + 1 == len(self.phases)
            steps = left if last else min(left, math.ceil(images / sizes[stage]))
            if steps:
                phase = first.setdefault(stage, number)
                shares[phase] = shares.get(phase, 0.0) + steps / updates
            left -= steps
        return shares

    def describe_phase(self) -> str:
        """Returns a line of text about the current phase."""
        height, width = self.size_of(self.phase.stage)
        kind = "fading in" if self.phase.fading else "stabilization"
        images = int(host_value(self.phase_images))
        alpha = f", alpha {images / self.fade_images:.2f}" if self.phase.fading and images else ""
        return f"{height}x{width}, {kind}{alpha}, {self.phase_length():,} images"

    def grow(self) -> bool:
        """Advances to the next phase if this one has processed its images; returns whether it did."""
        if int(host_value(self.phase_images)) < self.phase_length() or self.phase_number + 1 == len(self.phases):
            return False
        self.enter_phase(self.phase_number + 1)
        return True

    def enter_phase(self, number: int) -> None:
        """Begins a phase with its own layers, graphs and counters, and with the optimizers reset.

        Args:
            number: Index in `phases`.

        Raises:
            ValueError: For a number that is no phase's.
        """
        previous = self._learning_rate_multiplier()
        self._set_phase(number)
        for counter in (self.phase_images, self.phase_steps):
            counter.assign(0)
        if not self.compiled:
            return
        for optimizer in self.optimizers.values():
            if self.reset_optimizers:
                reset_optimizer(optimizer)
            _scale_learning_rate(optimizer, self._learning_rate_multiplier() / previous)
        self.make_train_function(force=True)

    def _set_phase(self, number: int) -> None:
        integer = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if not integer or number not in range(len(self.phases)):
            raise ValueError(f"Expected phase as an integer from 0 to {len(self.phases) - 1}; received {number!r}")
        self.phase_number = int(number)
        self.image_shape = self.generator.shape_of(self.stable_stage)
        # the graphs of another phase, and the memory that they reference
        self.train_function = self.test_function = self.predict_function = None
        self._graphs.release()
        if self.compiled:
            self._players = self.players()

    def _learning_rate_multiplier(self) -> float:
        return self.stage_learning_rate_multipliers.get(self.resolution_of(self.phase.stage), 1.0)

    def _alpha(self) -> tf.Tensor | None:
        """Returns the weight of the new layers, float32 in [0, 1]; None outside fade-ins."""
        if not self.phase.fading:
            return None
        return tf.minimum(tf.cast(tf.convert_to_tensor(self.phase_images), tf.float32) / self.fade_images, 1.0)

    # training

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """As `AdversarialModel.compile`, for learning rates at which `stage_learning_rate_multipliers` is 1."""
        super().compile(optimizer, **kwargs)
        for each in self.optimizers.values():
            _scale_learning_rate(each, self._learning_rate_multiplier())

    def fit(self, x: Any = None, *args: Any, callbacks: Any = None, **kwargs: Any) -> Any:
        """As `GenerativeModel.fit`, with progressive growing."""
        stages = [each.stage for each in loaded_in(x) if hasattr(each, "stage")]
        callbacks = self.prepend_callback(Growth(stages), callbacks)
        return super().fit(x, *args, callbacks=callbacks, **kwargs)

    def data_stages(self, batch_size: int) -> list[dict]:
        resolutions = [self.resolution_of(stage) for stage in range(self.generator.stages)]
        sizes = self.batch_sizes or {
            resolution: batch_size * min(4, resolutions[-1] // resolution) for resolution in resolutions
        }
        return [
            {"image_shape": self.generator.shape_of(stage), "batch_size": sizes.get(resolution, batch_size)}
            for stage, resolution in enumerate(resolutions)
        ]

    @property
    def image_fields(self) -> dict[str, Shape | None]:
        return {"image": None}  # of any stage's shape, which `batch_of` checks

    def batch_of(self, data: Any) -> dict:
        """As of any model, with images at the current resolution and, in a fade-in, blended with half of it.

        Raises:
            ValueError: Also for images whose sides are no integer multiple of the current resolution's.
        """
        self._graphs.record()
        batch = super().batch_of(data)
        expected, images = self.generator.shape_of(self.phase.stage), tf.cast(batch["image"], tf.float32)
        if None in images.shape[1:3]:  # of a multi-resolution dataset
            images = tf.ensure_shape(images, [None, *expected])
        shape = tuple(images.shape[1:])
        factor = shape[0] // expected[0] if len(shape) == 3 else 0
        if not factor or shape != (factor * expected[0], factor * expected[1], expected[2]):
            raise ValueError(
                f"Expected image [batch, {', '.join(map(str, expected))}], or an integer multiple of its height and "
                f"width; received the shape {tuple(images.shape)}: load the images at such a size"
            )
        images = downsample(images, factor) if factor > 1 else images
        if self.phase.fading:
            images = blend(upsample(downsample(images)), images, self._alpha())
        return {**batch, "image": images}

    def players(self) -> list[Player]:
        stage, fading = self.phase
        return [
            Player(name, tuple(network.parts(stage, fading)), loss, updates, (network,))
            for name, network, loss, updates in (
                ("discriminator", self.discriminator, self.discriminator_loss, self.n_critic),
                ("generator", self.generator, self.generator_loss, 1),
            )
        ]

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns `GAN.discriminator_loss`, with the metrics `resolution` and `alpha`."""
        losses, metrics = super().discriminator_loss(batch, shared, batch_noise, global_batch, training)
        alpha, resolution = self._alpha(), float(self.resolution_of(self.phase.stage))
        metrics["resolution"] = tf.fill(tf.shape(losses), resolution)
        metrics["alpha"] = tf.ones_like(losses) if alpha is None else tf.fill(tf.shape(losses), alpha)
        return losses, metrics

    def run_generator(
        self,
        z: Any,
        label: Any = None,
        training: bool = False,
        network: keras.Model | ProgressiveGenerator | None = None,
        stage: int | None = None,
    ) -> tf.Tensor:
        """Returns the images of codes, float32 [batch, height, width, channels].

        Args:
            z: Codes [batch, size].
            label: one-hot labels [batch, num_classes], or None for a model without classes.
            training: Passed to the network.
            network: The generator to run, whose images are clipped to [0, 1]. None is the one that is trained, at the
                resolution and alpha of the current phase, without clipping.
            stage: Stage of the images of `network`; None is `stable_stage`.
        """
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        if network is None:
            return self.generator(inputs, stage=self.phase.stage, alpha=self._alpha(), training=training)
        images = network(inputs, stage=self.stable_stage if stage is None else stage, training=training)
        return tf.clip_by_value(tf.cast(images, tf.float32), 0.0, 1.0)

    def _logits(self, packs: Any, label: Any, training: bool) -> tf.Tensor:
        inputs = [packs, packing.pack(label, self.packing)] if self.num_classes else packs
        logits = self.discriminator(inputs, stage=self.phase.stage, alpha=self._alpha(), training=training)
        return tf.cast(logits, tf.float32)[:, 0]

    def after_step(self, global_batch: GlobalBatch) -> None:
        # only networks that the phase trains; their average restarts, as the phase's new layers have no past
        for name, average in self.ema_networks.items():
            for ours, trained in zip(average.parts(*self.phase), getattr(self, name).parts(*self.phase), strict=True):
                update_ema(ours, trained, tf.convert_to_tensor(self.phase_steps), self.ema)
        self.phase_images.assign_add(tf.cast(global_batch.total, tf.int64))
        self.phase_steps.assign_add(1)

    # generation

    def generate_options(self, conditions: dict) -> dict:
        """Returns `stage` if the conditions contain one, 0 to `stable_stage`, and removes it from them."""
        stage = conditions.pop("stage", None)
        if stage is None:
            return {}
        if isinstance(stage, bool) or not isinstance(stage, (int, np.integer)) or not 0 <= stage <= self.stable_stage:
            raise ValueError(
                f"Expected stage as an integer from 0 to {self.stable_stage}, the last stage that is trained; received "
                f"{stage!r}"
            )
        return {"stage": int(stage)}

    def generate_from(self, noise: dict, label: Any = None, stage: int | None = None) -> tf.Tensor:
        network = self.inference_network("generator")
        return self.run_generator(self.prior.transform(noise), label, network=network, stage=stage)

    def refit_heads(self) -> None:
        """Fits the heads of earlier stages to the images of `stable_stage`; see `ProgressiveGenerator.refit_heads`.

        `fit` does so after each epoch. It changes no weights that are trained.
        """
        noise = {name: tf.constant(value) for name, value in draw_noise(self.noise(), REFIT_IMAGES, 0).items()}
        inputs = self.prior.transform(noise)
        if self.num_classes:
            inputs = [inputs, tf.one_hot(tf.range(REFIT_IMAGES) % self.num_classes, self.num_classes)]
        self.inference_network("generator").refit_heads(inputs, self.stable_stage)

    def endpoints(self) -> list[Endpoint]:
        """Returns `generate` of `stable_stage` and `generate_HEIGHTxWIDTH` of each earlier stage.

        Their inputs are the base noise, and `label` if the model is conditional; their output is `image`.
        """
        endpoints = super().endpoints()
        inputs = endpoints[0].inputs
        for stage in range(self.stable_stage):
            height, width, channels = self.generator.shape_of(stage)

            def generate(label=None, stage=stage, **noise):  # the default binds this iteration's stage
                return {"image": self.generate_from(noise, label, stage)}

            outputs = {"image": Port((height, width, channels), "image")}
            endpoints.append(Endpoint(f"generate_{height}x{width}", generate, inputs, outputs))
        return endpoints

    # saving

    def get_config(self) -> dict:
        config = super().get_config()
        for name in ("batch_sizes", "stage_learning_rate_multipliers"):  # the keys of JSON are strings
            if config[name] is not None:
                config[name] = {str(resolution): value for resolution, value in config[name].items()}
        return config

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store[PHASE] = np.asarray(self.phase_number)

    def load_own_variables(self, store: Any) -> None:
        self._set_phase(int(np.asarray(store[PHASE])))
        super().load_own_variables({key: store[key] for key in store.keys() if key != PHASE})


def _scale_learning_rate(optimizer: keras.optimizers.Optimizer, factor: float) -> None:
    if factor != 1:
        optimizer.learning_rate = float(host_value(optimizer.learning_rate)) * factor
