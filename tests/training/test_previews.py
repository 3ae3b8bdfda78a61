import numpy as np
import pytest
from PIL import Image

from keras_gen import data, pictures, zoo
from keras_gen.training.previews import SampleGrid, mixed_batch, picture_of

SIZE = {"network": "mlp", "hidden_units": 4, "latent_size": 2}


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return {"image": random.random((8, 32, 32, 1), np.float32), "label": np.arange(8, dtype=np.int32) % 3}


def has_panel(picture, other):
    """Returns whether a picture contains another one as a panel, in the first row at any column."""
    top = pictures.FONT_SIZE + 6 + 8
    height, width = other.shape[:2]
    rows = picture[top : top + height, :, 0]
    return any((rows[:, left : left + width] == other[..., 0]).all() for left in range(rows.shape[1] - width + 1))


def test_samples_and_reconstructions_are_side_by_side(batch):
    model = zoo.build("vae", (32, 32, 1), **SIZE)
    picture = picture_of(model, batch, num=16, seed=5)
    assert has_panel(picture, pictures.grid(model.generate(16, seed=5), scale=2))
    reconstructions = pictures.pairs(batch["image"], model.reconstruct(batch["image"]).numpy(), columns=2, scale=2)
    assert has_panel(picture, reconstructions)
    assert not has_panel(picture, pictures.grid(model.generate(16, seed=6), scale=2))


def test_inputs_are_shown_before_binarization(batch):
    model = zoo.build("vae", (32, 32, 1), **SIZE)
    binary = {"image": (batch["image"] > 0.5).astype(np.float32)}
    picture = picture_of(model, binary, num=16, originals=batch)
    reconstructed = model.reconstruct(binary["image"]).numpy()
    assert has_panel(picture, pictures.pairs(batch["image"], reconstructed, columns=2, scale=2))
    assert not has_panel(picture, pictures.pairs(binary["image"], reconstructed, columns=2, scale=2))


def test_samples_of_a_conditional_model_cycle_through_its_classes(batch):
    model = zoo.build("vae", (32, 32, 1), num_classes=3, **SIZE)
    picture = picture_of(model, batch, num=4, seed=5)
    assert has_panel(picture, pictures.grid(model.generate(4, seed=5, label=[0, 1, 2, 0]), scale=2))
    reconstructed = model.reconstruct(batch["image"][:2], np.eye(3, dtype=np.float32)[:2]).numpy()
    assert has_panel(picture, pictures.pairs(batch["image"][:2], reconstructed, columns=1, scale=2))


def test_a_picture_is_written_after_each_epoch(tmp_path, batch):
    callback = SampleGrid(tmp_path / "samples", batch, num=4)
    callback.set_model(zoo.build("autoencoder", (32, 32, 1), **SIZE))
    callback.on_epoch_end(0)
    callback.on_epoch_end(11)
    files = sorted(tmp_path.rglob("*.png"))
    assert [file.name for file in files] == ["epoch_0001.png", "epoch_0012.png"]
    assert (np.asarray(Image.open(files[0])) == np.asarray(Image.open(files[1]))).all()  # the same noise and images


def test_examples_include_all_classes_of_a_sorted_source(tmp_path):
    labels = np.repeat(np.arange(4), 25)
    images = np.broadcast_to((60 * labels)[:, None, None], (100, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "sorted.npz", image=images, label=labels)
    dataset = data.load(tmp_path / "sorted.npz", image_shape=(8, 8, 1), batch_size=16, shuffle=False)
    batch = mixed_batch(dataset)
    assert 16 <= len(batch["label"]) <= 24 and set(batch["label"][:6]) == {0, 1, 2, 3}
    np.testing.assert_allclose(batch["image"][:, 0, 0, 0], 60 * batch["label"] / 255, rtol=1e-6)
