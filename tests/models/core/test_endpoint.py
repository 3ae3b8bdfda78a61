"""Endpoints: pure functions of their inputs that need only TFLite builtin ops, for every prior and posterior."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_gen import VAE, Autoencoder, Prior
from keras_gen.distributions import draw_noise, heads, posteriors
from keras_gen.export.convert import convert
from keras_gen.export.saved_model import write_saved_model
from keras_gen.layers import FlowPrior, MixturePrior, VampPrior
from keras_gen.models import Endpoint, Port
from tests.models.toys import SHAPE, SIZE, images, linear_decoder, linear_encoder

X = images(3) * 0.8 + 0.1


def vae(posterior="diagonal_normal", head="bernoulli", **options) -> VAE:
    classes = options.get("num_classes")
    encoder = linear_encoder(posteriors.get(posterior).outputs(SIZE), num_classes=classes)
    decoder = linear_decoder(heads.get(head).outputs(1), num_classes=classes)
    return VAE(encoder, decoder, posterior=posterior, head=head, seed=0, **options)


MODELS = {
    "autoencoder": lambda: Autoencoder(linear_encoder(SIZE), linear_decoder()),
    "vae": vae,
    "full covariance": lambda: vae("full_covariance_normal"),
    "classes": lambda: vae(num_classes=3),
    "discretized logistic": lambda: vae(head="discretized_logistic_mixture"),
    "learned normal": lambda: vae(head={"name": "normal", "scale": None}),
    "laplace": lambda: vae(prior=Prior("Laplace", size=SIZE, loc=0.0, scale=1.0)),
    "correlated": lambda: vae(
        prior=Prior("MultivariateNormalTriL", size=SIZE, loc=[0.0, 1.0], scale_tril=[[1.0, 0.0], [0.5, 1.0]])
    ),
    "mixture": lambda: vae(prior=MixturePrior(SIZE, 4)),
    "flow": lambda: vae(prior=FlowPrior(SIZE, couplings=2, hidden=4)),
    "vamp": lambda: vae(prior=VampPrior(SIZE, 4, SHAPE, mean=0.5)),
}


def inputs_of(model, endpoint: Endpoint, num: int) -> dict[str, np.ndarray]:
    noise = draw_noise(model.noise(), num, seed=1)
    values = {"image": X[:num], "z": draw_noise({"z": Prior(size=SIZE).noise["noise"]}, num, 2)["z"], **noise}
    values["label"] = np.eye(3, dtype=np.float32)[[2, 0, 1][:num]]
    return {name: values[name] for name in endpoint.inputs}


@pytest.mark.parametrize("name", MODELS)
def test_endpoints_have_their_shapes_and_values_and_are_deterministic(name):
    model = MODELS[name]()
    endpoints = {each.name: each for each in model.endpoints()}
    assert list(endpoints) == ["encode", "decode", "reconstruct", "generate"]
    results = {}
    for endpoint in endpoints.values():
        inputs = inputs_of(model, endpoint, 3)
        results[endpoint.name] = endpoint.function(**inputs)
        again = endpoint.function(**inputs)
        assert list(results[endpoint.name]) == list(endpoint.outputs)
        for output, port in endpoint.outputs.items():
            value = results[endpoint.name][output]
            assert value.shape == (3, *port.shape) and value.dtype == tf.float32
            np.testing.assert_array_equal(value, again[output])  # deterministic
            if port.range:
                assert port.range[0] <= np.min(value) and np.max(value) <= port.range[1]
        assert [spec.shape[0] for spec in endpoint.specification().values()] == [None] * len(inputs)
    label = {} if not model.num_classes else {"label": inputs_of(model, endpoints["decode"], 3)["label"]}
    # reconstruct is decode after encode, and generate agrees with `generate`
    decoded = endpoints["decode"].function(z=results["encode"]["z"], **label)["image"]
    np.testing.assert_allclose(decoded, results["reconstruct"]["image"], rtol=1e-6)
    conditions = {} if not model.num_classes else {"label": np.array([2, 0, 1])}
    np.testing.assert_allclose(results["generate"]["image"], model.generate(3, seed=1, **conditions), rtol=1e-5)
    if "scale" in results["encode"]:
        q = model.family.distribution(model.encoded(X, label.get("label")), SIZE)
        np.testing.assert_allclose(results["encode"]["scale"], q.stddev(), rtol=1e-5)


# the contract exports the first two models
@pytest.mark.parametrize("name", list(MODELS)[2:])
def test_endpoints_need_only_builtin_ops(name, tmp_path):
    model = MODELS[name]()
    endpoints = model.endpoints()
    for endpoint in endpoints:
        graph = tf.function(endpoint.function).get_concrete_function(**endpoint.specification(1)).graph
        assert not [each.name for each in graph.get_operations() if "Random" in each.type]
    write_saved_model(endpoints, tmp_path, batch=1)
    content = convert(str(tmp_path), [each.name for each in endpoints], "float32")  # raises for any other op
    interpreter = Interpreter(model_content=content)
    for endpoint in endpoints:
        inputs = inputs_of(model, endpoint, 1)
        outputs = interpreter.get_signature_runner(endpoint.name)(**inputs)
        for output, value in endpoint.function(**inputs).items():
            # float32 sums in a different order, and different implementations of exp and log
            np.testing.assert_allclose(outputs[output], value, rtol=1e-5, atol=1e-5)


def test_port():
    assert Port((2, 3, 1), "image").shape == (2, 3, 1)
    assert Port((3,), "label").range == (0.0, 1.0) and Port((3,), "latent").range is None
    known = "image, latent, normal, uniform, uniform_symmetric, one_hot, label, attributes, mask, value"
    with pytest.raises(ValueError, match=f"Expected kind as one of {known}; received 'picture'"):
        Port((1,), "picture")
