"""Every endpoint of a model's tab, called as a browser does, compared with the exported model."""

import gradio_client
import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demos.panels.codes import measure
from keras_gen import pictures

from .conftest import SERVED as SERVED


def read_rgb(path: str) -> np.ndarray:
    """Returns the uint8 RGB image that an endpoint returned."""
    return np.asarray(Image.open(path).convert("RGB"))


def read_image(path: str, shape) -> np.ndarray:
    """Returns one image at its original size, uint8 RGB [height, width, 3]."""
    picture = read_rgb(path)
    factor = picture.shape[0] // shape[0]
    assert factor > 1 and picture.shape == (shape[0] * factor, shape[1] * factor, 3)
    image = picture[::factor, ::factor]
    np.testing.assert_array_equal(image.repeat(factor, 0).repeat(factor, 1), picture)
    return image


def rgb(image: np.ndarray) -> np.ndarray:
    """Returns an image in [0, 1] as uint8 RGB."""
    return np.broadcast_to(pictures.to_uint8(image), (*image.shape[:2], 3))


@pytest.fixture
def upload(tmp_path):
    """A function that writes an array as an image file and returns it as an upload."""

    def write(array: np.ndarray, name: str = "image.png"):
        Image.fromarray(array.squeeze()).save(tmp_path / name)
        return handle_file(str(tmp_path / name))

    return write


def random_image(shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_generate_returns_the_images_of_the_seed(client, models):
    picture = read_rgb(client.predict(5, 4, api_name="/flat_generate"))
    factor = (picture.shape[1] - 3 * 2) // (2 * 14)
    expected = pictures.grid(models["flat"].generate(4, 5), 2, scale=factor)
    np.testing.assert_array_equal(picture, expected)


def test_generate_is_conditioned_on_the_class(client, models):
    one = read_rgb(client.predict(5, 1, 2, api_name="/vae_generate"))
    other = read_rgb(client.predict(5, 1, 1, api_name="/vae_generate"))
    assert np.abs(one.astype(int) - other).max() > 0
    cycled = read_rgb(client.predict(5, 6, -1, api_name="/vae_generate"))
    images = models["vae"].generate(6, 5, label=np.array([0, 1, 2, 0, 1, 2]))
    factor = (cycled.shape[1] - 4 * 2) // (3 * 12)
    np.testing.assert_array_equal(cycled[..., :1], pictures.grid(images, 3, scale=factor))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 4), "minimum"),
        ((2**32, 4), "maximum"),
        ((None, 4), "Seed is empty"),
        ((0, 0), "minimum"),
        ((0, 101), "maximum"),
    ],
)
def test_generate_refuses_invalid_arguments(client, arguments, message):
    with pytest.raises((AppError, ValueError), match=message):
        client.predict(*arguments, api_name="/flat_generate")


def test_generate_refuses_an_unknown_class(client):
    with pytest.raises((AppError, ValueError), match="7"):
        client.predict(0, 4, 7, api_name="/vae_generate")


def test_sliders_change_the_start_code(client, models):
    model = models["vae"]
    *values, image = client.predict(3, 1, api_name="/vae_start")
    code = model.encode(model.generate(1, 3, label=1), label=1)
    np.testing.assert_array_equal(read_image(image, (12, 12)), rgb(model.decode(code, label=1)[0]))
    dimensions = measure(model).active(8)
    assert len(values) == 8 and len(set(dimensions)) == 8
    np.testing.assert_allclose(values, np.clip(code[0, dimensions], -3, 3), atol=0.0051)  # two digits, clipped

    moved = code.copy()
    moved[0, dimensions[2]] = values[2] = 1.25
    image = client.predict(1, *values, api_name="/vae_move")
    np.testing.assert_array_equal(read_image(image, (12, 12)), rgb(model.decode(moved, label=1)[0]))


def test_each_session_has_its_own_start_code(client, address, models):
    *values, first = client.predict(1, api_name="/flat_start")
    other = gradio_client.Client(address, verbose=False)
    other.predict(2, api_name="/flat_start")
    other.close()
    np.testing.assert_array_equal(read_rgb(client.predict(*values, api_name="/flat_move")), read_rgb(first))


def test_a_random_start_returns_its_seed(client):
    seed, *_, image = client.predict(api_name="/flat_another")
    again = client.predict(seed, api_name="/flat_start")
    np.testing.assert_array_equal(read_rgb(image), read_rgb(again[-1]))
    assert client.predict(api_name="/flat_another")[0] != seed


