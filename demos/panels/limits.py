"""How long a request may take, and the threads that work for requests.

At the limit a visitor's wait ends with a message. The work behind it ends at the next batch of its model, or at the
next result of a handler that yields. A single call of LiteRT, Pillow or TensorFlow cannot be interrupted from Python:
it runs to its end in one of `WORKERS` threads, and its result is thrown away. So a slow request costs at most one of
these threads, and while all of them are busy, other requests wait in line, each for the limit at most.
"""

import asyncio
import concurrent.futures
import contextvars
import math
import pathlib
import time
from collections.abc import Callable

from keras_gen.runtime import Runtime

TIME_LIMIT = 60.0  # seconds
WORKERS = 4

_time_limit = TIME_LIMIT
_deadline = contextvars.ContextVar("deadline", default=math.inf)
_workers = concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="request")


def set_time_limit(seconds: float) -> None:
    """Set the limit of the requests that come from now on.

    Raises:
        ValueError: for a limit that is not positive.
    """
    global _time_limit
    if not seconds > 0:
        raise ValueError(f"Expected a time limit of more than 0 seconds; received {seconds}")
    _time_limit = float(seconds)


def check_time() -> None:
    """End work for a request whose time is over.

    Raises:
        TimeoutError: past the deadline of the request that this thread works for.
    """
    if time.monotonic() > _deadline.get():
        raise TimeoutError


def open_model(folder: str | pathlib.Path) -> Runtime:
    """The exported model in a folder; its calls end at the first batch after the time of their request is over.

    Raises:
        FileNotFoundError, ValueError: where the export is missing or damaged.
    """
    return Runtime(folder, before_batch=check_time)


class Request:
    """The work for one request: calls in the worker threads, until its time is over.

    Attributes:
        limit: seconds from now.
    """

    def __init__(self):
        self.limit = _time_limit
        self._end = time.monotonic() + self.limit
        self._context = contextvars.copy_context()
        self._context.run(_deadline.set, self._end)

    async def run(self, function: Callable, *args):
        """Call a function in a worker thread.

        Raises:
            TimeoutError: where it has not returned when the time is over; waiting for a free thread counts.
        """
        work = asyncio.get_running_loop().run_in_executor(_workers, self._context.run, function, *args)
        return await asyncio.wait_for(work, self._end - time.monotonic())
