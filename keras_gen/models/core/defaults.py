"""Defaults that the constructors of models and their presets share; importable without Keras."""

EMA = 0.999  # decay of the moving average of a generator's weights
OBJECTIVE = "non_saturating"