def test_an_upload_sets_the_start_code(client, models, upload):
    image = random_image((10, 14, 3))
    *values, decoded = client.predict(upload(image), False, api_name="/flat_start_from")
    model = models["flat"]
    expected = model.reconstruct(image[None].astype(np.float32) / 255)[0]
    np.testing.assert_array_equal(read_image(decoded, (10, 14)), rgb(expected))
    np.testing.assert_array_equal(read_rgb(client.predict(*values, api_name="/flat_move")), read_rgb(decoded))


@pytest.mark.parametrize("value", [1e6, float("nan"), "far"])
def test_sliders_refuse_invalid_values(client, value):
    with pytest.raises((AppError, ValueError)):
        client.predict(value, 0.0, api_name="/flat_move")


def test_map_has_tiles_and_the_image_at_a_position(client, models):
    model, codes = models["flat"], measure(models["flat"])
    picture, image, code = client.predict("dimensions", 0, 1, 0, 0.5, -1.0, api_name="/flat_map")
    middle, half = (codes.high + codes.low) / 2, (codes.high - codes.low) / 2
    z = middle + half * [0.5, -1.0]
    np.testing.assert_allclose([float(number) for number in code.split()], z, atol=0.0051)
    np.testing.assert_array_equal(read_image(image, (10, 14)), rgb(model.decode(z[None].astype(np.float32))[0]))

    tiles = read_rgb(picture).reshape(13, -1, 13, read_rgb(picture).shape[1] // 13, 3).swapaxes(1, 2)
    assert tiles.shape[3] // 14 == tiles.shape[2] // 10 >= 1
    top_left = middle + half * [-12 / 13, 12 / 13]
    expected = pictures.grid(model.decode(top_left[None].astype(np.float32)), pad=0, scale=tiles.shape[3] // 14)
    np.testing.assert_array_equal(tiles[0, 0], expected)


def test_map_planes_of_larger_codes(client, models):
    model, codes = models["vae"], measure(models["vae"])
    starts = [model.encode(model.generate(1, seed, label=2), label=2)[0] for seed in (4, 5, 6)]
    for at_position, expected in (((-1, -1), starts[0]), ((1, -1), starts[1]), ((-1, 1), starts[2])):
        code = client.predict("images", 0, 1, 4, 2, *at_position, api_name="/vae_map")[2]
        np.testing.assert_allclose([float(number) for number in code.split()], expected, atol=0.0051)
    code = client.predict("principal", 0, 1, 4, 2, 0, 0, api_name="/vae_map")[2]
    np.testing.assert_allclose([float(number) for number in code.split()], codes.mean, atol=0.0051)
    code = client.predict("dimensions", 7, 3, 4, 2, 1, 0, api_name="/vae_map")[2]
    expected = starts[0].copy()
    expected[[7, 3]] = codes.high[7], (codes.high[3] + codes.low[3]) / 2
    np.testing.assert_allclose([float(number) for number in code.split()], expected, atol=0.0051)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dimensions", 0, 0, 0, 0, 0), "two different dimensions"),
        (("dimensions", 0, 1, 0, 2, 0), "maximum"),
        (("dimensions", 0, 1, 0, None, 0), "x is empty"),
        (("round", 0, 1, 0, 0, 0), "round"),
    ],
)
def test_map_refuses_invalid_positions(client, arguments, message):
    with pytest.raises((AppError, ValueError), match=message):
        client.predict(*arguments, api_name="/flat_map")


def test_reconstruct_returns_both_images_their_difference_and_the_error(client, models, upload):
    image = random_image((12, 12, 1))
    model_input, output, difference, error = client.predict(upload(image), False, 1, api_name="/vae_reconstruct")
    real = image.astype(np.float32) / 255
    expected = models["vae"].reconstruct(real[None], label=1)[0]
    np.testing.assert_array_equal(read_image(model_input, (12, 12)), rgb(real))
    np.testing.assert_array_equal(read_image(output, (12, 12)), rgb(expected))
    np.testing.assert_array_equal(read_image(difference, (12, 12)), rgb(np.abs(real - expected)))
    squared = np.mean((real.astype(np.float64) - expected) ** 2)
    assert error == f"MSE {squared:.4f}, PSNR {-10 * np.log10(squared):.1f} dB"


def test_reconstruct_can_invert_the_upload(client, upload):
    image = random_image((12, 12, 1))
    model_input = client.predict(upload(image), True, 0, api_name="/ae_reconstruct")[0]
    np.testing.assert_array_equal(read_image(model_input, (12, 12)), rgb(255 - image))


