"""A worker: the FID of PyTorch's peers, torch-fidelity's network and formula and clean-fid's resizing.

Arguments: an .npz of image sets uint8 [num, height, width, 3] (NAME_first, NAME_second), a weights file to write, an
.npz of features to write. Prints {NAME: FID} as the last line. The weights are generated: the published ones are not
needed. Needs nothing of keras_gen.
"""

import importlib
import importlib.util
import json
import sys
import types
import zlib

import numpy as np
import torch

BATCH = 16


def module_of(package: str, name: str):
    """A module of a package without the package's own imports, which need torchvision and much else."""
    if package not in sys.modules:
        bare = types.ModuleType(package)
        bare.__path__ = list(importlib.util.find_spec(package).submodule_search_locations)
        sys.modules[package] = bare
    return importlib.import_module(f"{package}.{name}")


def without_imports(name: str) -> None:
    """Whatever is imported from this module is None: for names that are imported and not used here."""
    empty = types.ModuleType(name)
    empty.__getattr__ = lambda attribute: None
    sys.modules[name] = empty


def generated(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of the state dictionary that depends on its name alone."""
    generator = np.random.Generator(np.random.Philox(key=zlib.crc32(name.encode())))
    if name.endswith("conv.weight"):
        return generator.standard_normal(shape, np.float32) * np.float32(np.sqrt(2.0 / np.prod(shape[1:])))
    if name.endswith(("bn.weight", "running_var")):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    return generator.normal(0.0, 0.1, shape).astype(np.float32)


def network():
    """torch-fidelity's Inception network with generated weights."""
    inception = module_of("torch_fidelity", "feature_extractor_inceptionv3")
    # images are resized before, to values that are no integers
    inception.vassert = lambda *condition: None
    load = inception.FeatureExtractorInceptionV3.load_state_dict
    inception.load_state_dict_from_url = lambda *address, **options: None
    inception.FeatureExtractorInceptionV3.load_state_dict = lambda self, state: None
    found = inception.FeatureExtractorInceptionV3("inception", ["2048"])
    state = found.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = torch.from_numpy(generated(name, tuple(tensor.shape)))
    load(found, state)
    return found


def main(images: str, weights: str, features: str) -> None:
    inception = network()
    torch.save(inception.state_dict(), weights)
    resize = module_of("cleanfid", "resize").build_resizer("clean")
    without_imports("torch_fidelity.utils")
    metric = module_of("torch_fidelity", "metric_fid")
    found = {}
    with np.load(images) as sets, torch.no_grad():
        for name in sets.files:
            resized = np.stack([resize(image) for image in sets[name]]).transpose(0, 3, 1, 2)
            parts = [inception(torch.from_numpy(resized[i : i + BATCH]))[0] for i in range(0, len(resized), BATCH)]
            found[name] = torch.cat(parts)
    np.savez(features, **{name: values.numpy() for name, values in found.items()})
    statistics = {name: metric.fid_features_to_statistics(values.double()) for name, values in found.items()}
    distances = {
        name: metric.fid_statistics_to_metric(statistics[f"{name}_first"], statistics[f"{name}_second"], False)
        for name in sorted({name.rpartition("_")[0] for name in found})
    }
    print(json.dumps({name: value[metric.KEY_METRIC_FID] for name, value in distances.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
