"""Each configuration builds, and has a learning rate for each of its players."""

import numpy as np
import pytest

from benchmarks import adversarial
from keras_gen.models import AdversarialModel


@pytest.mark.parametrize("name", adversarial.CONFIGURATIONS)
def test_every_player_has_a_learning_rate(name):
    it = adversarial.CONFIGURATIONS[name]
    model = it.build(1)
    players = {player.name for player in model.players()} if isinstance(model, AdversarialModel) else {"model"}
    assert set(it.rates) == players
    assert model.image_shape == it.image_shape


def test_settings_change_by_name():
    it = adversarial.CONFIGURATIONS["dcgan"]
    changed = adversarial.changed(it, ["cosine=true", "options.upsampling=resize", "rates.generator=1e-4"])
    assert changed.cosine is True
    assert changed.options == it.options | {"upsampling": "resize"}
    assert changed.rates == it.rates | {"generator": 1e-4}
    assert changed.paper == it.paper
    with pytest.raises(ValueError, match="Expected NAME=VALUE.*received 'seed=2'"):
        adversarial.changed(it, ["seed=2"])


def test_settings_are_only_changed_in_a_validation(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["adversarial", "dcgan", "--set", "cosine=true"])
    with pytest.raises(SystemExit):
        adversarial.main()
    assert "Expected --set and --stop with --validate alone" in capsys.readouterr().err


def test_classes_of_categories_are_chosen_on_training_images(monkeypatch):
    # training images of class 0 fall into category 1, those of class 1 into categories 0 and 2
    labels = np.array([0, 0, 1, 1, 1])
    assigned = {"train": np.array([1, 1, 0, 2, 2]), "test": np.array([1, 2, 0, 0, 1])}

    def images(split):
        return {"image": assigned[split], "label": labels}

    monkeypatch.setattr(adversarial, "categories", lambda model, rows: np.eye(3)[rows])
    measured = adversarial.category_error(None, images, 1)
    assert measured == {"test_error": pytest.approx(0.4), "categories_used": 3, "classes_named": 2}
