"""Reads settings from environment variables, and says everything that is wrong with them at once.

Every reader returns a usable placeholder when the variable is wrong, remembers the complaint, and lets the next one be
read, so that an operator corrects a configuration in one round. Complaints name keys and what is expected, never the
value: values are passwords often enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class WrongEnvironment(Exception):
    """The environment cannot be used. `problems` maps each wrong key to what is expected of it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = "\n".join(f"  {key}: {problem}" for key, problem in sorted(self.problems.items()))
        super().__init__(f"{len(self.problems)} setting(s) are wrong or missing:\n{lines}\nSee .env.example.")


class Environment:
    """A mapping of variables with typed readers. `check()` raises `WrongEnvironment` naming every wrong key."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.problems: dict[str, str] = {}

    def wrong(self, key: str, problem: str) -> None:
        """Remember a complaint about `key`; the first one stands."""
        self.problems.setdefault(key, problem)

    def check(self) -> None:
        """Raise `WrongEnvironment` if any reader complained."""
        if self.problems:
            raise WrongEnvironment(self.problems)

    def text(self, key: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
        """The variable without surrounding space; required when `default` is None. Empty counts as not set."""
        value = self.variables.get(key, "").strip()
        if not value:
            if default is None:
                self.wrong(key, "is required")
                return ""
            return default
        if choices and value not in choices:
            self.wrong(key, f"must be one of: {', '.join(choices)}")
            return default if default is not None else choices[0]
        return value

    def secret(self, key: str, default: str | None = None, *, at_least: int = 0) -> str:
        """A secret from KEY, or from the file that KEY_FILE names. `at_least` is the least number of characters."""
        plain, path = self.variables.get(key, "").strip(), self.variables.get(f"{key}_FILE", "").strip()
        if plain and path:
            self.wrong(key, f"is given twice; set either {key} or {key}_FILE")
        if path:
            try:
                plain = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self.wrong(f"{key}_FILE", "names a file that cannot be read")
                return default or ""
            if not plain:
                self.wrong(f"{key}_FILE", "names an empty file")
                return default or ""
        if not plain:
            if default is None:
                self.wrong(key, f"is required (or {key}_FILE)")
                return ""
            return default
        if len(plain) < at_least:
            self.wrong(key, f"must have at least {at_least} characters")
        return plain

    def boolean(self, key: str, default: bool) -> bool:
        """true/false, yes/no, on/off, 1/0."""
        value = self.variables.get(key, "").strip().lower()
        if not value:
            return default
        if value not in TRUE | FALSE:
            self.wrong(key, "must be true or false")
            return default
        return value in TRUE

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number within [low, high]."""
        value = self.variables.get(key, "").strip()
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            self.wrong(key, f"must be a whole number from {low} to {high}")
            return default
        return number

    def words(self, key: str, default: list[str] | None = None) -> list[str]:
        """A comma-separated list without empty items; required when `default` is None."""
        items = [item.strip() for item in self.variables.get(key, "").split(",") if item.strip()]
        if items:
            return items
        if default is None:
            self.wrong(key, "is required (a comma-separated list)")
            return []
        return list(default)

    def origin(self, key: str, default: str | None = None, *, schemes: tuple[str, ...] = ("https",)) -> str:
        """An address such as https://clinic.example.org: a scheme and a host, no path, no trailing slash."""
        value = self.text(key, default)
        if not value:
            return value
        try:
            parts = urlsplit(value)
            fine = parts.scheme in schemes and bool(parts.hostname) and parts.path in ("", "/") and not parts.query
            _ = parts.port  # raises ValueError when it is not a port number
        except ValueError:
            fine = False
        if not fine:
            self.wrong(key, f"must be an address like {schemes[0]}://clinic.example.org, without a path")
            return ""
        return value.rstrip("/")

    def database(self, key: str) -> dict[str, Any]:
        """DATABASE_URL as Django's connection settings: postgresql://user:password@host:port/name?sslmode=require.

        A Unix socket is written as ?host=/folder. Other query parameters go to libpq as they are.
        """
        problem = "must look like postgresql://user:password@host:5432/name"
        value = self.secret(key)
        if not value:
            return {}
        try:
            parts = urlsplit(value)
            options: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
            host, port = options.pop("host", "") or parts.hostname or "", parts.port
            name = unquote(parts.path.lstrip("/"))
        except ValueError:
            self.wrong(key, problem)
            return {}
        if parts.scheme not in ("postgres", "postgresql") or not name or not host:
            self.wrong(key, problem)
            return {}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(port or ""),
            "OPTIONS": options,
        }

    def redis(self, key: str) -> tuple[str, str]:
        """REDIS_URL as (address for Django's cache, address for Celery's broker).

        Takes redis://, rediss:// and unix:///path/to/socket?db=0. The two clients spell a socket differently.
        """
        problem = "must look like redis://host:6379/0, rediss://... or unix:///path/to/socket?db=0"
        value = self.secret(key)
        if not value:
            return "", ""
        try:
            parts = urlsplit(value)
            query = dict(parse_qsl(parts.query))
            if parts.scheme == "unix" and parts.path:
                number = int(query.get("db", "0"))
                return f"unix://{parts.path}?db={number}", f"redis+socket://{parts.path}?virtual_host={number}"
            if parts.scheme in ("redis", "rediss") and parts.hostname:
                int(parts.path.lstrip("/") or "0")
                _ = parts.port
                return value, value
        except ValueError:
            pass
        self.wrong(key, problem)
        return "", ""
