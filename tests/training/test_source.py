import numpy as np
import pytest
from PIL import Image

from keras_gen.training.source import look_at


def test_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((5, 6, 7), np.uint8), x_test=np.zeros((2, 6, 7), np.uint8))
    found = look_at(tmp_path / "a.npz")
    assert (found.splits, found.image_size, found.channels) == ({"train": 5, "test": 2}, (6, 7), 1)


def test_shapes_are_rendered_and_nothing_is_drawn_to_say_so():
    found = look_at("shapes")
    assert found.splits["train"] == 20000 and (found.image_size, found.channels) == ((64, 64), 3) and found.rendered


@pytest.mark.parametrize(
    "images, size, channels",
    [
        ([("L", (6, 4)), ("L", (6, 4))], (4, 6), 1),
        ([("RGB", (6, 4)), ("RGB", (4, 4))], None, 3),
        ([("RGBA", (6, 4))], (4, 6), 3),
        ([("L", (6, 4)), ("RGB", (6, 4))], (4, 6), 3),
    ],
)
def test_a_folder_is_looked_into(tmp_path, images, size, channels):
    for index, (mode, shape) in enumerate(images):
        Image.new(mode, shape).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_text("no image")
    found = look_at(str(tmp_path))
    assert (found.image_size, found.channels, found.rendered) == (size, channels, False)
    assert found.splits == {"train": len(images) + 1}
