"""The list of systems: complete declarations, the models that they build, and errors in settings."""

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import VAE, zoo
from keras_gen.layers import FlowPrior, MixturePrior, VampPrior
from keras_gen.losses import penalties

TOY: dict[str, Any] = {"network": "mlp", "hidden_units": 8, "latent_size": 2}
GRAY, COLOR = (8, 8, 1), (8, 8, 3)
# settings that have no default
NEEDS: dict[str, dict[str, Any]] = {"text2image": {"vocabulary": ("red", "circle")}}


@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_declarations_are_complete(key):
    system = zoo.get(key)
    assert system.key == key and system.title and any(character.isdigit() for character in system.paper)
    assert system.data and system.endpoints and system.settings
    assert system.batch_size >= 1 and system.updates >= 1 and system.learning_rate > 0


@pytest.mark.parametrize("key", zoo.SYSTEMS)
def test_every_setting_is_described(key):
    descriptions = zoo.get(key).setting_descriptions
    assert descriptions.keys() == zoo.get(key).settings.keys()
    assert not [name for name, description in descriptions.items() if not description]


def test_descriptions_come_from_the_docstring():
    def create(image_shape, seed, *, depth: int = 2, size: int = 3, noise: float = 0.0, other: int = 0):
        """Builds a model.

        Args:
            image_shape: (height, width, channels): a tuple.
            seed: Seed.
            depth: Layers of the network,
                >= 1: the default is 2.

            size (int): Units.
            noise: Standard deviation.

        Raises:
            ValueError: For depth: 0.
            other: This is no argument.
        """

    system = zoo.System("key", "Title", "2020", functools.partial(create, size=4), data=(), endpoints=())
    assert system.settings == {"depth": 2, "size": 4, "noise": 0.0, "other": 0}
    assert system.setting_descriptions == {
        "depth": "Layers of the network, >= 1: the default is 2.",
        "size": "Units.",
        "noise": "Standard deviation.",
        "other": "",
    }


def test_default_views_of_known_data():
    stargan, celebrities = zoo.get("stargan"), ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    assert stargan.default_view("shapes") == {"attributes": ["color"]}
    assert stargan.default_view(None, celebrities) == {"attributes": list(celebrities[1:])}
    assert stargan.default_view(None, celebrities[:3]) == zoo.get("vae").default_view("shapes") == {}


def test_pretraining_is_declared_in_stages():
    text2image = zoo.get("text2image")
    assert [stage.name for stage in text2image.pretraining] == ["embedding", "vae"]
    assert text2image.pretraining_updates(text2image.settings) == {"embedding": 2_800, "vae": 11_200}
    assert text2image.pretraining_updates({**text2image.settings, "vae": None}) == {"embedding": 2_800}
    assert zoo.get("vae").pretraining_updates(zoo.get("vae").settings) == {}


@pytest.mark.parametrize("key", zoo.SYSTEMS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)], ids=["gray", "color"])
def test_default_settings_build_a_model(key, shape):
    model = zoo.build(key, shape, seed=3, **NEEDS.get(key, {}))
    assert model.optimizer is not None and model.seed == 3
    assert tuple(each.name for each in model.endpoints()) == zoo.get(key).endpoints
    for endpoint in model.endpoints():
        inputs = {name: tf.zeros(spec.shape) for name, spec in endpoint.specification(batch=1).items()}
        outputs = endpoint.function(**inputs)
        assert {name: tuple(value.shape) for name, value in outputs.items()} == {
            name: (1, *port.shape) for name, port in endpoint.outputs.items()
        }


