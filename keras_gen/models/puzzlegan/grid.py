"""Puzzle-GAN on a grid: all tiles of an image in unknown order, some missing, and the position of each tile."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from keras_gen.losses import assignment_cross_entropy, log_sinkhorn, masked_error

from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.inputs import Shape
from .base import Puzzle
from .preset import (
    GRID_SIZE,
    MAX_MISSING,
)
from .tiles import identical, join, seams, split

MAX_GRID_SIZE = 5


@keras.saving.register_keras_serializable("keras_gen")
class PuzzleGrid(Puzzle):
    """A model that restores an image from the tiles of a k x k grid in unknown order, some of them missing.

    One encoder reads every tile and a placer scores each tile against each position of the grid. On a canvas, every
    position holds the mean of the tiles, weighted by the softmax of their scores. A painter maps the canvas and noise z
    to the image: it smooths uncertain positions and fills in missing tiles. The placer learns from the Sinkhorn
    normalization of the scores (one tile for each position, one position for each tile). The best assignment is
    computed outside the graph, by `restore` here and by `solve` in the runtime.

    Tiles that are identical pixel by pixel are interchangeable, in training and in every metric.

    Args:
        tile_encoder: network from tiles [batch, height, width, channels] to embeddings [batch, size].
        tile_placer: network from [embeddings [batch, k * k, size], presence [batch, k * k], seams [batch, k * k, k * k,
            4] (see `keras_gen.models.puzzlegan.tiles`)] to scores [batch, k * k, k * k].
        canvas_painter: network from [canvas, coverage [batch, height, width, 1], z] to images in [0, 1].
        discriminator: network from images to logits [batch, 1]; it has the loss of `PuzzleGAN`, where the part of an
            image is its present tiles.
        grid_size: k, 2 to 5.
        max_missing: in training 0 to `max_missing` tiles are missing, all numbers equally likely.
        iterations: iterations of Sinkhorn's normalization, >= 1.
        shuffle_channels: whether the encoder, but no other network, sees the channels of each training image in a
            random order, so that shapes and not colors determine the position of a tile.
        **kwargs: the objective, the weights of the losses and their decay, `ema` and `seed`, see `Puzzle`. The spatial
            loss is the cross-entropy of the positions, the appearance loss the error of the whole image.

    Raises:
        ValueError: for networks that do not match each other, or options out of range.

    Reference:
        Lee et al. 2017, arXiv:1703.10730 (the adversarial part). Mena, Belanger, Linderman, Snoek 2018,
        arXiv:1802.08665 (Sinkhorn).
    """

    averaged_networks = shared_networks = ("tile_encoder", "tile_placer", "canvas_painter")
    tracked = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy"),
        *("spatial_loss", "appearance_loss", "tile_accuracy"),
    )

    def __init__(
        self,
        tile_encoder: keras.Model,
        tile_placer: keras.Model,
        canvas_painter: keras.Model,
        discriminator: keras.Model,
        *,
        grid_size: int = GRID_SIZE,
        max_missing: int = MAX_MISSING,
        iterations: int = 10,
        shuffle_channels: bool = True,
        **kwargs: Any,
    ):
        self.grid_size, self.max_missing = grid_size, max_missing
        self.iterations, self.shuffle_channels = iterations, shuffle_channels
        self.num_tiles, self.tile_shape = grid_size * grid_size, tuple(tile_encoder.input_shape[1:])
        self.tile_encoder, self.tile_placer, self.canvas_painter = tile_encoder, tile_placer, canvas_painter
        self.latent_size = int(canvas_painter.inputs[2].shape[-1])
        super().__init__(discriminator, **kwargs)
        self._check_grid()

    # training

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        """Returns scores and images of a random puzzle, its solution, and the composites of the discriminator."""
        image, num = batch["image"], self.num_tiles
        tiles_in_order = split(image, self.grid_size)
        order = tf.argsort(batch_noise.uniform([num]), axis=1)
        missing = tf.cast(batch_noise.uniform([]) * (self.max_missing + 1), tf.int32)
        presence = tf.cast(tf.range(num)[None] >= missing[:, None], tf.float32)
        tiles = tf.gather(tiles_in_order, order, batch_dims=1)
        channel_order = None
        if training and self.shuffle_channels:
            channel_order = tf.argsort(batch_noise.uniform([image.shape[-1]]), axis=1)
        z = batch_noise.noise(self.noise())["z"]
        scores, generated = self.forward(tiles, presence, z, training, averaged=False, channel_order=channel_order)
        # the true positions of the present tiles, whatever the placer predicts
        occupied = tf.gather(presence, tf.argsort(order, axis=1), batch_dims=1)
        inside = self.expand_positions(occupied[:, :, None])
        shared = {
            "generated": generated,
            "scores": scores,
            "fits": identical(tiles, tiles_in_order),
            "presence": presence,
            "inside": inside,
        }
        return shared | self.composites(image, inside, batch_noise.global_batch)

    def forward(
        self,
        tiles: Any,
        presence: Any,
        z: Any,
        training: bool = False,
        averaged: bool = True,
        channel_order: Any = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the scores and the images of tiles, float32.

        Args:
            tiles: [batch, k * k, *tile_shape] in [0, 1].
            presence: 1 for a present tile, 0 for a missing one, whose pixels are ignored, [batch, k * k].
            z: noise [batch, latent_size].
            training: passed to the networks.
            averaged: whether to use the moving averages instead of the trained networks.
            channel_order: order in which the encoder sees an image's channels, [batch, channels]; None keeps it.

        Returns:
            scores [batch, k * k, k * k] of tile against position, and images [batch, height, width, channels].
        """
        network = self.inference_network if averaged else lambda name: getattr(self, name)
        tiles, presence, z = (tf.convert_to_tensor(each) for each in (tiles, presence, z))
        encoded = tiles if channel_order is None else tf.gather(tiles, channel_order, axis=4, batch_dims=1)
        flat = tf.reshape(encoded, [-1, *self.tile_shape])
        size = int(self.tile_encoder.output_shape[-1])
        embeddings = tf.reshape(network("tile_encoder")(flat, training=training), [-1, self.num_tiles, size])
        scores = tf.cast(network("tile_placer")([embeddings, presence, seams(tiles)], training=training), tf.float32)
        weights = tf.nn.softmax(scores, axis=2) * presence[:, :, None]
        by_place = tf.transpose(weights, [0, 2, 1])
        total = tf.reduce_sum(by_place, axis=2, keepdims=True)
        height, width, channels = self.tile_shape
        pixels = tf.matmul(by_place, tf.reshape(tiles, [-1, self.num_tiles, height * width * channels]))
        pixels /= tf.maximum(total, 1.0)
        canvas = join(tf.reshape(pixels, [-1, self.num_tiles, *self.tile_shape]), self.grid_size)
        coverage = self.expand_positions(tf.minimum(total, 1.0))
        image = network("canvas_painter")([canvas, coverage, z], training=training)
        return scores, tf.cast(image, tf.float32)

    def expand_positions(self, values: Any) -> tf.Tensor:
        """Returns maps [batch, height, width, 1] of one value for each position, [batch, k * k, 1]."""
        height, width = self.tile_shape[:2]
        maps = tf.reshape(values, [-1, self.grid_size, self.grid_size, 1])
        return tf.repeat(tf.repeat(maps, height, axis=1), width, axis=2)

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise | None, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the adversarial loss, the cross-entropy of the positions, and the error of the whole image."""
        fits, presence = tf.stop_gradient(shared["fits"]), tf.stop_gradient(shared["presence"])
        assignment = tf.exp(log_sinkhorn(shared["scores"], self.iterations))
        # the canvas uses the softmax, which ignores the positions of the other tiles: it needs its own loss
        spatial = 0.5 * (
            assignment_cross_entropy(assignment, fits, presence)
            + assignment_cross_entropy(tf.nn.softmax(shared["scores"], axis=2), fits, presence)
        )
        appearance = masked_error(batch["image"], shared["generated"], tf.ones_like(batch["image"][..., :1]))
        best = tf.one_hot(tf.argmax(shared["scores"], axis=2), self.num_tiles)
        right = tf.reduce_sum(fits * best, axis=2)
        right = tf.reduce_sum(right * presence, axis=1) / tf.maximum(tf.reduce_sum(presence, axis=1), 1.0)
        metrics = {"spatial_loss": spatial, "appearance_loss": appearance, "tile_accuracy": right}
        return self.total_loss(self.discriminate(shared["generated"], training), spatial, appearance), metrics

    # inference

    @property
    def optional_image_fields(self) -> dict[str, Shape | None]:
        return {"tiles": None}

    def restore_from(self, pieces: Any, presence: Any, z: Any) -> dict[str, tf.Tensor]:
        """Returns the outputs of `restore`: `image`, and `scores` [batch, k * k, k * k] of tile against position."""
        scores, image = self.forward(pieces, presence, z)
        return {"image": image, "scores": scores}

    def restore(self, tiles: Any, presence: Any = None, *, seed: int | None = None) -> dict[str, np.ndarray]:
        """Restores images from tiles.

        Args:
            tiles: [num, count, *tile_shape] in [0, 1], 1 <= count <= k * k, in any order; the others are missing.
            presence: 1 for a present tile, 0 for a missing one, [num, count]; None means that all are present.
            seed: seed of the noise z, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` float32 [num, height, width, channels] in [0, 1]; `scores` [num, k * k, k * k] of tile against
            position; `positions` int64 [num, k * k], the best assignment of tiles to positions, where missing tiles
            have the remaining positions; and `solved`, the image with the tiles themselves at their positions.

        Raises:
            ValueError: for other shapes.
        """
        tiles, presence = self.pad_pieces("tiles", tiles, presence, self.num_tiles, self.tile_shape)
        tensors = self.restore_from(tiles, presence, self.noise_of(len(tiles), seed))
        outputs = {name: value.numpy() for name, value in tensors.items()}
        outputs["positions"] = self.positions(outputs["scores"])
        outputs["solved"] = self.assemble(tiles, presence, outputs["positions"], outputs["image"])
        return outputs

    @staticmethod
    def positions(scores: np.ndarray) -> np.ndarray:
        """Returns the position of each tile, int64 [num, k * k], with the largest sum of scores [num, k * k, k * k]."""
        return np.stack([linear_sum_assignment(each, maximize=True)[1] for each in np.asarray(scores, np.float64)])

    def assemble(self, tiles: Any, presence: Any, positions: Any, images: Any) -> np.ndarray:
        """Returns images with the present tiles at their positions, [num, height, width, channels].

        Args:
            tiles: [num, k * k, *tile_shape].
            presence: 1 for a present tile, 0 for a missing one, [num, k * k].
            positions: position of each tile, int [num, k * k].
            images: [num, height, width, channels], the pixels of the remaining positions.
        """
        assembled = self.cut_tiles(images)
        rows, present = np.nonzero(np.asarray(presence) > 0.5)
        assembled[rows, positions[rows, present]] = tiles[rows, present]
        return join(tf.constant(assembled), self.grid_size).numpy()

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns images of a batch with `tiles` and `presence`, or of the tiles of `image` (or of images alone).

        Without `z` in the batch, z is 0, the mean of the noise.
        """
        batch = dict(inputs) if isinstance(inputs, dict) else {"image": inputs}
        if "tiles" not in batch:
            batch["tiles"] = split(batch["image"], self.grid_size)
        rows = tf.shape(batch["tiles"])[0]
        presence = batch["presence"] if "presence" in batch else tf.ones([rows, self.num_tiles])
        z = batch["z"] if "z" in batch else tf.zeros([rows, self.latent_size])
        return self.restore_from(batch["tiles"], presence, z)["image"]

    def endpoint_columns(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        tiles, presence, _ = self.shuffled(columns["image"], self.max_missing // 2, seed=0)
        return {"tiles": tiles, "presence": presence}

    def cut_tiles(self, images: np.ndarray) -> np.ndarray:
        """Returns the tiles of images row by row, float32 [num, k * k, *tile_shape]."""
        return split(tf.constant(images), self.grid_size).numpy()

    def shuffled(self, images: Any, missing: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns puzzles: the tiles of images in random order, some of them missing.

        Args:
            images: [num, height, width, channels] in [0, 1].
            missing: number of missing tiles per image, 0 <= missing < k * k.
            seed: seed of the order and of the choice of the missing tiles.

        Returns:
            tiles [num, k * k, *tile_shape] (zeros where missing), presence [num, k * k], and the true position of each
            tile, int64 [num, k * k].
        """
        tiles_in_order = self.cut_tiles(images)
        num = len(tiles_in_order)
        positions = np.random.default_rng(seed).permuted(np.tile(np.arange(self.num_tiles), (num, 1)), axis=1)
        presence = np.ones((num, self.num_tiles), np.float32)
        presence[:, :missing] = 0
        tiles = np.take_along_axis(tiles_in_order, positions[:, :, None, None, None], axis=1)
        return tiles * presence[:, :, None, None, None], presence, positions

    def preview_images(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Returns images, their shuffled tiles, the tiles at their predicted positions, and the restored images."""
        tiles, presence, _ = self.shuffled(batch["image"], self.max_missing, seed=0)
        outputs = self.restore(tiles, presence, seed=0)
        # missing tiles are white
        shuffled = join(tf.constant(tiles + 1 - presence[:, :, None, None, None]), self.grid_size).numpy()
        columns = {"source": batch["image"], "tiles": shuffled, "solved": outputs["solved"]}
        return {"tiles | restored": {**columns, "restored": outputs["image"]}}

    def endpoints(self) -> list[Endpoint]:
        """Returns `restore`: tiles, presence and noise z -> image, and scores of tile against position."""
        inputs = {
            "tiles": Port((self.num_tiles, *self.tile_shape), "image"),
            "presence": Port((self.num_tiles,), "mask"),
            "z": Port((self.latent_size,), "normal"),
        }
        outputs = {
            "image": Port(self.image_shape, "image"),
            "scores": Port((self.num_tiles, self.num_tiles), "value"),
        }

        def restore(tiles, presence, z):
            return self.restore_from(tiles, presence, z)

        return [Endpoint("restore", restore, inputs, outputs)]

    def _check_grid(self) -> None:
        if not 2 <= self.grid_size <= MAX_GRID_SIZE:
            raise ValueError(f"Expected grid_size as an integer from 2 to {MAX_GRID_SIZE}; received {self.grid_size!r}")
        if not 0 <= self.max_missing < self.num_tiles:
            raise ValueError(
                f"Expected max_missing as an integer from 0 to {self.num_tiles - 1}; received {self.max_missing!r}"
            )
        height, width, channels = self.image_shape
        tile = (height // self.grid_size, width // self.grid_size, channels)
        if height % self.grid_size or width % self.grid_size or self.tile_shape != tile:
            raise ValueError(
                f"Expected images that divide evenly into {self.grid_size} x {self.grid_size} tiles of the encoder's "
                f"shape {self.tile_shape}; received images {self.image_shape}"
            )
        expected, shape = (self.num_tiles, self.num_tiles), tuple(self.tile_placer.output_shape[1:])
        if shape != expected:
            raise ValueError(f"Expected a placer with scores {expected}; received {shape}")
