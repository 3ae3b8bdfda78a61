"""The server limits the time of a request and the memory of sessions, and its log shows only defects."""

import asyncio
import contextlib
import threading
import time

import gradio as gr
import gradio_client
import pytest
from gradio_client.exceptions import AppError

from demos.app import SESSIONS, launch
from demos.panels.errors import show_errors
from demos.panels.limits import TIME_LIMIT, WORKERS, check_time, open_model, set_time_limit

from .conftest import SERVED as SERVED
from .conftest import serve


@pytest.fixture(autouse=True)
def reset_limit():
    yield
    set_time_limit(TIME_LIMIT)


@pytest.fixture
def release():
    """An event that slow handlers wait for; it is set after the test, so that no thread stays blocked."""
    event = threading.Event()
    yield event
    event.set()


def test_a_request_ends_at_the_time_limit_while_its_thread_continues(release):
    set_time_limit(0.05)
    with pytest.raises(gr.Error, match="This took longer than 0.05 seconds and was stopped") as error:
        asyncio.run(show_errors(lambda: release.wait())())
    assert not error.value.print_exception


def test_waiting_for_a_free_thread_counts_towards_the_time_limit(release):
    async def all_busy():
        set_time_limit(0.05)
        slow = show_errors(lambda: release.wait())
        results = await asyncio.gather(*(slow() for _ in range(WORKERS + 1)), return_exceptions=True)
        assert all(isinstance(each, gr.Error) for each in results) and len(results) == WORKERS + 1
        release.set()
        set_time_limit(TIME_LIMIT)
        assert await show_errors(lambda: "served")() == "served"

    asyncio.run(all_busy())


def test_a_model_stops_at_its_next_batch_after_the_time_limit(artifacts):
    model, batches, ended = open_model(artifacts[2].folder), [], threading.Event()
    before = model.before_batch

    def slow():
        batches.append(None)
        time.sleep(0.02)
        before()

    model.before_batch = slow

    def generate():
        try:
            return model.generate(5000, seed=0)
        finally:
            ended.set()

    set_time_limit(0.1)
    with pytest.raises(gr.Error, match="took longer than 0.1 seconds"):
        asyncio.run(show_errors(generate)())
    assert ended.wait(60) and 0 < len(batches) < 5000
    model.before_batch = before
    assert len(model.generate(2, seed=0)) == 2  # there is no limit outside a request


def test_a_generator_yields_results_until_the_time_limit():
    def count():
        for number in range(10**9):
            check_time()
            yield number

    async def collect():
        numbers = []
        set_time_limit(0.2)
        with pytest.raises(gr.Error, match="took longer than 0.2 seconds"):
            async for number in show_errors(count)():
                numbers.append(number)
        assert numbers == list(range(len(numbers))) and numbers
        return [number async for number in show_errors(lambda: (yield 7))()]

    assert asyncio.run(collect()) == [7]


def test_time_limits_must_be_positive():
    for seconds in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="Expected a time limit of more than 0 seconds"):
            launch(None, time_limit=seconds)


def test_served_app_stops_slow_requests_frees_sessions_and_logs_only_defects(tmp_path):
    log = tmp_path / "log.txt"
    with serve(["-m", "tests.demos.limited_app"], log) as address, contextlib.ExitStack() as stack:
        client, other = (
            gradio_client.Client(address, verbose=False, download_files=tmp_path / name) for name in ("one", "other")
        )
        stack.callback(other.close)
        assert client.predict(3, api_name="/work") == 3
        with pytest.raises(AppError, match="This took longer than 0.3 seconds and was stopped"):
            client.predict(api_name="/slow")
        with pytest.raises(AppError, match="Expected a word; received none"):
            client.predict(api_name="/mistake")
        for value in (10, "many"):
            with pytest.raises((AppError, ValueError)):
                client.predict(value, api_name="/work")
        assert "Traceback" not in log.read_text()
        for name, message in (("missing", "samples/ is gone"), ("defect", None)):
            with pytest.raises(AppError, match=message):
                client.predict(api_name=f"/{name}")
        written = log.read_text()
        assert "FileNotFoundError: samples/ is gone" in written and "KeyError: 'nothing'" in written

        assert other.predict(api_name="/sessions") == [2, SESSIONS]
        client.close()
        deadline = time.monotonic() + 60
        while (num_sessions := other.predict(api_name="/sessions")[0]) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert num_sessions == 1