def test_seed_determines_the_weights():
    first, same, other = (zoo.build("vae", GRAY, seed=seed, **TOY) for seed in (1, 1, 2))
    for left, right in zip(first.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert any((left != right).any() for left, right in zip(first.get_weights(), other.get_weights(), strict=True))


def test_learning_rate_and_optimizer():
    assert float(zoo.build("vae", GRAY, **TOY).optimizer.learning_rate) == pytest.approx(2e-3)
    assert float(zoo.build("vae", GRAY, learning_rate=0.0, **TOY).optimizer.learning_rate) == 0
    optimizer = keras.optimizers.SGD(0.5)
    assert zoo.build("vae", GRAY, optimizer=optimizer, **TOY).optimizer is optimizer


def test_learning_rate_multipliers():
    options: dict[str, Any] = {"base_filters": 8, "dense_units": 8, "learning_rate": 0.1}
    rates = {k: float(v.learning_rate) for k, v in zoo.build("infogan", GRAY, **options).optimizers.items()}
    assert rates == pytest.approx({"discriminator": 0.1, "generator": 0.5})
    optimizer = keras.optimizers.SGD(0.2)
    plain = zoo.build("dcgan", GRAY, base_filters=8, optimizer=optimizer)
    assert [float(each.learning_rate) for each in plain.optimizer.optimizers] == pytest.approx([0.2, 0.2])


def test_a_penalty_removes_batch_normalization():
    normalized = [
        any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.discriminator.layers)
        for model in (zoo.build("dcgan", (16, 16, 1), base_filters=2, penalty=name) for name in (None, "r1"))
    ]
    assert normalized == [True, False]


@pytest.mark.parametrize(
    "key, expected",
    # penalties of a linear discriminator w . x with ||w|| = 5 on images in [0, 1], as in the experiments of RESULTS.md
    [("gan", 25 / 2), ("text2image", 25 / 2), ("progan", 10 * (5 - 1) ** 2), ("dcgan", None), ("infogan", None)],
)
def test_default_penalties(key, expected):
    setting = zoo.get(key).settings["penalty"]
    assert (setting is None) == (expected is None)
    if setting:
        image = np.zeros((3, 2), np.float32)
        linear = lambda x: tf.linalg.matvec(x, [3.0, 4.0])  # noqa: E731
        rows = penalties.get(setting).per_example(linear, image, image, {"alpha": np.zeros((3, 1))})
        np.testing.assert_array_equal(rows, [expected] * 3)


def test_the_head_is_a_setting():
    assert zoo.build("vae", COLOR, head="normal", **TOY).head == "normal"


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_settings_reach_the_networks(network):
    model = zoo.build(
        "vae",
        GRAY,
        network=network,
        **{"conv": {"base_filters": 6}, "mlp": {"hidden_units": 6}}[network],
        latent_size=5,
        num_classes=4,
    )
    assert model.latent_size == 5 and model.num_classes == 4
    assert model.encoder.output_shape == (None, 10)
    kind = keras.layers.Conv2D if network == "conv" else keras.layers.Dense
    first = next(layer for layer in model.encoder.layers if isinstance(layer, kind))
    assert (first.filters if network == "conv" else first.units) == 6


@pytest.mark.parametrize("key, outputs", [("autoencoder", 2), ("vae", 4), ("aae", 2)])
def test_hidden_layers_of_several_widths(key, outputs):
    model = zoo.build(key, GRAY, network="mlp", hidden_units=[7, 6, 5], activation="relu", latent_size=2)
    widths = [
        [(layer.units, layer.activation.__name__) for layer in network.layers if isinstance(layer, keras.layers.Dense)]
        for network in (model.encoder, model.decoder)
    ]
    assert widths == [
        [(7, "relu"), (6, "relu"), (5, "relu"), (outputs, "linear")],
        [(5, "relu"), (6, "relu"), (7, "relu"), (64, "linear")],
    ]


@pytest.mark.parametrize(
    "prior, check",
    [
        ("normal", lambda prior: prior.name == "Normal"),
        ({"name": "Laplace", "loc": 0.0, "scale": 1.0}, lambda prior: prior.name == "Laplace"),
        ("mixture", lambda prior: isinstance(prior, MixturePrior) and prior.components == 10),
        ({"name": "mixture", "components": 3}, lambda prior: prior.components == 3),
        ({"name": "flow", "couplings": 3}, lambda prior: isinstance(prior, FlowPrior) and prior.couplings == 3),
        ({"name": "vamp", "components": 7}, lambda prior: isinstance(prior, VampPrior) and prior.components == 7),
    ],
    ids=["normal", "laplace", "mixture", "mixture of 3", "flow", "vamp"],
)
def test_priors(prior, check):
    model = zoo.build("vae", GRAY, prior=prior, **TOY)
    assert isinstance(model, VAE) and check(model.prior) and model.prior.size == 2


