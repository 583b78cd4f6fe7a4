"""The application as gunicorn serves it to bench/load.py: everybody lives on the day that was built."""

from __future__ import annotations

import datetime as dt
import os

import time_machine

time_machine.travel(dt.datetime.fromisoformat(os.environ["BENCH_NOW"]), tick=True).start()

from myositis_tracker.wsgi import application  # noqa: E402 - not before the clock is set

__all__ = ["application"]
