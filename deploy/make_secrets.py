"""Makes the files of secrets/ that docker-compose.yml reads. Never overwrites: data was made with the old keys."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "secrets"


def main() -> int:
    if FOLDER.exists():
        print(f"{FOLDER} is there already; nothing was changed.", file=sys.stderr)
        return 1
    password = secrets.token_urlsafe(32)
    contents = {
        "secret_key": secrets.token_urlsafe(64),
        "release_key": secrets.token_urlsafe(48),
        "metrics_token": secrets.token_urlsafe(32),
        "database_password": password,
        "database_url": f"postgresql://myositis:{password}@postgres:5432/myositis",
    }
    # The folder keeps other users of this machine out; the files are readable because each is mounted into containers
    # that run as users this machine does not know.
    FOLDER.mkdir(mode=0o700)
    for name, content in contents.items():
        path = FOLDER / name
        path.write_text(content, encoding="ascii")
        path.chmod(0o444)
    return 0


if __name__ == "__main__":
    sys.exit(main())