@pytest.mark.parametrize(
    "key, settings, message",
    [
        ("gpt", {}, "Expected one of the systems aae, autoencoder, .*; received 'gpt'"),
        ("vae", {"depth": 3}, "Expected settings of 'vae': .*latent_size .default 32..*; received depth"),
        ("vae", {"network": "resnet"}, "Expected network='conv' or 'mlp'; received 'resnet'"),
        (
            "vae",
            {"prior": "gauss"},
            "Expected prior as the name of a distribution in tfp.distributions; received 'gauss'",
        ),
        ("vae", {"network": "mlp", "base_filters": 8}, "Expected no base_filters with network='mlp'.*set hidden_units"),
        ("aae", {"network": "conv", "hidden_units": 8}, "Expected no hidden_units.*'conv'.*set base_filters"),
        ("autoencoder", {"loss": "l1"}, "Expected loss as one of mse, bernoulli; received 'l1'"),
        ("text2image", {}, "Expected the setting vocabulary of text2image, the words of its captions; received none"),
        ("text2image", {"vocabulary": ["Red"]}, "Expected normalized words"),
        (
            "text2image",
            {"vocabulary": ["red"], "embedding_loss": "mse"},
            "Expected embedding_loss as one of .*received 'mse'",
        ),
    ],
)
def test_errors(key, settings, message):
    with pytest.raises(ValueError, match=message):
        zoo.build(key, GRAY, **settings)


def test_cyclegan_depends_on_the_sizes():
    def count(model, kind=keras.layers.Add) -> int:
        return sum(isinstance(layer, kind) for layer in model.layers)

    small = zoo.build("cyclegan", GRAY, base_filters=2, network="residual")
    assert count(small.generator_ab) == 3 and count(small.generator_ab, keras.layers.Conv2DTranspose) == 1
    assert (small.cycle_weight, small.identity_weight) == (10, 5)
    assert count(zoo.build("cyclegan", (64, 64, 1), base_filters=1).generator_ab) == 6
    assert count(zoo.build("cyclegan", (256, 256, 3), base_filters=1).generator_ba) == 9
    other = zoo.build("cyclegan", GRAY, base_filters=2, blocks=1, domain_b=(12, 16, 3))
    assert other.image_fields == {"domain_a": GRAY, "domain_b": (12, 16, 3)}
    full = zoo.build("cyclegan", (16, 24, 3), base_filters=2, blocks=1, crop=8, export_size=(24, 24))
    assert full.trained_shape("a") == (8, 8, 3) and full.image_shape == (16, 24, 3)
    assert full.endpoints()[0].inputs["domain_a"].shape == (24, 24, 3)
    assert full.a_to_b(np.zeros((1, 32, 20, 3), np.float32)).shape == (1, 32, 20, 3)
    masked = zoo.build("cyclegan", GRAY, base_filters=2)
    assert masked.generator_ba.get_layer("change").output.shape == (None, *GRAY)
    assert (masked.cycle_weight, masked.identity_weight) == (2, 0)
    for options in ({"network": "unet", "masked": False}, {"domain_b": (*GRAY[:2], 3)}):
        plain = zoo.build("cyclegan", GRAY, base_filters=2, **options)
        assert "change" not in [layer.name for layer in plain.generator_ba.layers] and plain.cycle_weight == 10
    with pytest.raises(ValueError, match="Expected network='unet' with masked=True"):
        zoo.build("cyclegan", GRAY, network="residual", masked=True)
    with pytest.raises(ValueError, match="Expected network='residual' or 'unet'; received 'vgg'"):
        zoo.build("cyclegan", GRAY, network="vgg")
    with pytest.raises(ValueError, match="Expected no blocks with network='unet'.*set num_downsamples instead"):
        zoo.build("cyclegan", GRAY, network="unet", blocks=3)
    with pytest.raises(ValueError, match="Expected no up_kernel with network='unet'.*set network='residual' instead"):
        zoo.build("cyclegan", GRAY, network="unet", up_kernel=3)
    with pytest.raises(ValueError, match="num_downsamples=0"):  # and not the default instead
        zoo.build("cyclegan", GRAY, network="unet", num_downsamples=0)
    with pytest.raises(ValueError, match="Expected domains of one size with crop"):
        zoo.build("cyclegan", GRAY, domain_b=(16, 16, 1), crop=8)


