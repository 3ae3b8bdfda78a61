"""Options that are declared once."""

import dataclasses

import pytest
import typer
from typer.testing import CliRunner

from keras_gen import options
from keras_gen.command_options import with_options
from keras_gen.options import Text, declared, differences, integer, one_of, option, parse_settings, positive, to_json


@dataclasses.dataclass(frozen=True)
class Config:
    system: str | None = option(None, "The system", section="", flag=None)
    epochs: int | None = option(None, "Epochs", check=integer(1), section="training", resumable=True)
    rate: float = option(0.5, "Rate", check=positive, section="training", key="learning_rate")
    mode: str = option("slow", "Mode", check=one_of("slow", "fast"))
    names: tuple[str, ...] = option(
        ("a",),
        "Names",
        check=lambda name, value: tuple(value),
        section="data",
        text=options.NAMES._replace(default="a"),
    )
    settings: dict = option({}, "Settings", section="", flag="--set", text=options.SETTINGS)
    quick: bool = option(False, "Quick")
    hidden: int = option(3, "Not on the command line", flag=None)

    __post_init__ = options.validate


def test_values_are_checked_and_converted():
    assert Config(names=["b", "c"]).names == ("b", "c")
    for values, message in (
        ({"epochs": 0}, "Expected an integer >= 1 for epochs; received 0"),
        ({"epochs": True}, "received True"),
        ({"rate": 0}, "Expected a number > 0 for rate; received 0"),
        ({"rate": float("nan")}, "received nan"),
        ({"mode": "medium"}, "Expected one of slow, fast for mode; received 'medium'"),
    ):
        with pytest.raises(ValueError, match=message):
            Config(**values)
    with pytest.raises(ValueError, match="Expected an integer from 2 to 4 for n; received 5"):
        integer(2, 4)("n", 5)


def test_json_and_back():
    config = Config("vae", epochs=2, settings={"a": (1, 2)})
    content = to_json(config)
    assert content == {
        "system": "vae", "settings": {"a": [1, 2]}, "training": {"epochs": 2, "learning_rate": 0.5},
        "data": {"names": ["a"]},
    }  # fmt: skip
    assert to_json(Config(**options.stored_values(Config, content))) == content
    assert options.stored_values(Config, {})["rate"] == 0.5


def test_differences_of_requested_options_that_are_not_resumable():
    stored = Config("vae", epochs=2, rate=0.1, settings={"a": [1], "b": 2})
    same = Config(epochs=9, mode="fast", settings={"a": (1,)}, hidden=4)
    assert differences(same, stored) == []
    assert differences(Config("gan", rate=0.2, settings={"b": 3, "c": None}), stored) == [
        "system is 'vae', received 'gan'",
        "rate is 0.1, received 0.2",
        "settings['b'] is 2, received 3",
    ]


def command(*arguments):
    app, received = typer.Typer(), []

    @app.command()
    @with_options(Config, arguments=("system",))
    def run(options: dict, times: int = 1):
        """Run."""
        received.append((options, times))

    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})
    return result, received


def test_a_command_has_the_declared_options():
    result, received = command()
    assert result.exit_code == 0
    defaults = {each.name: each.default for each in declared(Config) if each.name != "hidden"}
    assert received == [({**defaults, "names": ["a"]}, 1)]
    line = ("vae", "--epochs", "2", "--rate", "0.1", "--names", "x, y", "--set", "a=1", "--set", "b=c", "--quick")
    (options, times), *_ = command(*line, "--times", "3")[1]
    assert times == 3 and options == {
        "system": "vae", "epochs": 2, "rate": 0.1, "mode": "slow", "names": ["x", "y"], "settings": {"a": 1, "b": "c"},
        "quick": True,
    }  # fmt: skip


def test_help_has_the_declared_descriptions():
    output = command("--help")[0].stdout
    for each in declared(Config):
        assert (f"{each.help}." in output) == (each.name != "hidden")
    assert "--set" in output and "KEY=VALUE" in output and "--no-quick" not in output


def test_parsing_of_command_line_strings():
    assert options.parse_size("--size", "48") == 48 and options.parse_size("--size", "48x64") == (48, 64)
    for text in ("0", "x48", "48x", "48X64", "48x64x3", "-3", "1.5", "٤٨"):
        with pytest.raises(ValueError, match="or HEIGHTxWIDTH such as 48x64, for --size; received"):
            options.parse_size("--size", text)
    assert options.parse_range("--range", "-1,4095.5") == (-1.0, 4095.5)
    with pytest.raises(ValueError, match="Expected LOW,HIGH, such as 0,4095, for --range; received '4095'"):
        options.parse_range("--range", "4095")
    values = [
        parse_settings("--set", [f"k={text}"])["k"]
        for text in ("1", "1.5", "true", "False", "None", "conv", '"1"', "[1, 2]", "a=b")
    ]
    assert values == [1, 1.5, True, False, None, "conv", "1", [1, 2], "a=b"]
    for text in ("beta", "=3"):
        with pytest.raises(ValueError, match="Expected KEY=VALUE, such as latent_size=16, for --set; received"):
            parse_settings("--set", [text])
    assert Text(options.parse_names).parse("--names", "a, b,,") == ["a", "b"]
