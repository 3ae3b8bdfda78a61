"""Every model with a prior checks it when it is built, not in the first training step."""

import keras
import pytest
import tensorflow_probability as tfp

from keras_gen import zoo
from keras_gen.distributions import Prior
from keras_gen.models import GAN, VAE, AdversarialAutoencoder

IMAGE_SHAPE = (8, 8, 1)
NETWORKS = {
    "vae": (VAE, ("encoder", "decoder")),
    "gan": (GAN, ("generator", "discriminator")),
    "aae": (AdversarialAutoencoder, ("encoder", "decoder", "discriminator")),
}


@pytest.mark.parametrize("key", NETWORKS)
@pytest.mark.parametrize(
    "prior, message",
    [
        (Prior(size=3), "Expected a prior of size 2, .*; received 3"),
        (tfp.distributions.Normal(0.0, 1.0), r"Expected prior as a keras_gen.Prior.*received .*Normal"),
    ],
    ids=["size", "distribution"],
)
def test_a_prior_that_does_not_fit_is_refused(key, prior, message):
    build, names = NETWORKS[key]
    model = zoo.build(key, IMAGE_SHAPE, seed=0, latent_size=2)
    networks = [keras.models.clone_model(getattr(model, name)) for name in names]
    with pytest.raises(ValueError, match=message):
        build(*networks, prior=prior)
