"""Runs exported models with numpy and ai-edge-litert; neither TensorFlow nor Keras is imported.

keras_gen imports this package, and an export contains a copy of it as `runtime/`. In the export folder:

    python -m runtime info
    python -m runtime generate --num 16 --seed 1 --out grid.png
    python -m runtime reconstruct photo.png --out pairs.png
    python -m runtime generate --caption "a red circle"      # text-conditional models

    from runtime import Runtime
    images = Runtime().generate(16, seed=1)      # float32 [16, height, width, channels] in [0, 1]

The modules import each other relatively and nothing else of keras_gen. Pillow is needed for image files only.
"""

from .images import read_images as read_images
from .pictures import write_images as write_images
from .runtime import Runtime as Runtime
