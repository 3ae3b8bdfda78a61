from benchmarks import startup


def test_a_command_is_measured():
    found = startup.measure(startup.ROOT, 1, {"zoo": startup.COMMANDS["zoo"]})
    assert found["zoo"]["all"] == [found["zoo"]["median"]] and found["zoo"]["median"] > 0
