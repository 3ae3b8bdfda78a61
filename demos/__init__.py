"""Gradio apps over exported models; in the checkout only, not in the wheel.

`python -m demos [RUN ...]` opens the exports of runs in a browser. No demo of a model imports TensorFlow or a model
class: it reads the `export/` folder alone, through `keras_gen.runtime`. The tab of the theory trains a small
network, and imports TensorFlow once it is opened.
"""
