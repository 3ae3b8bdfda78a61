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


def test_classes_of_categories_are_chosen_on_training_images(monkeypatch):
    # training images of class 0 fall into category 1, those of class 1 into categories 0 and 2
    labels = np.array([0, 0, 1, 1, 1])
    assigned = {"train": np.array([1, 1, 0, 2, 2]), "test": np.array([1, 2, 0, 0, 1])}

    def images_of(split, data_dir):
        return {"image": assigned[split], "label": labels}

    monkeypatch.setattr(adversarial, "images_of", images_of)
    monkeypatch.setattr(adversarial, "categories", lambda model, images: np.eye(3)[images])
    measured = adversarial.category_error(None, None, 1)
    assert measured == {"test_error": pytest.approx(0.4), "categories_used": 3, "classes_named": 2}
