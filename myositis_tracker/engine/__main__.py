"""python -m myositis_tracker.engine run | keep KIND"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Run one of the commands; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m myositis_tracker.engine", description="The local clinic.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything: servers, web, worker, beat")
    keep = commands.add_parser("keep", help="internal: own the servers of one engine until nobody needs them")
    keep.add_argument("kind", choices=["clinic", "test", "bench"])
    keep.add_argument("project", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "keep":
        from myositis_tracker.engine.keeper import Keeper
        from myositis_tracker.engine.places import place

        return Keeper(place(arguments.kind, arguments.project)).run()
    from myositis_tracker.engine.supervisor import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
