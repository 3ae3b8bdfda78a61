"""The table of exported runs."""

import pytest

zoo = pytest.importorskip("export.zoo", reason="the checkout's export/ is not next to the tests")


def test_rows_of_an_exported_run(run, folder, parity, monkeypatch):
    calls = []

    def measure(folder, endpoint, precision, threads, repeats):
        calls.append((endpoint, precision, threads))
        return {"median_ms": 1.0 / threads, "peak_mb": 50.0}

    monkeypatch.setattr(zoo, "measure", measure)
    rows = zoo.rows_of(run, folder, repeats=3)
    assert len(rows) == 16 and len(set(calls)) == 32  # 4 endpoints in 4 precisions, at 1 and 2 threads
    row = next(row for row in rows if (row["endpoint"], row["precision"]) == ("decode", "int8"))
    expected = parity["files"]["int8"]
    assert row["bytes"] == expected["bytes"] and row["max"] == expected["endpoints"]["decode"]["image"]["max"]
    assert row["ms"] == {"1": 1.0, "2": 0.5} and row["operations"] == expected["operations"]["decode"]
    lines = zoo.markdown(rows).splitlines()
    assert len(lines) == 18 and all(line.count("|") == len(zoo.COLUMNS) + 1 for line in lines)
    assert "| vae | decode | int8 |" in zoo.markdown(rows) and "TRANSPOSE_CONV*2" in zoo.markdown(rows)


def test_measures_in_a_separate_process(folder):
    measured = zoo.measure(folder, "decode", "int8", threads=1, repeats=3)
    assert 0 < measured["fastest_ms"] <= measured["median_ms"] and 10 < measured["peak_mb"] < 300
    with pytest.raises(RuntimeError, match="measurements of upscale in int8; received the error .*an endpoint of"):
        zoo.measure(folder, "upscale", "int8", threads=1, repeats=3)
