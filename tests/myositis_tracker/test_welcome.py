"""What `make run` says when everything is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from myositis_tracker.engine import supervisor


def test_where_it_is_and_the_logins_stand_together_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PROJECT", tmp_path)
    assert "http://localhost:8123" in supervisor.welcome(8123)
    assert "login" not in supervisor.welcome(8123)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "demo-logins.txt").write_text("Demo logins (any of these):\n  Nurse\nPassword of all: x\n")
    above, block, below = supervisor.welcome(8123).split("=" * 72)
    assert above.strip() == ""
    assert block.index("http://localhost:8123") < block.index("Nurse") < block.index("Password of all: x")
    assert "Below stands what its processes log" in below
