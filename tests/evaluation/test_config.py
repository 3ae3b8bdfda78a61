"""Evaluation options are the same in Python and on the command line."""

import inspect

import pytest

from keras_gen import options
from keras_gen.evaluation import evaluate
from keras_gen.evaluation.config import FEATURES, SPLITS, EvaluateConfig
from keras_gen.evaluation.context import SPLITS as ROLES
from keras_gen.evaluation.features import extractors
from keras_gen.evaluation.features.of_run import PYRAMID


def test_arguments_of_evaluate_match_the_declared_options():
    parameters = inspect.signature(evaluate).parameters
    defaults = {name: each.default for name, each in parameters.items() if name not in ("run", "verbose")}
    assert {each.name: each.default for each in options.declared(EvaluateConfig)} == defaults


def test_choices_are_those_of_the_evaluation():
    assert FEATURES == (*extractors.FEATURES, PYRAMID) and SPLITS == ROLES


def test_invalid_values_are_refused():
    assert EvaluateConfig(features=["fid", "pixels", "fid"]).features == ("fid", "pixels")
    for values, message in (
        ({"nll_images": "some"}, "Expected an integer >= 1 or \"all\" for nll_images; received 'some'"),
        ({"features": ("vgg",)}, "Expected some of small_v1, .* for features; received 'vgg'"),
        ({"split": "gone"}, "Expected one of test, validation, train for split; received 'gone'"),
    ):
        with pytest.raises(ValueError, match=message):
            EvaluateConfig(**values)
