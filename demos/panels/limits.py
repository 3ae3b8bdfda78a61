"""The time limit of requests, and the threads that process them.

At the limit the visitor gets a message. The work for the request ends at the next batch of its model, or at the next
result of a generator. A single call of LiteRT, Pillow or TensorFlow cannot be interrupted from Python: it runs to its
end in one of `WORKERS` threads, and its result is discarded. A slow request therefore blocks at most one thread. While
all threads are busy, other requests wait in a queue, each no longer than the limit.
"""

import asyncio
import concurrent.futures
import contextvars
import math
import pathlib
import time
from collections.abc import Callable
from typing import Any

from keras_gen.runtime import Runtime

TIME_LIMIT = 60.0  # seconds
WORKERS = 4

_time_limit = TIME_LIMIT
_deadline = contextvars.ContextVar("deadline", default=math.inf)
_workers = concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="request")


def set_time_limit(seconds: float) -> None:
    """Sets the time limit of later requests.

    Args:
        seconds: The limit, > 0.

    Raises:
        ValueError: If the limit is not positive.
    """
    global _time_limit
    if not seconds > 0:
        raise ValueError(f"Expected a time limit of more than 0 seconds; received {seconds}")
    _time_limit = float(seconds)


def check_time() -> None:
    """Ends the work for a request at its time limit.

    Raises:
        TimeoutError: After the deadline of the request that this thread processes.
    """
    if time.monotonic() > _deadline.get():
        raise TimeoutError


def open_model(folder: str | pathlib.Path) -> Runtime:
    """Opens the exported model in a folder; its calls end at the first batch after the time limit of their request.

    Raises:
        FileNotFoundError: If the export is missing.
        ValueError: If the export is damaged.
    """
    return Runtime(folder, before_batch=check_time)


class Request:
    """A request: its calls run in the worker threads until its time limit.

    Attributes:
        limit: Seconds from the creation of this object.
    """

    def __init__(self):
        self.limit = _time_limit
        self._end = time.monotonic() + self.limit
        self._context = contextvars.copy_context()
        self._context.run(_deadline.set, self._end)

    async def run(self, function: Callable, *args: Any) -> Any:
        """Calls a function in a worker thread, and returns its result.

        Raises:
            TimeoutError: If the function has not returned at the limit, which includes waiting for a free thread.
        """
        work = asyncio.get_running_loop().run_in_executor(_workers, self._context.run, function, *args)
        return await asyncio.wait_for(work, self._end - time.monotonic())
