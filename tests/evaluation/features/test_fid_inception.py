import zlib

import keras
import numpy as np
import pytest

from keras_gen.evaluation import feature_extractor
from keras_gen.evaluation.features import extractors
from keras_gen.evaluation.features.extractors import fid_features
from keras_gen.evaluation.features.fid_inception import fid_network, set_fid_weights, weights_file


def generated(network: keras.Model) -> dict[str, np.ndarray]:
    """Returns tensors in the layout of the published file, seeded by their names."""
    tensors = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            height, width, inputs, filters = layer.kernel.shape
            shapes: dict[str, tuple[int, ...]] = {"conv.weight": (filters, inputs, height, width)}
            shapes |= dict.fromkeys(("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"), (filters,))
            for part, shape in shapes.items():
                name = f"{layer.name}.{part}"
                generator = np.random.Generator(np.random.Philox(key=zlib.crc32(name.encode())))
                if part == "conv.weight":
                    scale = np.float32(np.sqrt(2.0 / np.prod(shape[1:])))
                    tensors[name] = generator.standard_normal(shape, np.float32) * scale
                elif part in ("bn.weight", "bn.running_var"):
                    tensors[name] = generator.uniform(0.5, 1.5, shape).astype(np.float32)
                else:
                    tensors[name] = generator.normal(0.0, 0.1, shape).astype(np.float32)
    return tensors


def test_features_equal_those_of_torch_fidelity():
    """Expected values: torch-fidelity 0.4.0 with the same weights, the mean of each branch of the last block."""
    network = fid_network(75)
    set_fid_weights(network, generated(network))
    images = np.random.Generator(np.random.Philox(key=7)).integers(0, 256, (2, 75, 75, 3)).astype(np.float32)
    features = network.predict((images - 128) / 128, verbose=0)
    branches = np.split(features, [320, 704, 1088, 1472, 1856], axis=1)
    expected = [
        [0.834738, 0.522215, 0.543268, 0.232755, 0.188738, 0.917495],
        [0.77268, 0.486584, 0.512076, 0.21782, 0.17409, 0.839521],
    ]
    np.testing.assert_allclose(np.transpose([branch.mean(axis=1) for branch in branches]), expected, rtol=1e-4)
    np.testing.assert_allclose(features.std(axis=1), [0.9164062, 0.8532653], rtol=1e-4)


def test_weights_of_another_network_raise_an_error():
    network = fid_network(75)
    with pytest.raises(ValueError, match="received none named Conv2d_1a_3x3.conv.weight"):
        set_fid_weights(network, {})
    first = {f"Conv2d_1a_3x3.bn.{part}": np.ones(32) for part in ("weight", "bias", "running_mean", "running_var")}
    with pytest.raises(ValueError, match=r"Expected Conv2d_1a_3x3.conv.weight as \(3, 3, 3, 32\); received \(5, 5"):
        set_fid_weights(network, {**first, "Conv2d_1a_3x3.conv.weight": np.ones((32, 3, 5, 5))})


def test_search_for_the_weights_file(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_GEN_FID_WEIGHTS", raising=False)
    with pytest.raises(FileNotFoundError, match="Download https://github.com/mseitzer.*SHA-256 6726825d.*FID_WEIGHTS"):
        weights_file()
    explicit, cached = tmp_path / "own.pth", tmp_path / "keras_gen" / "pt_inception-2015-12-05-6726825d.pth"
    cached.parent.mkdir()
    cached.write_bytes(b"cached")
    assert weights_file() == cached
    explicit.write_bytes(b"other")
    monkeypatch.setenv("KERAS_GEN_FID_WEIGHTS", str(explicit))
    assert weights_file() == explicit
    with pytest.raises(ValueError, match="Expected the published weights of the FID, SHA-256 6726.*own.pth.*again"):
        feature_extractor("fid")


def small_network() -> keras.Model:
    """A stand-in for the Inception network that returns the mean of each channel."""
    image = keras.Input((299, 299, 3))
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))


def test_preprocessing_of_published_fids(monkeypatch, tmp_path):
    monkeypatch.setattr(extractors, "fid_network", small_network)
    monkeypatch.setattr(extractors, "set_fid_weights", lambda network, tensors: None)
    monkeypatch.setattr(extractors, "read_fid_weights", lambda file, sha256: {})
    (tmp_path / "weights.pth").touch()
    extract = fid_features(weights=tmp_path / "weights.pth", sha256=None)
    # 8-bit levels 0, 51 (of .2003) and 255, then (level - 128) / 128
    gray = np.array([0.0, 0.2003, 1.0], np.float32)[:, None, None, None] * np.ones((1, 8, 6, 1), np.float32)
    expected = (np.array([0.0, 51.0, 255.0]) - 128) / 128
    np.testing.assert_allclose(extract(gray), np.repeat(expected[:, None], 3, axis=1), atol=1e-5)
    assert extract.frechet == "fid" and "clean resizing to 299x299" in extract.identity
    with pytest.raises(ValueError, match="1 or 3 channels for Inception features; received 2"):
        extract(np.zeros((1, 8, 8, 2), np.float32))