def test_damaged_files_are_refused_with_a_reason(client, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("this is no image")
    Image.fromarray(random_image((64, 64, 3))).save(tmp_path / "whole.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((tmp_path / "whole.jpg").read_bytes()[:600])
    for file in (text, cut):
        with pytest.raises(AppError, match=f"{file.name} cannot be read as an image"):
            client.predict(handle_file(str(file)), False, api_name="/flat_reconstruct")
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(None, False, api_name="/flat_reconstruct")


def test_files_of_the_server_cannot_be_read(client, artifacts):
    secret = artifacts[0].folder / "model.json"
    with pytest.raises(AppError):
        client.predict({"path": str(secret), "meta": {"_type": "gradio.FileData"}}, False, api_name="/flat_reconstruct")


def test_large_files_are_refused(client, tmp_path):
    large = tmp_path / "large.png"
    large.write_bytes(b"0" * 10_500_000)
    with pytest.raises(Exception, match="(?i)size|large|413"):
        client.predict(handle_file(str(large)), False, api_name="/flat_reconstruct")


def test_interpolation_of_two_uploads(client, models, upload):
    model, images = models["flat"], [random_image((10, 14, 3), seed) for seed in (1, 2)]
    files = [upload(image, f"{index}.png") for index, image in enumerate(images)]
    codes = model.encode(np.stack(images).astype(np.float32) / 255)
    strip, at_position = client.predict(*files, False, "line", 3, 0.25, api_name="/flat_interpolate")
    ends = [codes[0], (codes[0] + codes[1]) / 2, codes[1]]
    picture = read_rgb(strip)
    factor = (picture.shape[1] - 4 * 2) // (3 * 14)
    np.testing.assert_array_equal(picture, pictures.grid(model.decode(np.stack(ends)), 3, scale=factor))
    expected = model.decode((0.75 * codes[:1] + 0.25 * codes[1:]).astype(np.float32))[0]
    np.testing.assert_array_equal(read_image(at_position, (10, 14)), rgb(expected))
    again = client.predict(*files, False, "line", 0.25, api_name="/flat_position")
    np.testing.assert_array_equal(read_rgb(again), read_rgb(at_position))
    arc = client.predict(*files, False, "arc", 0.25, api_name="/flat_position")
    assert np.abs(read_rgb(arc).astype(int) - read_rgb(at_position)).max() > 0


def test_interpolation_needs_two_images(client, upload):
    one = upload(random_image((10, 14, 3)))
    with pytest.raises(AppError, match="There is no image yet"):
        client.predict(one, None, False, "line", 3, 0.5, api_name="/flat_interpolate")
    assert client.predict(one, None, False, "line", 0.5, api_name="/flat_position") is None
    with pytest.raises((AppError, ValueError), match="curve"):
        client.predict(one, one, False, "curve", 3, 0.5, api_name="/flat_interpolate")


def test_generated_images_are_read_back_exactly(client):
    image, invert = client.predict(2, api_name="/vae_generated")
    assert invert is False
    model_input = client.predict(handle_file(image), invert, 2, api_name="/vae_reconstruct")[0]
    np.testing.assert_array_equal(read_rgb(model_input), read_rgb(image))
    first, second, _ = client.predict(api_name="/flat_two_generated")
    assert np.abs(read_rgb(first).astype(int) - read_rgb(second)).max() > 0


def test_every_endpoint_has_a_name(client, endpoints, served_models):
    parts = {"generate", "start", "another", "start_from", "move", "map", "generated", "reconstruct", "two_generated",
             "interpolate", "position"}  # fmt: skip
    assert endpoints("ae") == endpoints("vae") == endpoints("flat") == parts
    assert endpoints("compare") == {"generate", "reconstruct", "generated"}
    names = [name.lstrip("/") for name in client.view_api(return_format="dict")["named_endpoints"]]
    assert all(name.startswith(tuple(f"{model}_" for model in (*served_models, "compare"))) for name in names)


def test_invalid_requests_log_no_traceback(client, artifacts, log, tmp_path):
    (tmp_path / "text.png").write_text("this is no image")
    secret = {"path": str(artifacts[0].folder / "model.json"), "meta": {"_type": "gradio.FileData"}}
    for arguments, name in (
        ((-1, 4), "/flat_generate"),
        (("many", 4), "/flat_generate"),
        ((None, 4), "/flat_generate"),
        ((0, 4, 7), "/vae_generate"),
        (("round", 0, 1, 0, 0, 0), "/flat_map"),
        ((handle_file(str(tmp_path / "text.png")), False), "/flat_reconstruct"),
        ((secret, False), "/flat_reconstruct"),
        (({"path": 7}, False), "/flat_reconstruct"),
    ):
        with pytest.raises((AppError, ValueError)):
            client.predict(*arguments, api_name=name)
    assert "Traceback" not in log.read_text()
