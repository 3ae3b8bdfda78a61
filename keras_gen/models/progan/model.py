"""The Progressive GAN: a generator and a discriminator that grow while they are trained."""

# Longer than other models: a phase says what is shown, moved, averaged, saved and exported, and these must agree.

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_gen.data.pipeline.epochs import loaded_in
from keras_gen.distributions.noise import draw_noise
from keras_gen.losses import packing

from ..core import ema
from ..core.endpoint import Endpoint, Port
from ..core.host import host_value
from ..core.player import Player, reset_optimizer
from ..gan.model import GAN
from .graph_release import Graphs
from .phases import Growth, Phase, by_side, phases
from .progressive import blended, doubled, halved
from .progressive_discriminator import ProgressiveDiscriminator
from .progressive_generator import ProgressiveGenerator

REFITTED = 64  # images that the heads of earlier stages are fitted to
PHASE = "phase_number"


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveGAN(GAN):
    """A GAN that begins at a small resolution and doubles it during one `fit`.

    The training has phases: the smallest resolution; then, of each further one, a fade-in, in which the new layers'
    share alpha of the images rises from 0 to 1 with the images shown, and a stabilization. `fit` goes on to the next
    phase at the beginning of an epoch, once the phase has shown as many images as it should. Real images are shown
    at the resolution in use and, in a fade-in, mixed likewise with their own halves. Each phase has a graph of its own,
    traced once, of the layers that it uses.

    `generate`, evaluation and export use the last stage that has finished fading in, without any fade. Stages before
    it can be asked for: their heads, which are trained no more, are fitted to the halved images of the last one after
    each epoch, so that they show what the network makes now (the paper shows a stage as it was at its own time).

    Any images of the last stage's shape do for `fit`: they are reduced by the mean of squares. A data set of
    `keras_gen.data.multi_resolution` gives them at the resolution in use and with that resolution's batch size.

    Reported beside what `GAN` reports: `resolution` (the smaller side, in pixels) and `alpha`, means over the epoch.

    Args:
        generator: codes -> images of a stage.
        discriminator: images of a stage -> logits.
        fade_images: images that a fade-in shows, >= 1.
        stable_images: images that a stabilization shows, >= 1; the last one goes on as long as `fit` does.
        batch_sizes: smaller side of a stage -> images in a step, for data that are loaded by stages; None is up to
            four times the last stage's, halving from stage to stage.
        rates: smaller side of a stage -> what the learning rates are multiplied by there; 1 for others. Not beside a
            learning-rate schedule.
        reset: forget the optimizers' state and iterations at the beginning of each phase.
        phase: number of the phase that it begins in, or is in.
        **kwargs: as of `GAN`.

    Raises:
        ValueError: as `GAN`, for numbers out of range or sides that are no stage.

    Reference:
        Karras, Aila, Laine, Lehtinen 2018, Progressive Growing of GANs for Improved Quality, Stability, and Variation,
        arXiv:1710.10196, section 2 and appendix A.
    """

    tracked = (*GAN.tracked, "resolution", "alpha")
    system = "progan"

    def __init__(
        self,
        generator: ProgressiveGenerator,
        discriminator: ProgressiveDiscriminator,
        *,
        fade_images: int = 800_000,
        stable_images: int = 800_000,
        batch_sizes: Mapping | None = None,
        rates: Mapping | None = None,
        reset: bool = True,
        phase: int = 0,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.fade_images, self.stable_images, self.reset = fade_images, stable_images, reset
        self.phases = phases(generator.stages)
        sides = [min(generator.shape_of(stage)[:2]) for stage in range(generator.stages)]
        self.batch_sizes = None if batch_sizes is None else by_side("batch_sizes", batch_sizes, sides)
        self.rates = by_side("rates", rates or {}, sides)
        for name, value in (("fade_images", fade_images), ("stable_images", stable_images)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1; received {value!r}")
        if discriminator.stages != generator.stages:
            raise ValueError(f"The generator has {generator.stages} stages, the discriminator {discriminator.stages}")
        counter = {"shape": (), "dtype": "int64", "initializer": "zeros", "trainable": False}
        self.phase_images, self.phase_steps = (
            self.add_weight(name=name, aggregation="only_first_replica", **counter)
            for name in ("phase_images", "phase_steps")
        )
        self._graphs = Graphs()
        self._set_phase(phase)

    # phases

    @property
    def phase(self) -> Phase:
        """The phase it is in."""
        return self.phases[self.phase_number]

    @property
    def stable_stage(self) -> int:
        """The last stage that has finished fading in: what `generate` and exports show."""
        return self.phase.stage - self.phase.fading

    def size_of(self, stage: int) -> tuple[int, int]:
        """(height, width) of a stage's images."""
        return self.generator.shape_of(stage)[:2]

    def phase_length(self) -> int:
        """Images that the phase should show."""
        return self.fade_images if self.phase.fading else self.stable_images

    def phase_line(self) -> str:
        """The phase for people."""
        height, width = self.size_of(self.phase.stage)
        what = "fading in" if self.phase.fading else "stabilization"
        shown = int(host_value(self.phase_images))
        at = f", alpha {shown / self.fade_images:.2f}" if self.phase.fading and shown else ""
        return f"{height}x{width}, {what}{at}, {self.phase_length():,} images"

    def grow(self) -> bool:
        """Go on to the next phase if this one has shown its images; whether it did."""
        if int(host_value(self.phase_images)) < self.phase_length() or self.phase_number + 1 == len(self.phases):
            return False
        self.enter(self.phase_number + 1)
        return True

    def enter(self, number: int) -> None:
        """Begin a phase: its layers, its graphs, its counters, and optimizers that know nothing of the one before.

        Raises:
            ValueError: for a number that is none of a phase.
        """
        before = self._rate()
        self._set_phase(number)
        for counter in (self.phase_images, self.phase_steps):
            counter.assign(0)
        if not self.compiled:
            return
        for optimizer in self.optimizers.values():
            if self.reset:
                reset_optimizer(optimizer)
            _multiply(optimizer, self._rate() / before)
        self.make_train_function(force=True)

    def _set_phase(self, number: int) -> None:
        if (
            isinstance(number, bool)
            or not isinstance(number, (int, np.integer))
            or number not in range(len(self.phases))
        ):
            raise ValueError(f"phase must be an integer from 0 to {len(self.phases) - 1}; received {number!r}")
        self.phase_number = int(number)
        self.image_shape = self.generator.shape_of(self.stable_stage)
        # graphs of another phase, and with them what they hold
        self.train_function = self.test_function = self.predict_function = None
        self._graphs.release()
        if self.compiled:
            self._players = self.players()

    def _rate(self) -> float:
        return self.rates.get(min(self.size_of(self.phase.stage)), 1.0)

    def _alpha(self) -> tf.Tensor | None:
        """The new layers' share, float32 in [0, 1]; None outside fade-ins."""
        if not self.phase.fading:
            return None
        return tf.minimum(tf.cast(tf.convert_to_tensor(self.phase_images), tf.float32) / self.fade_images, 1.0)

    # training

    def compile(self, optimizer="adam", **kwargs):
        """As `AdversarialModel.compile`; the learning rates given are those where `rates` has 1."""
        super().compile(optimizer, **kwargs)
        for each in self.optimizers.values():
            _multiply(each, self._rate())

    def fit(self, x=None, *args, callbacks=None, **kwargs):
        """As `GenerativeModel.fit`, growing."""
        stages = [each.stage for each in loaded_in(x) if hasattr(each, "stage")]
        callbacks = self.callbacks_after(Growth(stages), callbacks)
        return super().fit(x, *args, callbacks=callbacks, **kwargs)

    def data_stages(self, batch_size):
        sides = [min(self.size_of(stage)) for stage in range(self.generator.stages)]
        sizes = self.batch_sizes or {side: batch_size * min(4, sides[-1] // side) for side in sides}
        return [
            {"image_shape": self.generator.shape_of(stage), "batch_size": sizes.get(side, batch_size)}
            for stage, side in enumerate(sides)
        ]

    @property
    def image_fields(self):
        return {"image": None}  # of any stage, see `batch_of`

    def batch_of(self, data):
        """As of any model; images at the resolution in use and, in a fade-in, mixed with their halves.

        Raises:
            ValueError: also for images that are no whole number of times as large.
        """
        self._graphs.note()
        batch = super().batch_of(data)
        wanted, images = self.generator.shape_of(self.phase.stage), tf.cast(batch["image"], tf.float32)
        if None in images.shape[1:3]:  # of a multi_resolution data set
            images = tf.ensure_shape(images, [None, *wanted])
        shape = tuple(images.shape[1:])
        factor = shape[0] // wanted[0] if len(shape) == 3 else 0
        if not factor or shape != (factor * wanted[0], factor * wanted[1], wanted[2]):
            raise ValueError(
                f"Expected image [batch, *{wanted}], or a whole number of times as high and wide; received the shape "
                f"{tuple(images.shape)}"
            )
        images = halved(images, factor) if factor > 1 else images
        if self.phase.fading:
            images = blended(doubled(halved(images)), images, self._alpha())
        return {**batch, "image": images}

    def players(self):
        stage, fading = self.phase
        return [
            Player(name, tuple(network.parts(stage, fading)), loss, updates, (network,))
            for name, network, loss, updates in (
                ("discriminator", self.discriminator, self.discriminator_loss, self.n_critic),
                ("generator", self.generator, self.generator_loss, 1),
            )
        ]

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        losses, metrics = super().discriminator_loss(batch, shared, batch_noise, global_batch, training)
        alpha, side = self._alpha(), float(min(self.size_of(self.phase.stage)))
        metrics["resolution"] = tf.fill(tf.shape(losses), side)
        metrics["alpha"] = tf.ones_like(losses) if alpha is None else tf.fill(tf.shape(losses), alpha)
        return losses, metrics

    def generated(self, z, label=None, training=False, network=None, stage=None):
        """Codes [batch, size] -> images float32.

        By the generator that is trained, at the phase's resolution and with its fade; or, by another `network`, of a
        `stage` (None is the stable_stage one), cut at 0 and 1.
        """
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        if network is None:
            return self.generator(inputs, stage=self.phase.stage, alpha=self._alpha(), training=training)
        images = network(inputs, stage=self.stable_stage if stage is None else stage, training=training)
        return tf.clip_by_value(tf.cast(images, tf.float32), 0.0, 1.0)

    def _logits(self, packs, label, training):
        inputs = [packs, packing.pack(label, self.packing)] if self.num_classes else packs
        options = {"stage": self.phase.stage, "alpha": self._alpha(), "training": training}
        return tf.cast(self.discriminator(inputs, **options), tf.float32)[:, 0]

    def after_step(self, global_batch):
        # only what the phase moves; the average begins anew in each phase, whose layers have no past
        for name, twin in self.ema_networks.items():
            for mine, theirs in zip(twin.parts(*self.phase), getattr(self, name).parts(*self.phase), strict=True):
                ema.update_ema(mine, theirs, tf.convert_to_tensor(self.phase_steps), self.ema)
        self.phase_images.assign_add(tf.cast(global_batch.total, tf.int64))
        self.phase_steps.assign_add(1)

    # use

    def generate_options(self, conditions):
        """`stage`, where one is asked for: 0 to the stable_stage one."""
        stage = conditions.pop("stage", None)
        if stage is None:
            return {}
        if isinstance(stage, bool) or not isinstance(stage, (int, np.integer)) or not 0 <= stage <= self.stable_stage:
            raise ValueError(
                f"stage must be an integer from 0 to {self.stable_stage}, the last that is there; got {stage!r}"
            )
        return {"stage": int(stage)}

    def generate_from(self, noise, label=None, stage=None):
        return self.generated(self.prior.draw(noise), label, network=self.inference_network("generator"), stage=stage)

    def refit(self) -> None:
        """Let the images of earlier stages follow the stable_stage one: see `ProgressiveGenerator.refit`.

        `fit` does so after each epoch; nothing that is trained changes.
        """
        noise = {name: tf.constant(value) for name, value in draw_noise(self.noise(), REFITTED, 0).items()}
        inputs = self.prior.draw(noise)
        if self.num_classes:
            inputs = [inputs, tf.one_hot(tf.range(REFITTED) % self.num_classes, self.num_classes)]
        self.inference_network("generator").refit(inputs, self.stable_stage)

    def endpoints(self):
        """`generate` of the stable_stage stage, and `generate_HEIGHTxWIDTH` of each before: noise (and `label`) -> image."""
        whole = super().endpoints()[0]
        found = [whole]
        for stage in range(self.stable_stage):
            height, width, channels = self.generator.shape_of(stage)
            # the stage is a default: a closure would see the last one
            shared = lambda label=None, stage=stage, **noise: {"image": self.generate_from(noise, label, stage)}  # noqa: E731
            port = {"image": Port((height, width, channels), "image")}
            found.append(Endpoint(f"generate_{height}x{width}", shared, whole.inputs, port))
        return found

    # saving

    def get_config(self) -> dict:
        own = ("fade_images", "stable_images", "reset")
        sides = {name: getattr(self, name) for name in ("batch_sizes", "rates")}
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: values and {str(side): value for side, value in values.items()} for name, values in sides.items()},
            "phase": self.phase_number,
        }

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store[PHASE] = np.asarray(self.phase_number)

    def load_own_variables(self, store):
        self._set_phase(int(np.asarray(store[PHASE])))
        super().load_own_variables({key: store[key] for key in store.keys() if key != PHASE})


def _multiply(optimizer: keras.optimizers.Optimizer, factor: float) -> None:
    if factor != 1:
        optimizer.learning_rate = float(host_value(optimizer.learning_rate)) * factor
