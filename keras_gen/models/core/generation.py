"""How a model generates: noise from a seed, conditions, images in parts."""

import numpy as np
import tensorflow as tf

from keras_gen.distributions.noise import draw_noise, given_noise


class Generating:
    """The `generate` of every model: base noise drawn on the host, and what the model makes of it."""

    def noise(self) -> dict:
        """Base noise of one image: input name -> `keras_gen.distributions.Noise`; none for a model without a prior."""
        return self.prior.noise if hasattr(self, "prior") else {}

    def generate_from(self, noise: dict, **conditions) -> tf.Tensor:
        """Images in [0, 1] from base noise {name: [num, ...]}; no random operation inside."""
        raise NotImplementedError

    def conditions_of(self, num: int, **conditions) -> dict:
        """Check the conditions of `generate` and turn each into a float32 array with `num` rows."""
        if conditions:
            raise ValueError(f"{type(self).__name__} takes no condition; received {', '.join(sorted(conditions))}")
        return {}

    def generate_options(self, conditions: dict) -> dict:
        """Take out of the conditions what is the same for all images of a call, as `generate_from` takes it."""
        return {}

    def generate(self, num: int, *, seed: int | None = None, batch_size: int = 128, **conditions) -> np.ndarray:
        """Draw images from the model.

        The same seed gives the same images here, in the SavedModel and in the TensorFlow-free runtime, up to float32
        rounding: the noise is drawn on the host.

        Args:
            num: images, >= 1.
            seed: 0 <= seed < 2**63; None draws one.
            batch_size: images decoded at a time.
            **conditions: the conditions, e.g. `label="cat"` (a name), `label=3` (an index) or a list of
                these, one for each image; noise of one's own by its name in `noise()` takes the place of what would be
                drawn.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for num < 1, a seed out of range, a condition that the model does not take, or a model that
                makes its images of others.
        """
        offered = [endpoint.name for endpoint in self.endpoints()]
        if "generate" not in offered:
            raise ValueError(f"{type(self).__name__} makes images of images: it offers {', '.join(offered)}")
        for name, value in (("num", num), ("batch_size", batch_size)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1; received {value!r}")
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        noise = draw_noise(self.noise(), num, seed)
        for name in sorted(set(noise) & set(conditions)):
            noise[name] = given_noise(name, self.noise()[name], conditions.pop(name), num)
        manner = self.generate_options(conditions)
        conditions = self.conditions_of(num, **conditions)
        images = []
        for start in range(0, num, batch_size):
            rows = slice(start, start + batch_size)
            part = {name: tf.constant(value[rows]) for name, value in noise.items()}
            told = {name: tf.constant(value[rows]) for name, value in conditions.items()}
            images.append(self.generate_from(part, **told, **manner).numpy())
        return np.concatenate(images)
