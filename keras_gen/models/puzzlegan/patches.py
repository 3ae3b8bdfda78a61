"""Puzzle-GAN: a whole image, and where its parts belong, out of a few patches without their places."""

# More than 250 lines: what is cut out, put together, restored, exported and shown belongs to one system.

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import intersection_over_union, mask_cross_entropy, masked_error

from ..core.endpoint import Endpoint, Port
from .base import Puzzle
from .key_patches import covered, cut, key_boxes


@keras.saving.register_keras_serializable("keras_gen")
class PuzzleGAN(Puzzle):
    """Key local patches in, without their positions; out come the whole image and a mask of where they belong.

    One encoder reads every patch; at every scale the features of the patches are added up, so their order does not
    matter. From the sums a decoder draws the mask, and another, with noise z and the first one's features, the image.
    The discriminator tells real images from generated ones, from a real context with another image's part, and from a
    real part in another image's context. The generator owes an adversarial loss, the mask's cross-entropy (the paper's
    spatial loss) and the error inside the true mask (its appearance loss), the latter two with decaying weights.

    In training the patches are cut out of `image`: the boxes of `key_boxes`, moved by chance, or a batch's own
    `boxes` [batch, max_patches, 4] as (top, left, bottom, right) in parts of the image's sides, with `presence`
    [batch, max_patches] where not all of them are there.

    Args:
        part_encoder: patches [batch, height, width, channels] -> features at every scale, and a code.
        mask_decoder: the sums of these -> [log-odds of the mask, features...], or without a mask features alone.
        image_decoder: [code, z, features of the mask decoder...] -> images in [0, 1].
        discriminator: images -> logits [batch, 1].
        num_patches: how many patches there are, N: in evaluation, and in what `examples` shows.
        max_patches: how many an exported model takes at most; None is `num_patches`.
        min_patches: in training there are from `min_patches` to `max_patches`, all numbers as likely; None is
            `num_patches`.
        jitter: in training each box is moved by up to this part of the image's sides.
        use_mask: False leaves out the spatial loss, and the mask is no output: the paper's ablation.
        latent_size, objective, adversarial_weight, place_weight, appearance_weight, half_life, min_weight: see `Puzzle`.
        ema: decay of the generator's moving average, or None.
        seed: of all noise.

    Raises:
        ValueError: for networks that do not fit, or numbers out of range.

    Reference:
        Lee, Yun, Choi, Yoo, Yang, Oh 2017, Unsupervised Holistic Image Generation from Key Local Patches,
        arXiv:1703.10730. There the patches are EdgeBoxes of any size; see `keras_gen.models.puzzlegan.key_patches`.
    """

    averaged_networks = shared_networks = ("part_encoder", "mask_decoder", "image_decoder")
    tracked = ("discriminator_loss", "generator_loss", "discriminator_accuracy", "appearance_loss")

    def __init__(
        self,
        part_encoder: keras.Model,
        mask_decoder: keras.Model,
        image_decoder: keras.Model,
        discriminator: keras.Model,
        *,
        num_patches: int = 3,
        max_patches: int | None = None,
        min_patches: int | None = None,
        jitter: float = 0.05,
        use_mask: bool = True,
        ema: float | None = 0.999,
        **kwargs,
    ):
        self.num_patches, self.max_patches = num_patches, max_patches or num_patches
        self.min_patches, self.jitter, self.use_mask = min_patches or num_patches, jitter, use_mask
        self.patch_shape = tuple(part_encoder.input_shape[1:])
        if use_mask:
            self.tracked = (*PuzzleGAN.tracked, "spatial_loss", "mask_iou")
        self.part_encoder, self.mask_decoder, self.image_decoder = part_encoder, mask_decoder, image_decoder
        kwargs.setdefault("latent_size", int(image_decoder.inputs[1].shape[-1]))
        super().__init__(image_decoder.output_shape[1:], discriminator, ema=ema, **kwargs)
        self._check()

    @property
    def optional_image_fields(self):
        return {"patches": None}

    # training

    def shared_forward(self, batch, batch_noise, training):
        image = batch["image"]
        boxes, presence = self.boxes_of(batch, batch_noise if training else None)
        inside = covered(boxes, presence, self.image_shape[:2])
        patches = cut(image, boxes, self.patch_shape[:2])
        z = batch_noise.noise(self.noise())["z"]
        shared = self.forward(patches, presence, z, training, averaged=False) | {"inside": inside}
        return shared | self.composites(image, inside, batch_noise.global_batch)

    def boxes_of(self, batch, batch_noise=None) -> tuple[tf.Tensor, tf.Tensor]:
        """The boxes of a batch [batch, max_patches, 4] and which are there [batch, max_patches].

        Given ones, or else key boxes: with `draws` moved and of any number, without the first `num_patches`.

        Raises:
            ValueError: for given boxes of another shape.
        """
        most, rows = self.max_patches, tf.shape(batch["image"])[0]
        if "boxes" in batch:
            boxes = tf.cast(batch["boxes"], tf.float32)
            presence = tf.cast(batch["presence"], tf.float32) if "presence" in batch else tf.ones([rows, most])
            if boxes.shape[1:] != (most, 4) or presence.shape[1:] != (most,):
                raise ValueError(
                    f"max_patches={most}: expected boxes [batch, {most}, 4] and presence [batch, {most}]; received "
                    f"the shapes {tuple(boxes.shape)} and {tuple(presence.shape)}"
                )
            return boxes, presence
        jitter, count = None, tf.fill([rows], self.num_patches)
        if batch_noise is not None:
            jitter = (
                batch_noise.uniform_symmetric([most, 2]) * self.jitter * tf.constant(self.image_shape[:2], tf.float32)
            )
            span = self.max_patches - self.min_patches + 1
            count = self.min_patches + tf.cast(batch_noise.uniform([]) * span, tf.int32)
        boxes = key_boxes(batch["image"], most, self.patch_shape[:2], jitter)
        return boxes, tf.cast(tf.range(most)[None] < count[:, None], tf.float32)

    def forward(self, patches, presence, z, training: bool = False, averaged: bool = True) -> dict[str, tf.Tensor]:
        """Patches -> `generated` images and, with `use_mask`, `mask_logits`, float32; by averages or what is
        trained.

        Args:
            patches: [batch, max_patches, *patch_shape] in [0, 1].
            presence: 1 for a patch that is there, 0 for one whose pixels do not count, [batch, max_patches].
            z: noise [batch, latent_size].
        """
        network = self.inference_network if averaged else lambda name: getattr(self, name)
        patches, presence, z = (tf.convert_to_tensor(value) for value in (patches, presence, z))
        sums = summed(network("part_encoder"), patches, presence, training)
        shared = {}
        features = keras.tree.flatten(network("mask_decoder")(sums, training=training))  # of one scale: no list
        if self.use_mask:
            logits, *features = features
            shared["mask_logits"] = tf.cast(logits, tf.float32)
        shared["generated"] = tf.cast(network("image_decoder")([sums[-1], z, *features], training=training), tf.float32)
        return shared

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """Adversarial, spatial and appearance loss."""
        inside = tf.stop_gradient(shared["inside"])
        appearance = masked_error(batch["image"], shared["generated"], inside)
        spatial, metrics = tf.zeros_like(appearance), {"appearance_loss": appearance}
        if self.use_mask:
            spatial = mask_cross_entropy(inside, shared["mask_logits"])
            overlap = intersection_over_union(inside, tf.sigmoid(shared["mask_logits"]))
            metrics |= {"spatial_loss": spatial, "mask_iou": overlap}
        return self.total_loss(self.judged(shared["generated"], training), spatial, appearance), metrics

    # use

    def restored(self, patches, presence, z) -> dict[str, tf.Tensor]:
        """What `restore` gives: `image` [batch, height, width, channels] and `mask` [batch, height, width, 1]."""
        shared = self.forward(patches, presence, z)
        mask = {"mask": tf.sigmoid(shared["mask_logits"])} if self.use_mask else {}
        return {"image": shared["generated"], **mask}

    def restore(self, patches, presence=None, *, seed: int | None = None) -> dict[str, np.ndarray]:
        """Make images of patches.

        Args:
            patches: [num, count, *patch_shape] in [0, 1], 1 <= count <= max_patches, in any order.
            presence: 1 or 0 for each, [num, count]; None is all of them.
            seed: of the noise z, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` float32 [num, height, width, channels] in [0, 1] and, with `use_mask`, `mask` [num, height, width,
            1] in [0, 1].

        Raises:
            ValueError: for other shapes.
        """
        patches, presence = self.pad_pieces("patches", patches, presence, self.max_patches, self.patch_shape)
        shared = self.restored(patches, presence, self.noise_of(len(patches), seed))
        return {name: value.numpy() for name, value in shared.items()}

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """A batch with `patches` and `presence`, or an `image` (or images alone) to cut them from, and `z` -> images.

        Without `z` it is 0, the middle of the noise.
        """
        batch = dict(inputs) if isinstance(inputs, dict) else {"image": inputs}
        if "patches" not in batch:
            boxes, batch["presence"] = self.boxes_of(batch)
            batch["patches"] = cut(batch["image"], boxes, self.patch_shape[:2])
        if "z" not in batch:
            batch["z"] = tf.zeros([tf.shape(batch["patches"])[0], self.latent_size])
        return self.restored(batch["patches"], batch["presence"], batch["z"])["image"]

    def endpoint_columns(self, columns):
        images = tf.constant(columns["image"])
        given = {name: tf.constant(columns[name]) for name in ("boxes", "presence") if name in columns}
        boxes, presence = self.boxes_of({"image": images, **given})
        patches = cut(images, boxes, self.patch_shape[:2])
        return {"patches": patches.numpy(), "presence": presence.numpy()}

    def patch_masks(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Returns the true masks of a batch's patches, float32 [num, height, width, 1] in [0, 1]."""
        names = ("image", "boxes", "presence")
        boxes, presence = self.boxes_of({name: tf.constant(batch[name]) for name in names if name in batch})
        return covered(boxes, presence, self.image_shape[:2]).numpy()

    def examples(self, batch):
        given = self.endpoint_columns(batch)
        boxes, presence = self.boxes_of({name: tf.constant(value) for name, value in batch.items() if name in (
            "image", "boxes", "presence")})  # fmt: skip
        inside = covered(boxes, presence, self.image_shape[:2]).numpy()
        shared = self.restore(given["patches"], given["presence"], seed=0)
        columns = {"source": batch["image"], "patches": 1.0 - inside * (1.0 - batch["image"])}
        if self.use_mask:
            columns["mask"] = np.repeat(shared["mask"], batch["image"].shape[-1], axis=-1)
        return {"patches | restored": {**columns, "restored": shared["image"]}}

    def endpoints(self):
        """`restore`: patches, presence and noise z -> image, and mask."""
        most = self.max_patches
        inputs = {
            "patches": Port((most, *self.patch_shape), "image"),
            "presence": Port((most,), "mask"),
            "z": Port((self.latent_size,), "normal"),
        }
        outputs = {"image": Port(self.image_shape, "image")}
        if self.use_mask:
            outputs["mask"] = Port((*self.image_shape[:2], 1), "mask")

        def restore(patches, presence, z):
            return self.restored(patches, presence, z)

        return [Endpoint("restore", restore, inputs, outputs)]

    def get_config(self) -> dict:
        own = ("num_patches", "max_patches", "min_patches", "jitter", "use_mask")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def _check(self):
        if not 1 <= self.min_patches <= self.num_patches <= self.max_patches:
            raise ValueError(
                "Expected 1 <= min_patches <= num_patches <= max_patches; received "
                f"{self.min_patches}, {self.num_patches} and {self.max_patches}"
            )
        if not 0 <= self.jitter <= 0.5:
            raise ValueError(f"jitter must be a part of the image's sides in [0, 0.5]; received {self.jitter!r}")
        sizes = zip(self.patch_shape, self.image_shape, strict=True)
        if any(patch > whole for patch, whole in sizes) or self.patch_shape[2] != self.image_shape[2]:
            raise ValueError(f"Patches {self.patch_shape} do not fit into images {self.image_shape}")
        if self.use_mask and self.mask_decoder.outputs[0].shape[1:] != (*self.image_shape[:2], 1):
            raise ValueError(
                f"The mask decoder gives {self.mask_decoder.outputs[0].shape[1:]}; expected "
                f"{(*self.image_shape[:2], 1)}"
            )


def summed(encoder: keras.Model, patches, presence, training: bool = False) -> list[tf.Tensor]:
    """The encoder's outputs of every patch, added up over the patches that are there.

    Args:
        encoder: patches [batch, height, width, channels] -> a list of tensors [batch, ...].
        patches: [batch, num, height, width, channels].
        presence: weights [batch, num].

    Returns:
        A tensor [batch, ...] for each output.
    """
    patches, presence = tf.convert_to_tensor(patches), tf.convert_to_tensor(presence)
    num, shape = patches.shape[1], patches.shape[2:]
    totals = []
    for feature in encoder(tf.reshape(patches, [-1, *shape]), training=training):
        each = tf.reshape(feature, [-1, num, *feature.shape[1:]])
        there = tf.reshape(presence, [-1, num, *[1] * (feature.shape.rank - 1)])
        totals.append(tf.reduce_sum(each * tf.cast(there, each.dtype), axis=1))
    return totals
