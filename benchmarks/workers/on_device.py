"""A worker: one way to decode a code into an image, in a process that has loaded nothing else.

Arguments: the command (`serve` or `first`), the way, the run directory, its export folder, threads.

`serve` answers "run N" with the seconds of N calls of `decode`, batch 1. `first` prints the seconds from before the
imports to the first generated image, and the memory then. Nothing heavy is imported above: a process of the
runtime must not load TensorFlow.
"""

import json
import sys
import time

from .memory import memory
from .serve import serve

START = time.perf_counter()


def runtime(way: str, folder: str, threads: int):
    """Returns the TensorFlow-free runtime of the export folder; `way` is a precision."""
    sys.path.insert(0, folder)
    from runtime import Runtime  # ty: ignore[import-not-found] - in the export folder

    return Runtime(folder, precision=way, threads=threads)


def decoder(way: str, run: str, folder: str, threads: int):
    """Returns a function without arguments that decodes one code to a numpy image."""
    import numpy as np

    if way not in ("predict", "eager", "graph", "saved_model"):
        model = runtime(way, folder, threads)
        z = np.random.default_rng(0).standard_normal((1, *model.signatures["decode"]["inputs"]["z"]["shape"]), "f4")
        return lambda: model.decode(z)
    import tensorflow as tf

    if way == "saved_model":
        signature = tf.saved_model.load(f"{folder}/saved_model").signatures["decode"]
        z = np.random.default_rng(0).standard_normal((1, *signature.structured_input_signature[1]["z"].shape[1:]), "f4")
        return lambda: signature(z=tf.constant(z))["image"].numpy()
    import keras_gen

    model = keras_gen.load(run)
    z = np.random.default_rng(0).standard_normal((1, model.latent_size), "f4")
    if way == "predict":  # the decoder network without the head's last step
        return lambda: model.decoder.predict(z, verbose=0)
    decode = model.decode if way == "eager" else tf.function(model.decode)
    return lambda: decode(tf.constant(z)).numpy()


def first(way: str, run: str, folder: str, threads: int) -> dict:
    """Imports, loads, generates one image: `seconds`, `resident_mb`, `peak_mb`, and whether TensorFlow was loaded."""
    if way == "saved_model":
        import numpy as np
        import tensorflow as tf

        loaded = tf.saved_model.load(f"{folder}/saved_model")
        signature = loaded.signatures["generate"]
        inputs = signature.structured_input_signature[1]
        signature(**{name: tf.constant(np.zeros((1, *spec.shape[1:]), "f4")) for name, spec in inputs.items()})
    elif way == "keras":
        import keras_gen

        keras_gen.load(run).generate(1, seed=0)
    else:
        runtime(way, folder, threads).generate(1, seed=0)
    return {"seconds": time.perf_counter() - START, **memory(), "tensorflow": "tensorflow" in sys.modules}


def main(what: str, way: str, run: str, folder: str, threads: str) -> None:
    if what == "first":
        print(json.dumps(first(way, run, folder, int(threads))), flush=True)
        return
    decode = decoder(way, run, folder, int(threads))

    def repeat(times: int) -> None:
        for _ in range(times):
            decode()

    serve(repeat, {"shape": list(decode().shape)})


if __name__ == "__main__":
    main(*sys.argv[1:])
