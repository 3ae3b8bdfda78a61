import io

import pytest

from keras_gen.progress import Progress, duration


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_file_gets_a_line_after_two_seconds_and_then_every_fifteen():
    stream, clock = io.StringIO(), Clock()
    with Progress(stream=stream, clock=clock) as progress:
        for clock.now in range(0, 41):
            progress.update("reading images", int(clock.now), 80)
    assert stream.getvalue().splitlines() == [
        "reading images: 2 of 80, about 78 s left",
        "reading images: 17 of 80, about 63 s left",
        "reading images: 32 of 80, about 48 s left",
    ]


def test_what_is_short_is_not_reported_and_a_new_activity_starts_anew():
    stream, clock = io.StringIO(), Clock()
    with Progress(stream=stream, clock=clock) as progress:
        progress.update("first")
        clock.now = 1.5
        progress.update("first")
        progress.update("second")
        clock.now = 3.4
        progress.update("second")
        assert stream.getvalue() == ""
        clock.now = 3.6
        progress.update("second")
    assert stream.getvalue() == "second ...\n"


def test_nothing_is_shown_where_it_is_not_asked_for():
    stream, clock = io.StringIO(), Clock()
    with Progress(False, stream=stream, clock=clock) as progress:
        progress.update("reading")
        clock.now = 100
        progress.update("reading")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("seconds, text", [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (7800, "2 h 10 min")])
def test_durations_are_written_as_people_say_them(seconds, text):
    assert duration(seconds) == text
