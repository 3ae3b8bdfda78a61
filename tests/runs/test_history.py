import pytest

from keras_gen.runs.history import History, read_rows


def history_of_three(path):
    history = History(path)
    for epoch, loss in enumerate([3.0, 1.0, 2.0], start=1):
        history.append(epoch, {"loss": loss, "val_loss": loss + 0.5})
    return history


def test_file_has_a_row_per_epoch_with_all_digits_of_float32(tmp_path):
    path = tmp_path / "new" / "metrics.csv"
    History(path).append(1, {"loss": 0.10000000149011612, "val_loss": 16777215.0})
    assert path.read_text() == "epoch,loss,val_loss\n1,0.100000001,16777215\n"


def test_a_resumed_history_drops_epochs_after_the_state(tmp_path):
    path = tmp_path / "metrics.csv"
    history = History(path, history_of_three(path).rows[:2])
    history.append(3, {"loss": 9.0})
    assert read_rows(path) == [
        {"epoch": 1, "loss": 3.0, "val_loss": 3.5},
        {"epoch": 2, "loss": 1.0, "val_loss": 1.5},
        {"epoch": 3, "loss": 9.0},
    ]


@pytest.mark.parametrize("content", [None, "", "epoch,loss\n1,3", b"\xff\xfe"])
def test_a_lost_or_damaged_file_is_rewritten_and_an_equal_one_is_not(tmp_path, content):
    path = tmp_path / "metrics.csv"
    full = history_of_three(path).text()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    history = History(path, history_of_three(tmp_path / "other.csv").rows)
    assert history.write() and path.read_text() == full
    assert not history.write() and not History(None, history.rows).write()


def test_best_epoch_is_the_first_with_the_smallest_value_and_nan_is_ignored(tmp_path):
    history = history_of_three(tmp_path / "metrics.csv")
    assert history.best("val_loss") == 2 and history.epochs_since_best("val_loss") == 1
    history.append(4, {"val_loss": 1.5})
    history.append(5, {"val_loss": float("nan")})
    assert history.best("val_loss") == 2 and history.epochs_since_best("val_loss") == 3
    assert history.best(None) == 5 and history.epochs_since_best(None) == 0
    assert History(tmp_path / "other.csv").best("loss") == 0


def test_an_unreadable_file_is_named(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,loss\n1,abc\n")
    with pytest.raises(ValueError, match="metrics.csv cannot be read as a table of metrics"):
        read_rows(path)


def test_equal_values_stay_equal_in_the_file(tmp_path):
    value = 6.286861896514893  # a float32 with more digits than the file has
    history = History(tmp_path / "metrics.csv")
    history.append(1, {"loss": value})
    history.append(2, {"loss": value})
    assert history.best("loss") == 1 and history.epochs_since_best("loss") == 1
