"""Converts USPS digits from their MATLAB file to an .npz file for `keras_gen.data.load`.

usage: python -m benchmarks.usps usps.mat usps.npz

The file contains `Xtr` (7291, 256), `ytr`, `Xtst` (2007, 256) and `ytst`: rows of 16x16 pixels in [-1, 1], white on
black.
"""

import argparse
import pathlib

import numpy as np
import scipy.io

NAMES = {"train": ("Xtr", "ytr"), "test": ("Xtst", "ytst")}


def convert(source: pathlib.Path, out: pathlib.Path) -> dict[str, tuple[int, ...]]:
    """Writes `x_train`, `y_train`, `x_test`, `y_test`, uint8 [num, 16, 16, 1] and classes, and returns their shapes."""
    content, arrays = scipy.io.loadmat(source), {}
    for split, (images, labels) in NAMES.items():
        if images not in content or content[images].ndim != 2 or content[images].shape[1] != 256:
            raise ValueError(f"Expected {images} [num, 256] and {labels} in {source}; received {', '.join(content)}")
        pixels = (content[images].reshape(-1, 16, 16, 1).clip(-1, 1) + 1) * 127.5
        arrays[f"x_{split}"] = np.rint(pixels).astype(np.uint8)
        arrays[f"y_{split}"] = content[labels].ravel().astype(np.int32)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, **arrays)
    return {name: array.shape for name, array in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    for name, shape in convert(args.source, args.out).items():
        print(name, *shape)


if __name__ == "__main__":
    main()
