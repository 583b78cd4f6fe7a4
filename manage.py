#!/usr/bin/env python
"""Django's command line. In a clone with nothing configured it uses the local engine (myositis_tracker/engine)."""

import os
import sys

# Commands that never speak to a database: starting servers for them would only cost time.
WITHOUT_SERVERS = {
    "help",
    "version",
    "--version",
    "--help",
    "collectstatic",
    "compilemessages",
    "makemessages",
    "findstatic",
}

CONFIGURED = ("MODE", "DATABASE_URL", "DATABASE_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE")


def main() -> None:
    """Run one management command, starting the local servers for its duration where none are configured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myositis_tracker.settings")
    # Nothing configured at all means a developer's clone. As soon as one of these is set, production is assumed, so
    # that a half-configured server complains instead of quietly opening a demo database.
    if not any(os.environ.get(key) for key in CONFIGURED):
        os.environ["MODE"] = "local"

    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if os.environ.get("MODE") == "local" and command not in WITHOUT_SERVERS:
        from myositis_tracker.engine import engine_for_environment

        with engine_for_environment():
            execute_from_command_line(sys.argv)
    else:
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
