"""CPU seconds of commands."""

from benchmarks import startup


def test_a_command_is_measured():
    measured = startup.measure(startup.ROOT, 1, {"zoo": startup.COMMANDS["zoo"]})
    assert measured["zoo"]["all"] == [measured["zoo"]["median"]] and measured["zoo"]["median"] > 0
