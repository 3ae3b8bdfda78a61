"""Gradio apps over exported models; in the checkout only, not in the wheel.

`python -m demos [RUN ...]` opens the exports of runs in a browser. Nothing here imports TensorFlow or a model class:
a demo reads the `export/` folder alone, through `keras_gen.export.runtime`.
"""
