"""Images of more than 8 bits, and arrays of any range, at `data.load` and `data.describe`."""

import numpy as np
import pytest
from PIL import Image

from keras_gen import data

DEEP = np.linspace(0, 4011, 64).reshape(8, 8).astype(np.uint16)
EIGHT = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint8)
OPTIONS = {"image_shape": (8, 8, 1), "batch_size": 64, "shuffle": False}


def write(folder, *images, kind="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index}.{kind}")
    return folder


def pixels(source, field="image", **options):
    dataset = data.load(source, **{**OPTIONS, **options})
    return np.concatenate([batch[field].numpy() for batch in dataset]), dataset.info


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("cache", ["memory", "disk", None])
def test_twelve_bits_in_sixteen_keep_their_precision(tmp_path, kind, cache, caplog):
    source = write(tmp_path / "set", DEEP, DEEP // 2, kind=kind)
    loaded, info = pixels(source, cache=cache, data_dir=tmp_path)
    np.testing.assert_allclose(loaded[..., 0], np.stack([DEEP, DEEP // 2]) / 4095, atol=1e-7)
    assert info.value_range == (0, 4095) == data.describe(source).value_range
    note = "Values up to 4,011 in 2 files of more than 8 bits: the value range is 0..4095; --value-range LOW,HIGH"
    assert info.notes[0].startswith(note) and caplog.text.count(note) == 1
    assert data.describe(source).notes == info.notes
    explicit, info = pixels(source, cache=cache, data_dir=tmp_path, value_range=(0, 8022))
    np.testing.assert_allclose(explicit[..., 0], np.stack([DEEP, DEEP // 2]) / 8022, atol=1e-7)
    assert info.value_range == (0, 8022) and info.notes == ()  # nothing was detected


@pytest.mark.parametrize(
    "high, white", [(200, 255), (255, 255), (256, 1023), (1023, 1023), (1024, 4095), (4096, 16383), (16384, 65535)]
)
def test_range_is_the_smallest_bit_depth_that_fits(tmp_path, high, white):
    deep = np.uint16([[0, high // 2, high]])
    source = write(tmp_path / "set", deep)
    loaded, info = pixels(source, image_shape=(1, 3, 1))
    assert info.value_range == (0, white)
    np.testing.assert_allclose(loaded[0, :, :, 0], deep / white, atol=1e-7)
    np.save(tmp_path / "a.npy", deep[None])
    loaded, info = pixels(tmp_path / "a.npy", image_shape=(1, 3, 1))
    assert info.value_range == (0, white)
    np.testing.assert_allclose(loaded[0, :, :, 0], deep / white, atol=1e-7)


def test_range_is_detected_from_the_whole_source_and_not_per_split(tmp_path):
    write(tmp_path / "train", DEEP // 8)
    write(tmp_path / "test", DEEP)
    for split, deep in (("train", DEEP // 8), ("test", DEEP)):
        loaded, info = pixels(tmp_path, split=split)
        assert info.value_range == (0, 4095)
        np.testing.assert_allclose(loaded[0, ..., 0], deep / 4095, atol=1e-7)
    np.savez(tmp_path / "a.npz", x_train=DEEP[None] // 20, x_test=DEEP[None])
    loaded, info = pixels(tmp_path / "a.npz")
    np.testing.assert_allclose(loaded[0, ..., 0], DEEP // 20 / 4095, atol=1e-7)


def test_eight_bit_images_among_deep_ones_keep_their_brightness(tmp_path):
    source = write(tmp_path / "set", DEEP, EIGHT)
    loaded, info = pixels(source)
    np.testing.assert_allclose(loaded[..., 0], [DEEP / 4095, EIGHT / 255], atol=1e-7)
    between = EIGHT.astype(np.float32) * np.float32(0.9)
    loaded, info = pixels(write(tmp_path / "floats", between, kind="tif"), value_range=(0, 255))
    np.testing.assert_allclose(loaded[0, ..., 0], between / 255, atol=1e-6)
    masks = write(tmp_path / "masks", (EIGHT // 16).astype(np.uint8))
    loaded, info = pixels(masks, value_range=(0, 15))  # a range within 255 applies to files of 8 bits
    np.testing.assert_allclose(loaded[0, ..., 0], EIGHT // 16 / 15, atol=1e-7)
    assert pixels(masks)[1].value_range == (0, 255)


def test_eight_bit_images_are_not_decoded_to_detect_the_range(tmp_path, monkeypatch):
    write(tmp_path, EIGHT)
    monkeypatch.setattr(
        "keras_gen.data.sources.inspection.read_image", lambda *_, **__: pytest.fail("an 8-bit image was decoded")
    )
    assert data.describe(tmp_path).value_range == (0, 255)
    np.testing.assert_array_equal(pixels(tmp_path)[0][0, ..., 0], EIGHT / np.float32(255))


def test_a_deep_image_with_a_wrong_extension_is_skipped(tmp_path):
    write(tmp_path, EIGHT)
    Image.fromarray(DEEP).save(tmp_path / "deep.jpg", format="png")
    assert [reason for _, reason in pixels(tmp_path)[1].skipped] == [
        "values from 0 to 4011 are outside of the value range 0..255; pass a wider one or clip the images"
    ]
    assert data.describe(tmp_path).value_range == (0, 4095)  # training uses this range


def test_floats_in_tiff_files(tmp_path):
    unit = write(tmp_path / "unit", (DEEP / 4011).astype(np.float32), kind="tif")
    np.testing.assert_allclose(pixels(unit)[0][0, ..., 0], DEEP / 4011, atol=1e-6)
    Image.fromarray(EIGHT).save(unit / "eight.png")
    np.testing.assert_allclose(pixels(unit)[0][1, ..., 0], EIGHT / 255, atol=1e-6)  # unaffected by the floats
    source = write(tmp_path / "set", DEEP.astype(np.float32) - 1000, kind="tif")
    with pytest.raises(ValueError, match=r"floats from -1000 to 3011. .*value_range=\(-1000, 3011\)"):
        data.load(source, **OPTIONS)
    loaded, _ = pixels(source, value_range=(-1000, 3095))
    np.testing.assert_allclose(loaded[0, ..., 0], DEEP / 4095, atol=1e-6)


def test_signed_integers_need_a_range(tmp_path):
    source = write(tmp_path / "set", DEEP.astype(np.int32) - 1024, kind="tif")
    with pytest.raises(ValueError, match=r"integers from -1024 to 2987. .*value_range=\(-1024, 2987\)"):
        data.describe(source)
    np.testing.assert_allclose(pixels(source, value_range=(-1024, 3071))[0][0, ..., 0], DEEP / 4095, atol=1e-6)


def test_values_outside_the_requested_range_are_reported_and_not_clipped(tmp_path):
    source = write(tmp_path / "set", DEEP, DEEP // 16)
    assert [reason for _, reason in pixels(source, value_range=(0, 1023))[1].skipped] == [
        "values from 0 to 4011 are outside of the value range 0..1023; pass a wider one or clip the images"
    ]
    np.save(tmp_path / "a.npy", DEEP[None])
    with pytest.raises(ValueError, match=r"a.npy: values from 0 to 4011 are outside of the value range 0..1023"):
        data.load(tmp_path / "a.npy", **OPTIONS, value_range=(0, 1023))


def test_16_bit_alpha_has_its_full_range(tmp_path):
    """Half transparent gray of 12 bits on white: the mean of 1000 / 4095 and 1."""
    from tests.runtime.test_image_file import png_file

    raw = b"\0" + np.array([[1000, 32768], [4000, 65535]], ">u2").tobytes()
    (tmp_path / "a.png").write_bytes(png_file(2, 1, raw, 4, False))
    loaded, info = pixels(tmp_path, image_shape=(1, 2, 1))
    assert info.value_range == (0, 4095)
    np.testing.assert_allclose(loaded.ravel(), [(1000 / 4095 + 1) / 2, 4000 / 4095], atol=1e-4)


DIGITS = (np.arange(5 * 64) % 17).reshape(5, 8, 8)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
def test_digits_from_0_to_16(tmp_path, dtype):
    np.save(tmp_path / "digits.npy", DIGITS.astype(dtype))
    with pytest.raises(ValueError, match=r"0 to 16.*value_range=\(0, 16\) \(--value-range 0,16\)") as error:
        data.load(tmp_path / "digits.npy", **OPTIONS)
    assert "255" not in str(error.value) or dtype != np.float64
    loaded, info = pixels(tmp_path / "digits.npy", value_range=(0, 16))
    np.testing.assert_allclose(loaded[..., 0], DIGITS / 16, atol=1e-7)
    dark, _ = pixels(tmp_path / "digits.npy", value_range=(0, 255))
    np.testing.assert_allclose(dark[..., 0], DIGITS / 255, atol=1e-7)


def test_arrays_from_minus_one_to_one_need_a_range(tmp_path):
    np.save(tmp_path / "a.npy", np.linspace(-1, 1, 128).reshape(2, 8, 8))
    with pytest.raises(ValueError, match=r"value_range=\(-1, 1\) \(--value-range -1,1\)"):
        data.load(tmp_path / "a.npy", **OPTIONS)
    loaded, info = pixels(tmp_path / "a.npy", value_range=(-1, 1))
    np.testing.assert_allclose(loaded.ravel(), np.linspace(0, 1, 128), atol=1e-6)
    assert info.value_range == (-1, 1)
    first = data.load(tmp_path / "a.npy", **OPTIONS, value_range=(-1, 1)).info.fingerprint
    assert first != data.load(tmp_path / "a.npy", **OPTIONS, value_range=(-2, 2)).info.fingerprint


def test_disk_cache_depends_on_the_range(tmp_path):
    """An explicit range and an equal detected one may store different pixels."""
    np.save(tmp_path / "bits.npy", (DEEP % 2)[None].astype(np.uint8))
    folder = write(tmp_path / "set", EIGHT)
    options = {"cache": "disk", "data_dir": tmp_path}
    for source, image, white in ((tmp_path / "bits.npy", DEEP % 2, 1), (folder, EIGHT, 255)):
        for explicit, divisor in ((None, white), ((0, 255), 255), ((0, 510), 255 if source == folder else 510)):
            loaded, _ = pixels(source, **options, value_range=explicit)
            np.testing.assert_allclose(loaded[0, ..., 0], image / divisor, atol=1e-7)


def test_two_sources_of_different_depths(tmp_path):
    deep, eight = write(tmp_path / "deep", DEEP), write(tmp_path / "eight", EIGHT)
    for field, image in (("domain_a", DEEP / 4095), ("domain_b", EIGHT / 255)):
        loaded, info = pixels(f"{deep},{eight}", field)
        assert info.value_range == (0, 4095)
        np.testing.assert_allclose(loaded[0, ..., 0], image, atol=1e-7)
    deeper = write(tmp_path / "deeper", DEEP * 4)
    for read in (data.describe, lambda source: data.load(source, **OPTIONS)):
        with pytest.raises(ValueError, match=r"0..4095 in .*deep and 0..16383 in .*deeper.*value_range=\(0, 16383\)"):
            read(f"{deep},{deeper}")
    np.testing.assert_allclose(
        pixels(f"{deep},{deeper}", "domain_a", value_range=(0, 16383))[0][0, ..., 0], DEEP / 16383, atol=1e-7
    )
    np.save(tmp_path / "eight.npy", EIGHT[None])  # the range would make it nearly black
    with pytest.raises(ValueError, match="0..4095 in .*deep and 0..255 in .*eight.npy"):
        data.load(f"{deep},{tmp_path / 'eight.npy'}", **OPTIONS)


@pytest.mark.parametrize("wrong", [(1, 0), (0, 0), (0,), (0, 1, 2), (0, np.inf), "white", 255, (0, "x")])
def test_a_range_must_be_two_increasing_numbers(tmp_path, wrong):
    np.save(tmp_path / "a.npy", EIGHT[None])
    for read in (data.describe, lambda source, **option: data.load(source, **OPTIONS, **option)):
        with pytest.raises(ValueError, match="Expected value_range as .black, white., .*; received"):
            read(tmp_path / "a.npy", value_range=wrong)


def test_sources_of_eight_bits_take_no_range():
    with pytest.raises(ValueError, match="shapes has images of 8 bits. Remove value_range"):
        data.load("shapes", **{**OPTIONS, "image_shape": (64, 64, 3)}, value_range=(0, 4095))
