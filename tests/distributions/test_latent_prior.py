"""The interface of priors: what has it, and the errors of what does not."""

import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions import LatentPrior, PetalPrior, Prior, SwissRollPrior, check_prior
from keras_gen.layers import FlowPrior, MixturePrior, VampPrior


class Incomplete:
    """A prior that cannot be sampled from base noise."""

    size, full_support, noise = 2, True, {}

    def distribution(self, encode):
        return tfp.distributions.MultivariateNormalDiag(tf.zeros(2))


@pytest.mark.parametrize(
    "prior",
    [Prior(size=2), PetalPrior(3), SwissRollPrior(), MixturePrior(2, 3), FlowPrior(2), VampPrior(2, 3, (4, 4, 1))],
    ids=lambda prior: type(prior).__name__,
)
def test_the_priors_of_the_package_have_the_interface(prior):
    assert isinstance(prior, LatentPrior)
    assert check_prior(prior, 2) is prior
    with pytest.raises(ValueError, match="Expected a prior of size 3, the size of the styles; received 2"):
        check_prior(prior, 3, "styles")


@pytest.mark.parametrize("prior", ["normal", tfp.distributions.Normal(0.0, 1.0), Incomplete()])
def test_other_objects_are_refused_with_a_remedy(prior):
    with pytest.raises(ValueError, match=r"Expected prior as a keras_gen.Prior.*Prior\('Laplace', size=2"):
        check_prior(prior, 2)
