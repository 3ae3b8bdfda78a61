"""The FID compared with a peer with the same weights: torch-fidelity's network and formula, clean-fid's resizing.

    pip install -r benchmarks/requirements.txt      (or in a separate environment, with --peer-python)
    python -m benchmarks.fid

The weights are generated, because only the code is compared: the peer writes them in the format of the published file,
and keras_gen reads that file. Both use the same images: photograph-like textures below, at and above the input size of
the network.
Writes benchmarks/results/fid.json.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import scipy.ndimage
import typer

from benchmarks import record
from keras_gen.evaluation.features.extractors import fid_features
from keras_gen.evaluation.metrics.frechet_distance import moments, normal_frechet_distance
from keras_gen.evaluation.seeding import seeded_generator

HERE = pathlib.Path(__file__).parent
SHAPES = {"32x32": (32, 32), "64x48": (64, 48), "299x299": (299, 299), "360x400": (360, 400)}
TOLERANCE = 1e-4


def textures(shape: tuple[int, int], num: int, blur: float, seed: int) -> np.ndarray:
    """Returns smooth colored noise, uint8 [num, height, width, 3]."""
    noise = seeded_generator(seed).standard_normal((num, *shape, 3), np.float32)
    smooth = scipy.ndimage.gaussian_filter(noise, (0, blur, blur, 0))
    return (127.5 + 60.0 * smooth / smooth.std()).clip(0, 255).astype(np.uint8)


def compare(images: dict[str, np.ndarray], peer_python: str) -> list[dict]:
    """Returns a row for each size: both FIDs, and the largest relative difference of features."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("images.npz", "weights.pth", "features.npz")]
        np.savez(paths[0], **images)
        worker = HERE / "workers" / "torch_fid.py"
        done = subprocess.run([peer_python, worker, *paths], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"The peer ended with exit code {done.returncode}: {done.stderr[-2000:]}")
        peers = json.loads(done.stdout.splitlines()[-1])
        extract = fid_features(weights=paths[1], sha256=None)
        with np.load(paths[2]) as arrays:
            theirs = {name: arrays[name] for name in arrays.files}
    ours = {name: extract(values / np.float32(255)) for name, values in images.items()}
    rows = []
    for name, peer in peers.items():
        sets = [f"{name}_first", f"{name}_second"]
        # fewer images than features: the distance of the moments themselves, which `frechet_distance` refuses
        distance = normal_frechet_distance(*(part for each in sets for part in moments(ours[each])))
        gaps = [np.abs(ours[each] - theirs[each]).max() / np.abs(theirs[each]).max() for each in sets]
        rows.append(
            {
                "size": name,
                "images": len(ours[sets[0]]),
                "fid": distance,
                "peer_fid": peer,
                "fid_relative_difference": abs(distance - peer) / peer,
                "feature_difference": float(max(gaps)),
            }
        )
    return rows


def main(images: int = 48, peer_python: str = sys.executable, out: str = "fid") -> None:
    """Compares features and distances of two datasets of `images` textures at each size."""
    sets = {
        f"{name}_{which}": textures(shape, images, blur, seed)
        for name, shape in SHAPES.items()
        for which, blur, seed in (("first", 1.0, 0), ("second", 2.0, 1))
    }
    rows = compare(sets, peer_python)
    packages = ("torch", "torch-fidelity", "clean-fid")
    program = f"import importlib.metadata as m, json; print(json.dumps({{p: m.version(p) for p in {packages}}}))"
    peers = json.loads(subprocess.run([peer_python, "-c", program], capture_output=True, text=True, check=True).stdout)
    content = {
        "rows": rows,
        "peers": peers,
        "weights": "generated from the tensors' names, in the format of the published file",
        "targets": {
            f"features agree to {TOLERANCE:g}": all(row["feature_difference"] <= TOLERANCE for row in rows),
            f"FIDs agree to {TOLERANCE:g}": all(row["fid_relative_difference"] <= TOLERANCE for row in rows),
        },
    }
    print(json.dumps(content, indent=2))
    print(f"wrote {record.write(out, content)}")


if __name__ == "__main__":
    typer.run(main)
