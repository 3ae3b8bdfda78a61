"""Gradio apps for exported models; part of the checkout, not of the wheel.

`python -m demos [RUN ...]` opens the exports of runs in a browser. The demo of a model imports neither TensorFlow nor a
model class: it reads the `export/` folder through `keras_gen.runtime`. The tab on the theory of GANs trains a small
network, and imports TensorFlow when a visitor opens it.
"""
