"""Settings from the environment: every wrong key is named at once, and no value ever."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from myositis_tracker.engine import PROJECT
from myositis_tracker.environment import Environment, WrongEnvironment

GOOD = {
    "MODE": "production",
    "BASE_URL": "https://clinic.example.org",
    "SECRET_KEY": "s3cret-" * 10,
    "RELEASE_KEY": "r3lease-" * 6,
    "DATABASE_URL": "postgresql://someone:pa55word@db.example.org:5433/clinic?sslmode=require",
    "REDIS_URL": "redis://cache.example.org:6379/2",
    "EMAIL_HOST": "mail.example.org",
    "EMAIL_FROM": "clinic@example.org",
}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """manage.py with exactly these variables (and PATH)."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_production_settings_pass_the_deploy_check() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", **GOOD)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_every_wrong_key_is_named_at_once_and_no_value() -> None:
    wrong = {
        "MODE": "production",
        "BASE_URL": "http://clinic.example.org/path",
        "SECRET_KEY": "tooshort-hush",
        "DATABASE_URL": "mysql://someone:pa55word@db/clinic",
        "REDIS_URL": "redis://:pa55word@cache:nonsense/0",
        "EMAIL_PORT": "none-of-yours",
        "EMAIL_SECURITY": "perhaps",
        "REQUIRE_MFA": "certainly",
        "DEBUG": "true",
        "ALLOWED_HOSTS": "*",
        "RELEASE_KEY_FILE": "/nowhere/at/all",
    }
    result = manage("check", **wrong)
    assert result.returncode != 0
    complaint = result.stderr[result.stderr.index("setting(s) are wrong") - 4 :]
    named = {line.split(":")[0].strip() for line in complaint.splitlines() if line.startswith("  ")}
    assert named == set(wrong) - {"MODE"} | {"EMAIL_HOST", "EMAIL_FROM"}
    for value in ("hush", "pa55word", "nonsense", "none-of-yours", "perhaps", "certainly", "/nowhere"):
        assert value not in result.stdout + result.stderr


def test_half_a_configuration_is_not_taken_for_a_clone() -> None:
    result = manage("check", DATABASE_URL=GOOD["DATABASE_URL"])
    assert result.returncode != 0
    assert "SECRET_KEY" in result.stderr


def test_secrets_from_files(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-a-file\n")
    env = Environment({"KEY_FILE": str(path)})
    assert env.secret("KEY") == "from-a-file"
    env.check()


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-a-file")
    env = Environment({"KEY": "plain", "KEY_FILE": str(path)})
    env.secret("KEY")
    with pytest.raises(WrongEnvironment, match="given twice"):
        env.check()


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_file_without_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    env = Environment({"KEY_FILE": str(path)})
    env.secret("KEY", "a default does not hide it")
    assert set(env.problems) == {"KEY_FILE"}


def test_database_address() -> None:
    env = Environment(GOOD | {"SOCKET": "postgresql://me@/clinic?host=/run/postgresql&port=1"})
    found = env.database("DATABASE_URL")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", "5433", "clinic")
    assert (found["USER"], found["PASSWORD"]) == ("someone", "pa55word")
    assert found["OPTIONS"] == {"sslmode": "require"}
    assert env.database("SOCKET")["HOST"] == "/run/postgresql"
    assert not env.problems


@pytest.mark.parametrize(
    "value",
    ["clinic", "postgresql://", "postgresql://host", "postgresql://host/", "postgresql://host:x/db", "sqlite:///file"],
)
def test_what_is_no_database_address(value: str) -> None:
    env = Environment({"DATABASE_URL": value})
    env.database("DATABASE_URL")
    assert set(env.problems) == {"DATABASE_URL"}


@pytest.mark.parametrize(
    ("value", "cache", "broker"),
    [
        ("redis://host:6379/3", "redis://host:6379/3", "redis://host:6379/3"),
        ("rediss://:word@host/0", "rediss://:word@host/0", "rediss://:word@host/0"),
        ("unix:///run/v.sock?db=5", "unix:///run/v.sock?db=5", "redis+socket:///run/v.sock?virtual_host=5"),
        ("unix:///run/v.sock", "unix:///run/v.sock?db=0", "redis+socket:///run/v.sock?virtual_host=0"),
    ],
)
def test_redis_addresses(value: str, cache: str, broker: str) -> None:
    env = Environment({"REDIS_URL": value})
    assert env.redis("REDIS_URL") == (cache, broker)
    assert not env.problems


@pytest.mark.parametrize("value", ["host:6379", "redis://", "redis://host/x", "unix://", "unix:///s?db=x"])
def test_what_is_no_redis_address(value: str) -> None:
    env = Environment({"REDIS_URL": value})
    env.redis("REDIS_URL")
    assert set(env.problems) == {"REDIS_URL"}


@pytest.mark.parametrize(("value", "low", "high"), [("0", 1, 9), ("10", 1, 9), ("1.5", 1, 9), ("x", 1, 9)])
def test_numbers_out_of_range(value: str, low: int, high: int) -> None:
    env = Environment({"N": value})
    assert env.integer("N", 5, low=low, high=high) == 5
    assert set(env.problems) == {"N"}


@pytest.mark.parametrize("number", [1, 9])
def test_numbers_at_the_bounds(number: int) -> None:
    env = Environment({"N": str(number)})
    assert env.integer("N", 5, low=1, high=9) == number
    env.check()


def test_every_variable_that_is_read_is_in_the_example() -> None:
    source = (PROJECT / "myositis_tracker" / "settings.py").read_text()
    example = (PROJECT / ".env.example").read_text()
    read = set(
        re.findall(r"env\.(?:text|secret|boolean|integer|words|origin|database|redis)\(\s*\"([A-Z_]+)\"", source)
    )
    assert {"SECRET_KEY", "EMAIL_SECURITY", "REQUIRE_MFA"} <= read
    missing = {key for key in read if not re.search(rf"^#?{key}(_FILE)?=", example, re.MULTILINE)}
    assert missing == {"DEBUG", "TEST_DATABASE_NAME"}, "neither has a place on a production server"
