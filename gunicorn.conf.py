"""gunicorn, found by its name in the working directory. Address and number of processes come from the command line."""

import gc
import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

worker_class = "gthread"
threads = 4
timeout = 60  # the longest page takes under a second; an export streams, and each piece counts as life
graceful_timeout = 20
max_requests = 5000  # a leak in a library must not grow for weeks
max_requests_jitter = 500
# The heartbeat file: on a disk that stalls it would get a healthy process killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True  # nobody uses it, and it would be written into the home folder
accesslog = None  # myositis_tracker.logs writes one line per request, without path or query
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")


class OurLog(Logger):
    """What gunicorn says goes through myositis_tracker.logs once the project is loaded: by itself it would write the
    text of an exception and the address of the request."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


logger_class = OurLog


def post_worker_init(worker: Any) -> None:
    """What is loaded by now stays: the collector need not look through it again, in the middle of somebody's page."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the live gauges of a process that ended, where several processes share their metrics."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
