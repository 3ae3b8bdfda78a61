"""Puzzle-GAN on a grid: all tiles of an image in unknown order, some missing, and where each belongs."""

# More than 250 lines: what is cut up, placed, painted, exported and shown belongs to one layout.

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from keras_gen.losses import assignment_cross_entropy, log_sinkhorn, masked_error

from ..core.endpoint import Endpoint, Port
from .base import Puzzle
from .tiles import alike, join, seams, split

LARGEST_SIDE = 5


@keras.saving.register_keras_serializable("keras_gen")
class PuzzleGrid(Puzzle):
    """All tiles of a k x k grid in unknown order, some missing; out come the restored image and scores tile x place.

    One encoder reads every tile, a placer scores each of them against each place, and every place of a canvas gets the
    mean of the tiles, weighted by the softmax of their scores. A painter makes the image of the canvas and noise z: it
    smooths what is doubtful and fills in what is missing. Placing is learned from the Sinkhorn normalization of the
    scores (one tile for each place, one place for each tile); the best assignment is found outside the graph, by
    `restore` here and by `solve` in the runtime.

    Tiles that are the same pixel by pixel are interchangeable, in training and in every measure.

    Args:
        tile_encoder: tiles [batch, height, width, channels] -> embeddings [batch, size].
        tile_placer: [embeddings [batch, k * k, size], presence [batch, k * k], seams [batch, k * k, k * k, 4] (see
            `keras_gen.models.puzzlegan.tiles`)] -> scores [batch, k * k, k * k].
        canvas_painter: [canvas, coverage [batch, height, width, 1], z] -> images in [0, 1].
        discriminator: images -> logits [batch, 1]; its terms are those of `PuzzleGAN`, and the part that is given is
            where tiles are there.
        side: k, 2 to 5.
        max_missing: in training 0 to `max_missing` tiles are missing, all numbers as likely.
        iterations: of Sinkhorn's normalization.
        shuffle_channels: in training the encoder, and nothing else, sees each image's channels in a random order: where a tile
            belongs is told by its shapes.
        latent_size, objective, adversarial_weight, place_weight, appearance_weight, half_life, min_weight: see `Puzzle`.
        ema: decay of the generator's moving average, or None.
        seed: of all noise.

    Raises:
        ValueError: for networks that do not fit, or numbers out of range.

    Reference:
        Lee et al. 2017, arXiv:1703.10730 (the adversarial part). Mena, Belanger, Linderman, Snoek 2018,
        arXiv:1802.08665 (Sinkhorn).
    """

    averaged_networks = shared_networks = ("tile_encoder", "tile_placer", "canvas_painter")
    tracked = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy"),
        *("place_loss", "appearance_loss", "tiles_right"),
    )

    def __init__(
        self,
        tile_encoder: keras.Model,
        tile_placer: keras.Model,
        canvas_painter: keras.Model,
        discriminator: keras.Model,
        *,
        grid_size: int = 3,
        max_missing: int = 2,
        iterations: int = 10,
        shuffle_channels: bool = True,
        ema: float | None = 0.999,
        **kwargs,
    ):
        self.grid_size, self.max_missing, self.iterations, self.shuffle_channels = (
            grid_size,
            max_missing,
            iterations,
            shuffle_channels,
        )
        self.num_tiles, self.tile_shape = grid_size * grid_size, tuple(tile_encoder.input_shape[1:])
        self.tile_encoder, self.tile_placer, self.canvas_painter = tile_encoder, tile_placer, canvas_painter
        kwargs.setdefault("latent_size", int(canvas_painter.inputs[2].shape[-1]))
        super().__init__(canvas_painter.output_shape[1:], discriminator, ema=ema, **kwargs)
        self._check()

    # training

    def shared_forward(self, batch, batch_noise, training):
        image, num = batch["image"], self.num_tiles
        whole = split(image, self.grid_size)
        order = tf.argsort(batch_noise.uniform([num]), axis=1)
        missing = tf.cast(batch_noise.uniform([]) * (self.max_missing + 1), tf.int32)
        presence = tf.cast(tf.range(num)[None] >= missing[:, None], tf.float32)
        tiles = tf.gather(whole, order, batch_dims=1)
        colors = (
            tf.argsort(batch_noise.uniform([image.shape[-1]]), axis=1) if training and self.shuffle_channels else None
        )
        scores, generated = self.forward(tiles, presence, batch_noise.noise(self.noise())["z"], training, False, colors)
        # where the tiles that are there belong: of a place's mask, not of what the placer thinks
        there = tf.gather(presence, tf.argsort(order, axis=1), batch_dims=1)
        inside = self.planes(there[:, :, None])
        shared = {"generated": generated, "scores": scores, "fits": alike(tiles, whole), "presence": presence}
        shared["inside"] = inside
        return shared | self.composites(image, inside, batch_noise.global_batch)

    def forward(
        self, tiles, presence, z, training: bool = False, averaged: bool = True, colors=None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Tiles -> scores and images, float32; by the averages, or else by what is trained.

        Args:
            tiles: [batch, k * k, *tile_shape] in [0, 1].
            presence: 1 for a tile that is there, 0 for one whose pixels do not count, [batch, k * k].
            z: noise [batch, latent_size].
            colors: the order in which the encoder sees an image's channels, [batch, channels]; None is their own.
        """
        network = self.inference_network if averaged else lambda name: getattr(self, name)
        tiles, presence, z = (tf.convert_to_tensor(each) for each in (tiles, presence, z))
        seen = tiles if colors is None else tf.gather(tiles, colors, axis=4, batch_dims=1)
        flat = tf.reshape(seen, [-1, *self.tile_shape])
        embeddings = tf.reshape(network("tile_encoder")(flat, training=training), [-1, self.num_tiles, self._size])
        scores = tf.cast(network("tile_placer")([embeddings, presence, seams(tiles)], training=training), tf.float32)
        shares = tf.nn.softmax(scores, axis=2) * presence[:, :, None]
        by_place = tf.transpose(shares, [0, 2, 1])
        total = tf.reduce_sum(by_place, axis=2, keepdims=True)
        height, width, channels = self.tile_shape
        pixels = tf.matmul(by_place, tf.reshape(tiles, [-1, self.num_tiles, height * width * channels]))
        pixels /= tf.maximum(total, 1.0)
        canvas = join(tf.reshape(pixels, [-1, self.num_tiles, *self.tile_shape]), self.grid_size)
        coverage = self.planes(tf.minimum(total, 1.0))
        image = network("canvas_painter")([canvas, coverage, z], training=training)
        return scores, tf.cast(image, tf.float32)

    def planes(self, values) -> tf.Tensor:
        """A value for each place, [batch, k * k, 1] -> [batch, height, width, 1]."""
        height, width = self.tile_shape[:2]
        maps = tf.reshape(values, [-1, self.grid_size, self.grid_size, 1])
        return tf.repeat(tf.repeat(maps, height, axis=1), width, axis=2)

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """Adversarial loss, cross-entropy of the places, and the error of the whole image."""
        fits, presence = tf.stop_gradient(shared["fits"]), tf.stop_gradient(shared["presence"])
        assigned = tf.exp(log_sinkhorn(shared["scores"], self.iterations))
        # the canvas takes the softmax, which knows nothing of the other tiles' places: it is taught as well
        placed = 0.5 * (
            assignment_cross_entropy(assigned, fits, presence)
            + assignment_cross_entropy(tf.nn.softmax(shared["scores"], axis=2), fits, presence)
        )
        appearance = masked_error(batch["image"], shared["generated"], tf.ones_like(batch["image"][..., :1]))
        best = tf.one_hot(tf.argmax(shared["scores"], axis=2), self.num_tiles)
        right = tf.reduce_sum(fits * best, axis=2)
        right = tf.reduce_sum(right * presence, axis=1) / tf.maximum(tf.reduce_sum(presence, axis=1), 1.0)
        metrics = {"place_loss": placed, "appearance_loss": appearance, "tiles_right": right}
        return self.total_loss(self.judged(shared["generated"], training), placed, appearance), metrics

    # use

    @property
    def optional_image_fields(self):
        return {"tiles": None}

    def restored(self, tiles, presence, z) -> dict[str, tf.Tensor]:
        """What `restore` gives: `image` and `scores` [batch, k * k, k * k] of tile against place."""
        scores, image = self.forward(tiles, presence, z)
        return {"image": image, "scores": scores}

    def restore(self, tiles, presence=None, *, seed: int | None = None) -> dict[str, np.ndarray]:
        """Make images of tiles.

        Args:
            tiles: [num, count, *tile_shape] in [0, 1], 1 <= count <= k * k, in any order; the others are missing.
            presence: 1 or 0 for each, [num, count]; None is all of them.
            seed: of the noise z, 0 <= seed < 2**63; None draws one.

        Returns:
            `image` float32 [num, height, width, channels] in [0, 1]; `scores` [num, k * k, k * k] of tile against
            place; `places` int64 [num, k * k], the best assignment of tiles to places, where missing tiles have the
            places that are left; and `solved`, the image with the tiles themselves at their places.

        Raises:
            ValueError: for other shapes.
        """
        tiles, presence = self.pad_pieces("tiles", tiles, presence, self.num_tiles, self.tile_shape)
        found = self.restored(tiles, presence, self.noise_of(len(tiles), seed))
        shared = {name: value.numpy() for name, value in found.items()}
        shared["places"] = self.places(shared["scores"])
        shared["solved"] = self.laid_out(tiles, presence, shared["places"], shared["image"])
        return shared

    @staticmethod
    def places(scores: np.ndarray) -> np.ndarray:
        """The assignment with the largest sum of scores: [num, tiles, places] -> int64 [num, tiles]."""
        return np.stack([linear_sum_assignment(each, maximize=True)[1] for each in np.asarray(scores, np.float64)])

    def laid_out(self, tiles, presence, places, images) -> np.ndarray:
        """The tiles that are there at their places, and everywhere else the given images: [num, height, width,
        channels].
        """
        whole = split(tf.constant(images), self.grid_size).numpy()
        rows, which = np.nonzero(np.asarray(presence) > 0.5)
        whole[rows, places[rows, which]] = tiles[rows, which]
        return join(tf.constant(whole), self.grid_size).numpy()

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """A batch with `tiles` and `presence`, or an `image` (or images alone) that is cut up, and `z` -> images.

        Without `z` it is 0, the middle of the noise.
        """
        batch = dict(inputs) if isinstance(inputs, dict) else {"image": inputs}
        if "tiles" not in batch:
            batch["tiles"] = split(batch["image"], self.grid_size)
        rows = tf.shape(batch["tiles"])[0]
        presence = batch["presence"] if "presence" in batch else tf.ones([rows, self.num_tiles])
        z = batch["z"] if "z" in batch else tf.zeros([rows, self.latent_size])
        return self.restored(batch["tiles"], presence, z)["image"]

    def endpoint_columns(self, columns):
        tiles, presence, _ = self.shuffled(columns["image"], self.max_missing // 2, seed=0)
        return {"tiles": tiles, "presence": presence}

    def cut_tiles(self, images: np.ndarray) -> np.ndarray:
        """Returns the tiles of images row by row, float32 [num, k * k, *tile_shape]."""
        return split(tf.constant(images), self.grid_size).numpy()

    def shuffled(self, images, missing: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Puzzles to solve: tiles in random order of which some are missing.

        Args:
            images: [num, height, width, channels] in [0, 1].
            missing: tiles that are left out of each, 0 <= missing < k * k.
            seed: of the order and of which are missing.

        Returns:
            Tiles [num, k * k, *tile_shape] (zeros where missing), presence [num, k * k], and the true place of each
            tile, int64 [num, k * k].
        """
        whole = split(tf.constant(images), self.grid_size).numpy()
        places = np.random.default_rng(seed).permuted(np.tile(np.arange(self.num_tiles), (len(whole), 1)), axis=1)
        presence = np.ones((len(whole), self.num_tiles), np.float32)
        presence[:, :missing] = 0
        tiles = np.take_along_axis(whole, places[:, :, None, None, None], axis=1)
        return tiles * presence[:, :, None, None, None], presence, places

    def examples(self, batch):
        tiles, presence, _ = self.shuffled(batch["image"], self.max_missing, seed=0)
        shared = self.restore(tiles, presence, seed=0)
        given = join(tf.constant(tiles + 1 - presence[:, :, None, None, None]), self.grid_size).numpy()
        columns = {"source": batch["image"], "given": given, "solved": shared["solved"], "restored": shared["image"]}
        return {"tiles | restored": columns}

    def endpoints(self):
        """`restore`: tiles, presence and noise z -> image, and scores of tile against place."""
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
            return self.restored(tiles, presence, z)

        return [Endpoint("restore", restore, inputs, outputs)]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("grid_size", "max_missing", "iterations", "shuffle_channels")},
        }

    def _check(self):
        if not 2 <= self.grid_size <= LARGEST_SIDE:
            raise ValueError(f"grid_size must be an integer from 2 to {LARGEST_SIDE}; received {self.grid_size!r}")
        if not 0 <= self.max_missing < self.num_tiles:
            raise ValueError(
                f"max_missing must be an integer from 0 to {self.num_tiles - 1}; received {self.max_missing!r}"
            )
        height, width, channels = self.image_shape
        tile = (height // self.grid_size, width // self.grid_size, channels)
        if height % self.grid_size or width % self.grid_size or self.tile_shape != tile:
            raise ValueError(
                f"Images {self.image_shape} cut into {self.grid_size} x {self.grid_size} must give the tiles that the encoder "
                f"takes, {self.tile_shape}, without a rest"
            )
        wanted = (self.num_tiles, self.num_tiles)
        if self.tile_placer.output_shape[1:] != wanted:
            raise ValueError(f"The placer gives scores {self.tile_placer.output_shape[1:]}; expected {wanted}")

    @property
    def _size(self) -> int:
        return int(self.tile_encoder.output_shape[-1])
