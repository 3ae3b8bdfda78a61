"""The FID's Inception network of 2015-12-05 in Keras, and its published weights."""

import hashlib
import os
import pathlib

import keras
import numpy as np
from keras import layers

from keras_gen.data.cache.store import Store

from .torch_file import read_tensors

SIZE, FEATURES = 299, 2048
VARIABLE = "KERAS_GEN_FID_WEIGHTS"
FILE = "pt_inception-2015-12-05-6726825d.pth"
ADDRESS = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
EPSILON = 1e-3  # of batch normalization
STATISTICS = ("weight", "bias", "running_mean", "running_var")


def fid_network(size: int = SIZE) -> keras.Model:
    """Returns the network up to its pooled features, without weights.

    It is Inception V3 as TensorFlow published it on 2015-12-05, with which every FID is computed. It differs from
    `keras.applications.InceptionV3` in more than weights: the last block uses max pooling, and convolutions of stride 2
    have no padding. The batch normalization after every convolution is folded into it, so it has a bias; layers have
    the names of the published file.

    Args:
        size: height and width of the input, >= 75; the FID is defined at 299.

    Returns:
        a network from images float32 [num, size, size, 3] in [-1, 1] to features float32 [num, 2048].

    Reference:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, Rethinking the Inception architecture, arXiv:1512.00567.
        Heusel et al. 2017, arXiv:1706.08500 (the FID).
    """
    image = keras.Input((size, size, 3))
    x = _conv(image, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = _conv(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _conv(x, "Conv2d_2b_3x3", 64, 3)
    x = layers.MaxPooling2D(3, 2)(x)
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = layers.MaxPooling2D(3, 2)(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, name, pooled)
    x = _block_b(x, "Mixed_6a")
    for name, filters in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(x, name, filters)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", layers.AveragePooling2D)
    x = _block_e(x, "Mixed_7c", layers.MaxPooling2D)
    return keras.Model(image, layers.GlobalAveragePooling2D()(x), name="fid_inception")


def set_fid_weights(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Sets the weights of `fid_network` from tensors with the names and layout of the published file.

    Args:
        network: from `fid_network`.
        tensors: `NAME.conv.weight` [out, in, height, width] and `NAME.bn.weight`, `.bias`, `.running_mean` and
            `.running_var` [out] for every convolution; other tensors, such as the classifier's, are ignored.

    Raises:
        ValueError: for a missing tensor or another shape.
    """
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            names = [f"{layer.name}.conv.weight", *(f"{layer.name}.bn.{part}" for part in STATISTICS)]
            if missing := [name for name in names if name not in tensors]:
                raise ValueError(f"Expected weights of the FID's Inception network; received none named {missing[0]}")
            kernel, scale, shift, mean, variance = (tensors[name].astype(np.float64) for name in names)
            scale = scale / np.sqrt(variance + EPSILON)
            kernel = kernel.transpose(2, 3, 1, 0) * scale
            if kernel.shape != layer.kernel.shape:
                raise ValueError(f"Expected {names[0]} as {layer.kernel.shape}; received {kernel.shape}")
            layer.set_weights([kernel, shift - mean * scale])


def weights_file(path: str | os.PathLike | None = None) -> pathlib.Path:
    """Returns the published weights file: `path`, or the environment variable's, or the one in keras_gen's cache.

    Args:
        path: a file; None is the path in KERAS_GEN_FID_WEIGHTS, or the cache.

    Raises:
        FileNotFoundError: for a missing file; the message states where to download it.
    """
    cached = Store().folder / FILE
    file = pathlib.Path(path or os.environ.get(VARIABLE) or cached).expanduser()
    if not file.is_file():
        raise FileNotFoundError(
            f"Expected the weights of the FID's Inception network in {file}; received no such file. Download "
            f"{ADDRESS} (96 MB, SHA-256 {SHA256}) to {cached}, or set {VARIABLE} to its path"
        )
    return file


def read_fid_weights(file: str | os.PathLike, sha256: str | None = SHA256) -> dict[str, np.ndarray]:
    """Returns the tensors of the published weights file, by name.

    Args:
        file: a file in PyTorch's format, which is read without PyTorch.
        sha256: expected hash in hexadecimal digits; None accepts any file, with which a FID is not a published one.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: for a different or damaged file.
    """
    if sha256 is not None:
        with open(file, "rb") as opened:
            received = hashlib.file_digest(opened, "sha256").hexdigest()
        if received != sha256:
            raise ValueError(
                f"Expected the published weights of the FID, SHA-256 {sha256}; received {os.fspath(file)} with "
                f"{received}. Download {ADDRESS} again"
            )
    return read_tensors(file)


def _conv(x, name: str, filters: int, kernel, strides: int = 1, padding: str = "same"):
    # the published network has no padding in convolutions of stride 2
    padding = "valid" if strides == 2 else padding
    return layers.Conv2D(filters, kernel, strides, padding, activation="relu", name=name)(x)


def _chain(x, *convolutions, last_strides: int = 1):
    for index, (name, filters, kernel) in enumerate(convolutions, start=1):
        x = _conv(x, name, filters, kernel, last_strides if index == len(convolutions) else 1)
    return x


def _pool(x, name: str, filters: int, kind=layers.AveragePooling2D):
    # the average excludes the padding, as in TensorFlow
    return _conv(kind(3, 1, "same")(x), f"{name}.branch_pool", filters, 1)


def _block_a(x, name: str, pooled: int):
    b = f"{name}.branch"
    return layers.Concatenate()(
        [
            _conv(x, f"{b}1x1", 64, 1),
            _chain(x, (f"{b}5x5_1", 48, 1), (f"{b}5x5_2", 64, 5)),
            _chain(x, (f"{b}3x3dbl_1", 64, 1), (f"{b}3x3dbl_2", 96, 3), (f"{b}3x3dbl_3", 96, 3)),
            _pool(x, name, pooled),
        ]
    )


def _block_b(x, name: str):
    b = f"{name}.branch"
    double = ((f"{b}3x3dbl_1", 64, 1), (f"{b}3x3dbl_2", 96, 3), (f"{b}3x3dbl_3", 96, 3))
    parts = [_conv(x, f"{b}3x3", 384, 3, 2), _chain(x, *double, last_strides=2), layers.MaxPooling2D(3, 2)(x)]
    return layers.Concatenate()(parts)


def _block_c(x, name: str, f: int):
    b, wide, high = f"{name}.branch", (1, 7), (7, 1)
    single = ((f"{b}7x7_1", f, 1), (f"{b}7x7_2", f, wide), (f"{b}7x7_3", 192, high))
    double: list[tuple[str, int, int | tuple[int, int]]] = [(f"{b}7x7dbl_1", f, 1)]
    double += [(f"{b}7x7dbl_{i}", f if i < 5 else 192, high if i % 2 == 0 else wide) for i in range(2, 6)]
    parts = [_conv(x, f"{b}1x1", 192, 1), _chain(x, *single), _chain(x, *double), _pool(x, name, 192)]
    return layers.Concatenate()(parts)


def _block_d(x, name: str):
    b = f"{name}.branch"
    single = ((f"{b}3x3_1", 192, 1), (f"{b}3x3_2", 320, 3))
    double = ((f"{b}7x7x3_1", 192, 1), (f"{b}7x7x3_2", 192, (1, 7)), (f"{b}7x7x3_3", 192, (7, 1)))
    double += ((f"{b}7x7x3_4", 192, 3),)
    parts = [_chain(x, *single, last_strides=2), _chain(x, *double, last_strides=2), layers.MaxPooling2D(3, 2)(x)]
    return layers.Concatenate()(parts)


def _block_e(x, name: str, pooling):
    b = f"{name}.branch"

    def fork(y, stem):
        return [_conv(y, f"{stem}a", 384, (1, 3)), _conv(y, f"{stem}b", 384, (3, 1))]

    single = _conv(x, f"{b}3x3_1", 384, 1)
    double = _chain(x, (f"{b}3x3dbl_1", 448, 1), (f"{b}3x3dbl_2", 384, 3))
    parts = [_conv(x, f"{b}1x1", 320, 1), *fork(single, f"{b}3x3_2"), *fork(double, f"{b}3x3dbl_3")]
    return layers.Concatenate()([*parts, _pool(x, name, 192, pooling)])
