"""Puzzle-GAN: a whole image, and the mask of its parts, from a few patches without their positions."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import intersection_over_union, mask_cross_entropy, masked_error

from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.inputs import Shape
from .base import Puzzle
from .key_patches import box_mask, extract_patches, key_boxes
from .preset import (
    JITTER,
    NUM_PATCHES,
)


@keras.saving.register_keras_serializable("keras_gen")
class PuzzleGAN(Puzzle):
    """A model that maps key local patches without their positions to the whole image and a mask of the patches.

    One encoder reads every patch; at every scale the features of the patches are summed, so their order has no effect.
    From the sums one decoder predicts the mask, and another one the image, with noise z and the features of the first.
    The discriminator distinguishes real images from generated ones, from a real context with another image's part, and
    from a real part in another image's context. The generator minimizes an adversarial loss, the cross-entropy of the
    mask (the paper's spatial loss) and the error inside the true mask (its appearance loss), the latter two with
    decaying weights.

    In training the patches are cut out of `image`: randomly shifted boxes of `key_boxes`, or the `boxes` of a batch
    [batch, max_patches, 4] as (top, left, bottom, right) in fractions of the image's sides, with `presence` [batch,
    max_patches] if some are missing.

    Args:
        part_encoder: network from patches [batch, height, width, channels] to features at every scale and a code.
        mask_decoder: network from the sums of these to [mask logits, features...], or without a mask to features.
        image_decoder: network from [code, z, features of the mask decoder...] to images in [0, 1].
        discriminator: network from images to logits [batch, 1].
        num_patches: number of patches N in evaluation and in the pictures of `preview_images`.
        max_patches: the most patches in training and in an exported model; None is `num_patches`.
        min_patches: in training there are `min_patches` to `max_patches`, all numbers equally likely; None is
            `num_patches`.
        jitter: the largest random shift of a box in training, as a fraction of the image's sides, in [0, 0.5].
        use_mask: False turns the spatial loss and the mask output off: the paper's ablation.
        **kwargs: the objective, the weights of the losses and their decay, `ema` and `seed`, see `Puzzle`. The spatial
            loss is the cross-entropy of the mask, the appearance loss the error inside the true mask.

    Raises:
        ValueError: for networks that do not match each other, or options out of range.

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
        num_patches: int = NUM_PATCHES,
        max_patches: int | None = None,
        min_patches: int | None = None,
        jitter: float = JITTER,
        use_mask: bool = True,
        **kwargs: Any,
    ):
        self.num_patches, self.jitter, self.use_mask = num_patches, jitter, use_mask
        self.max_patches = num_patches if max_patches is None else max_patches
        self.min_patches = num_patches if min_patches is None else min_patches
        self.patch_shape = tuple(part_encoder.input_shape[1:])
        if use_mask:
            self.tracked = (*PuzzleGAN.tracked, "spatial_loss", "mask_iou")
        self.part_encoder, self.mask_decoder, self.image_decoder = part_encoder, mask_decoder, image_decoder
        self.latent_size = int(image_decoder.inputs[1].shape[-1])
        super().__init__(discriminator, **kwargs)
        self._check_patches()

    @property
    def optional_image_fields(self) -> dict[str, Shape | None]:
        return {"patches": None}

    # training

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """Returns generated images and masks, the true masks, and the composites of the discriminator."""
        image = batch["image"]
        boxes, presence = self.boxes_of(batch, batch_noise if training else None)
        inside = box_mask(boxes, presence, self.image_shape[:2])
        patches = extract_patches(image, boxes, self.patch_shape[:2])
        z = batch_noise.noise(self.noise())["z"]
        shared = self.forward(patches, presence, z, training, averaged=False) | {"inside": inside}
        return shared | self.composites(image, inside, batch_noise.global_batch)

    def boxes_of(self, batch: dict, batch_noise: BatchNoise | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the boxes of a batch [batch, max_patches, 4] and their presence [batch, max_patches].

        Args:
            batch: `image`, and optionally `boxes` and `presence`, which are returned. Otherwise the boxes are
                `key_boxes`.
            batch_noise: source of random shifts and a random number of boxes; None means the first `num_patches`,
                unshifted.

        Raises:
            ValueError: for boxes of another shape.
        """
        count, rows = self.max_patches, tf.shape(batch["image"])[0]
        if "boxes" in batch:
            boxes = tf.cast(batch["boxes"], tf.float32)
            presence = tf.cast(batch["presence"], tf.float32) if "presence" in batch else tf.ones([rows, count])
            if boxes.shape[1:] != (count, 4) or presence.shape[1:] != (count,):
                raise ValueError(
                    f"Expected boxes [batch, {count}, 4] and presence [batch, {count}] (max_patches={count}); received "
                    f"the shapes {tuple(boxes.shape)} and {tuple(presence.shape)}"
                )
            return boxes, presence
        jitter, present = None, tf.fill([rows], self.num_patches)
        if batch_noise is not None:
            size = tf.constant(self.image_shape[:2], tf.float32)
            jitter = batch_noise.uniform_symmetric([count, 2]) * self.jitter * size
            choices = self.max_patches - self.min_patches + 1
            present = self.min_patches + tf.cast(batch_noise.uniform([]) * choices, tf.int32)
        boxes = key_boxes(batch["image"], count, self.patch_shape[:2], jitter)
        return boxes, tf.cast(tf.range(count)[None] < present[:, None], tf.float32)

    def forward(
        self, patches: Any, presence: Any, z: Any, training: bool = False, averaged: bool = True
    ) -> dict[str, tf.Tensor]:
        """Returns `generated` images and, with `use_mask`, `mask_logits`, float32.

        Args:
            patches: [batch, max_patches, *patch_shape] in [0, 1].
            presence: 1 for a present patch, 0 for a missing one, whose pixels are ignored, [batch, max_patches].
            z: noise [batch, latent_size].
            training: passed to the networks.
            averaged: whether to use the moving averages instead of the trained networks.
        """
        network = self.inference_network if averaged else lambda name: getattr(self, name)
        patches, presence, z = (tf.convert_to_tensor(value) for value in (patches, presence, z))
        sums = sum_features(network("part_encoder"), patches, presence, training)
        outputs = {}
        features = keras.tree.flatten(network("mask_decoder")(sums, training=training))  # a single output is no list
        if self.use_mask:
            logits, *features = features
            outputs["mask_logits"] = tf.cast(logits, tf.float32)
        image = network("image_decoder")([sums[-1], z, *features], training=training)
        outputs["generated"] = tf.cast(image, tf.float32)
        return outputs

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the weighted sum of the adversarial, the spatial and the appearance loss."""
        inside = tf.stop_gradient(shared["inside"])
        appearance = masked_error(batch["image"], shared["generated"], inside)
        spatial, metrics = tf.zeros_like(appearance), {"appearance_loss": appearance}
        if self.use_mask:
            spatial = mask_cross_entropy(inside, shared["mask_logits"])
            overlap = intersection_over_union(inside, tf.sigmoid(shared["mask_logits"]))
            metrics |= {"spatial_loss": spatial, "mask_iou": overlap}
        return self.total_loss(self.discriminate(shared["generated"], training), spatial, appearance), metrics

    # inference

    def restore_from(self, pieces: Any, presence: Any, z: Any) -> dict[str, tf.Tensor]:
        """Returns the outputs of `restore`: `image` and, with `use_mask`, `mask` [batch, height, width, 1]."""
        outputs = self.forward(pieces, presence, z)
        mask = {"mask": tf.sigmoid(outputs["mask_logits"])} if self.use_mask else {}
        return {"image": outputs["generated"], **mask}

    def restore(self, patches: Any, presence: Any = None, *, seed: int | None = None) -> dict[str, np.ndarray]:
        """Generates images from patches.

        Args:
            patches: [num, count, *patch_shape] in [0, 1], 1 <= count <= max_patches, in any order.
            presence: 1 for a present patch, 0 for a missing one, [num, count]; None means that all are present.
            seed: seed of the noise z, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` float32 [num, height, width, channels] in [0, 1] and, with `use_mask`, `mask` [num, height, width,
            1] in [0, 1].

        Raises:
            ValueError: for other shapes.
        """
        patches, presence = self.pad_pieces("patches", patches, presence, self.max_patches, self.patch_shape)
        outputs = self.restore_from(patches, presence, self.noise_of(len(patches), seed))
        return {name: value.numpy() for name, value in outputs.items()}

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns images of a batch with `patches` and `presence`, or of the patches of `image` (or of images alone).

        Without `z` in the batch, z is 0, the mean of the noise.
        """
        batch = dict(inputs) if isinstance(inputs, dict) else {"image": inputs}
        if "patches" not in batch:
            boxes, batch["presence"] = self.boxes_of(batch)
            batch["patches"] = extract_patches(batch["image"], boxes, self.patch_shape[:2])
        if "z" not in batch:
            batch["z"] = tf.zeros([tf.shape(batch["patches"])[0], self.latent_size])
        return self.restore_from(batch["patches"], batch["presence"], batch["z"])["image"]

    def endpoint_columns(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        fields = _box_fields(columns)
        boxes, presence = self.boxes_of(fields)
        patches = extract_patches(fields["image"], boxes, self.patch_shape[:2])
        return {"patches": patches.numpy(), "presence": presence.numpy()}

    def patch_masks(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Returns the true masks of a batch's patches, float32 [num, height, width, 1] in [0, 1]."""
        boxes, presence = self.boxes_of(_box_fields(batch))
        return box_mask(boxes, presence, self.image_shape[:2]).numpy()

    def preview_images(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Returns images, their patches on white, and the predicted masks and images."""
        pieces = self.endpoint_columns(batch)
        inside = self.patch_masks(batch)
        outputs = self.restore(pieces["patches"], pieces["presence"], seed=0)
        columns = {"source": batch["image"], "patches": 1.0 - inside * (1.0 - batch["image"])}
        if self.use_mask:
            columns["mask"] = np.repeat(outputs["mask"], batch["image"].shape[-1], axis=-1)
        return {"patches | restored": {**columns, "restored": outputs["image"]}}

    def endpoints(self) -> list[Endpoint]:
        """Returns `restore`: patches, presence and noise z -> image, and mask."""
        inputs = {
            "patches": Port((self.max_patches, *self.patch_shape), "image"),
            "presence": Port((self.max_patches,), "mask"),
            "z": Port((self.latent_size,), "normal"),
        }
        outputs = {"image": Port(self.image_shape, "image")}
        if self.use_mask:
            outputs["mask"] = Port((*self.image_shape[:2], 1), "mask")

        def restore(patches, presence, z):
            return self.restore_from(patches, presence, z)

        return [Endpoint("restore", restore, inputs, outputs)]

    def _check_patches(self) -> None:
        if not 1 <= self.min_patches <= self.num_patches <= self.max_patches:
            raise ValueError(
                "Expected 1 <= min_patches <= num_patches <= max_patches; received "
                f"{self.min_patches}, {self.num_patches} and {self.max_patches}"
            )
        if not 0 <= self.jitter <= 0.5:
            raise ValueError(
                f"Expected jitter as a fraction of the image's sides in [0, 0.5]; received {self.jitter!r}"
            )
        sizes = zip(self.patch_shape, self.image_shape, strict=True)
        if any(patch > image for patch, image in sizes) or self.patch_shape[2] != self.image_shape[2]:
            raise ValueError(f"Expected patches that fit in images {self.image_shape}; received {self.patch_shape}")
        expected, shape = (*self.image_shape[:2], 1), tuple(self.mask_decoder.outputs[0].shape[1:])
        if self.use_mask and shape != expected:
            raise ValueError(f"Expected a mask decoder whose first output is {expected}; received {shape}")


def sum_features(encoder: keras.Model, patches: Any, presence: Any, training: bool = False) -> list[tf.Tensor]:
    """Returns the encoder's outputs, summed over the present patches: a tensor [batch, ...] for each output.

    Args:
        encoder: network from patches [batch, height, width, channels] to a list of tensors [batch, ...].
        patches: [batch, num, height, width, channels].
        presence: weights [batch, num].
        training: passed to the encoder.
    """
    patches, presence = tf.convert_to_tensor(patches), tf.convert_to_tensor(presence)
    num, shape = patches.shape[1], patches.shape[2:]
    totals = []
    for feature in encoder(tf.reshape(patches, [-1, *shape]), training=training):
        by_patch = tf.reshape(feature, [-1, num, *feature.shape[1:]])
        weights = tf.reshape(presence, [-1, num, *[1] * (feature.shape.rank - 1)])
        totals.append(tf.reduce_sum(by_patch * tf.cast(weights, by_patch.dtype), axis=1))
    return totals


def _box_fields(columns: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Returns the fields that `boxes_of` reads, as tensors."""
    return {name: tf.constant(columns[name]) for name in ("image", "boxes", "presence") if name in columns}
