import io

import pytest

from keras_gen.progress import Progress
from keras_gen.training.timing import ReportProgress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def pass_through(callback, clock, epochs, steps, *, compiling=30.0, step=0.5, between=4.0):
    """Calls a callback as `fit` does: after the first step, each takes `step` s and each validation `between` s."""
    callback.set_params({"steps": steps})
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(steps):
            clock.now += compiling if (epoch, batch) == (0, 0) else step
            callback.on_train_batch_end(batch)
            yield epoch, batch
        callback.on_test_begin()
        clock.now += between
        callback.on_test_batch_end(0)
        callback.on_epoch_end(epoch)


def test_the_remaining_time_is_of_all_epochs_without_the_compilation():
    clock, messages = Clock(), []
    callback = ReportProgress("Epoch", 3, later=2, validation=1, say=messages.append, clock=clock)
    left = {step: callback.remaining() for step in pass_through(callback, clock, 3, 20)}
    assert left[0, 0] is None
    assert left[0, 9] == pytest.approx(0.5 * (10 + 4 * 20))  # the time of a validation is not known yet
    assert left[1, 4] == pytest.approx(0.5 * (15 + 3 * 20) + 4.0 * 4)
    assert left[2, 19] == pytest.approx(0.5 * 2 * 20 + 4.0 * 3)
    assert messages == ["Expected time: about 44 s for 3 epochs and the 2 that follow, if theirs take as long"]


def test_a_training_of_seconds_is_not_announced():
    clock, messages = Clock(), []
    callback = ReportProgress("Epoch", 1, say=messages.append, clock=clock)
    assert len(list(pass_through(callback, clock, 1, 3, step=0.1, between=0.1))) == 3
    assert messages == []


def test_a_file_gets_lines_within_an_epoch():
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, clock=clock):
        callback = ReportProgress("Epoch", 2, validation=1, say=lambda text: None, clock=clock)
        assert list(pass_through(callback, clock, 2, 40))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Epoch 1 of 2: 5 of 40, about 14 s left; about 38 s left in all"
    assert "Validation: 1 of 1" in lines
