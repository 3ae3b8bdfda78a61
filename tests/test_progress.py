import io
import threading

import pytest

from keras_gen import progress as module
from keras_gen.progress import Progress, counted, duration, report


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_redirected_output_has_a_line_after_two_seconds_and_then_every_fifteen():
    stream, clock = io.StringIO(), Clock()
    with Progress(stream=stream, clock=clock) as progress:
        for clock.now in range(0, 41):
            progress.update("reading images", int(clock.now), 80)
    assert stream.getvalue().splitlines() == [
        "reading images: 2 of 80, about 78 s left",
        "reading images: 17 of 80, about 63 s left",
        "reading images: 32 of 80, about 48 s left",
    ]


def test_a_short_activity_is_not_reported_and_a_new_one_restarts_the_time():
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


def test_hidden_progress_reports_nothing():
    stream, clock = io.StringIO(), Clock()
    with Progress(False, stream=stream, clock=clock) as progress:
        progress.update("reading")
        clock.now = 100
        progress.update("reading")
    assert stream.getvalue() == ""


def test_an_activity_that_does_not_report_itself_is_announced(monkeypatch):
    stream, written = io.StringIO(), threading.Event()
    monkeypatch.setattr(module, "ANNOUNCE_AFTER", 0.01)
    monkeypatch.setattr(module, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr(stream, "flush", written.set)
    with Progress(stream=stream) as progress:
        progress.update("importing")
        assert written.wait(60)
    assert stream.getvalue() == "importing ...\n"


def test_report_uses_the_innermost_progress():
    report("nobody listens")
    (outer, inner), clock = (io.StringIO(), io.StringIO()), Clock()
    with Progress(stream=outer, clock=clock):
        report("training")
        with Progress(stream=inner, clock=clock):
            report("evaluating", 1, 4, "one of three models")
            clock.now = 3.0
            report("evaluating", 2, 4, "one of three models")
        report("training")
    assert inner.getvalue() == "evaluating: 2 of 4, about 3 s left; one of three models\n"
    assert outer.getvalue() == "training ...\n"


def test_a_terminal_has_a_bar_that_is_removed_at_the_end():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with Progress(stream=stream) as progress:
        progress.update("[reading]", 3, 9, "slowly")
        progress._bar.refresh()
        with Progress(stream=stream) as inner:  # two bars would overwrite each other
            inner.update("below", 1, 2)
    assert "[reading] (slowly)" in stream.getvalue() and "3/9" in stream.getvalue() and "1/2" in stream.getvalue()


def test_plurals():
    assert (counted(1, "epoch"), counted(2000, "image")) == ("1 epoch", "2,000 images")


@pytest.mark.parametrize("seconds, text", [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (7800, "2 h 10 min")])
def test_format_of_durations(seconds, text):
    assert duration(seconds) == text
