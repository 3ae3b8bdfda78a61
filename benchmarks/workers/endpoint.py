"""A worker: calls of one endpoint of an exported folder, batch 1 unless it was exported with more, inputs of zeros.

Arguments: the export folder, the precision, the endpoint, threads. Answers "run N" with the seconds of N calls.
"""

import sys

from .serve import serve


def main(folder: str, precision: str, endpoint: str, threads: str) -> None:
    sys.path.insert(0, folder)
    import numpy as np
    from runtime import Runtime  # ty: ignore[import-not-found] - in the export folder

    model = Runtime(folder, precision=precision, threads=int(threads))
    ports = model.signatures[endpoint]["inputs"]
    inputs = {name: np.zeros((model.batch, *port["shape"]), np.float32) for name, port in ports.items()}

    def repeat(times: int) -> None:
        for _ in range(times):
            model.run(endpoint, **inputs)

    serve(repeat, {"batch": model.batch})


if __name__ == "__main__":
    main(*sys.argv[1:])