def test_cyclegan_loads_a_classifier_from_a_file(tmp_path):
    classifier = keras.Sequential([keras.Input(GRAY), keras.layers.Flatten(), keras.layers.Dense(3)])
    classifier.save(tmp_path / "classifier.keras")
    model = zoo.build(
        "cyclegan", GRAY, base_filters=2, blocks=1, classifier=str(tmp_path / "classifier.keras"), source="b"
    )
    assert model.source == "b" and "semantic_agreement" in model.tracked
    np.testing.assert_array_equal(model.classifier.get_weights()[0], classifier.get_weights()[0])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert again.get_config()["semantics"] == "both" and not again.classifier.trainable


@pytest.mark.parametrize(
    "key, settings, message",
    [
        (
            "vae",
            {"latent_size": "abc"},
            r"Expected an integer >= 1 for the setting latent_size of 'vae'; received 'abc'",
        ),
        ("vae", {"latent_size": 2.5}, r"an integer >= 1 .*latent_size.*received 2.5"),
        ("vae", {"latent_size": -1}, r"an integer >= 1 .*latent_size.*received -1"),
        ("vae", {"latent_size": None}, r"an integer >= 1 .*latent_size.*received None"),
        ("vae", {"base_filters": True}, r"an integer >= 1 or None .*base_filters.*received True"),
        ("vae", {"beta": "x"}, r"a number .*beta.*received 'x'"),
        ("vae", {"head": 3}, r"a string or a dict or None .*head.*received 3"),
        ("gan", {"num_classes": "3"}, r"an integer >= 0 or None .*num_classes.*received '3'"),
        ("gan", {"ema": "no"}, r"a number or None .*ema.*received 'no' \(the default is 0.999\)"),
        ("gan", {"augment": 3}, r"a list of strings .*augment.*received 3"),
        ("aae", {"supervised": "yes"}, r"true or false .*supervised.*received 'yes'"),
        ("stargan", {"groups": "abc"}, r"a list of integers .*groups.*received 'abc'"),
        ("stargan", {"groups": [2, "x"]}, r"a list of integers .*groups"),
        ("progan", {"batch_sizes": 3}, r"a dict or None .*batch_sizes.*received 3"),
        ("cyclegan", {"crop": "x"}, r"an integer >= 0 or a list of integers or None .*crop.*received 'x'"),
    ],
)
def test_settings_of_a_wrong_type_are_refused(key, settings, message):
    with pytest.raises(ValueError, match=message):
        zoo.build(key, COLOR, **settings)


def test_settings_of_every_declared_type_are_accepted():
    for settings in ({"hidden_units": np.int64(4)}, {"beta": 2}, {"prior": {"name": "normal"}}, {"kl_warmup_steps": 0}):
        assert zoo.build("vae", GRAY, **(TOY | settings)).beta == settings.get("beta", 1)
    gan = zoo.build("gan", GRAY, hidden_units=4, ema=False, augment="color", penalty=None)
    assert gan.augment == ("color",) and gan.penalty is None
    # 0 means no hidden dense layer
    dense = [layer for layer in zoo.build("dcgan", GRAY, base_filters=2, dense_units=0).discriminator.layers]
    assert sum(type(layer).__name__ == "Dense" for layer in dense) == 1
