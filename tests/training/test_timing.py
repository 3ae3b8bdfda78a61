import io

import pytest

from keras_gen.progress import Progress
from keras_gen.training.timing import ReportProgress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def simulate_fit(callback, clock, epochs, steps, *, compiling=30.0, step=0.5, between=4.0):
    """Calls a callback as `fit` does, and yields the position after each step.

    Args:
        callback: The callback.
        clock: The clock, which is advanced.
        epochs: Number of epochs.
        steps: Steps in an epoch.
        compiling: Seconds of the first step.
        step: Seconds of every other step.
        between: Seconds between epochs, for validation.
    """
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


def test_remaining_time_excludes_the_compilation():
    clock, messages = Clock(), []
    callback = ReportProgress("Epoch", 3, later=2, validation=1, say=messages.append, clock=clock)
    remaining = {step: callback.remaining() for step in simulate_fit(callback, clock, 3, 20)}
    assert remaining[0, 0] is None
    assert remaining[0, 9] == pytest.approx(0.5 * (10 + 4 * 20))  # the duration of a validation is not known yet
    assert remaining[1, 4] == pytest.approx(0.5 * (15 + 3 * 20) + 4.0 * 4)
    assert remaining[2, 19] == pytest.approx(0.5 * 2 * 20 + 4.0 * 3)
    assert messages == [
        "Expected time: about 44 s for 49 updates of 500 ms, in 3 epochs, and 2 epochs that follow, if these take as "
        "long. This is a first estimate; the progress has the current one"
    ]


def test_the_estimate_of_a_growing_model_is_a_lower_bound():
    clock, messages = Clock(), []
    callback = ReportProgress("Epoch", 2, faster_at_first=True, say=messages.append, clock=clock)
    assert list(simulate_fit(callback, clock, 2, 20))
    assert messages[0].startswith("Expected time: more than 14 s for 29 updates of 500 ms, which take longer as the")


def test_the_remaining_time_follows_a_change_of_speed():
    clock = Clock()
    callback = ReportProgress("Epoch", 4, say=lambda text: None, clock=clock)
    callback.set_params({"steps": 16})
    for epoch in range(4):
        callback.on_epoch_begin(epoch)
        for batch in range(16):
            clock.now += 0.1 if epoch < 2 else 1.0
            callback.on_train_batch_end(batch)
    # half of the first two epochs counts in the second, a quarter of these in the third, ...
    steps = 16 + 16 / 2 + 16 / 4 + 15 / 8
    assert callback.seconds / callback.steps == pytest.approx((16 * 1.5 + 0.1 * (16 / 4 + 15 / 8)) / steps)


def test_duration_of_a_short_training_is_not_announced():
    clock, messages = Clock(), []
    callback = ReportProgress("Epoch", 1, say=messages.append, clock=clock)
    assert len(list(simulate_fit(callback, clock, 1, 3, step=0.1, between=0.1))) == 3
    assert messages == []


def test_a_file_gets_lines_within_an_epoch():
    clock, stream = Clock(), io.StringIO()
    with Progress(stream=stream, clock=clock):
        callback = ReportProgress("Epoch", 2, validation=1, say=lambda text: None, clock=clock)
        assert list(simulate_fit(callback, clock, 2, 40))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Epoch 1 of 2: 5 of 40, about 14 s left; about 38 s left in all"
    assert "Validation: 1 of 1" in lines
