"""manage.py write_docs: the pages of docs/ that are made from the code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand

from alerts import tasks
from monitoring.rule_pages import MADE, rule_pages, table
from monitoring.rules import RULES

BEAT = """\
Beat only ticks. What a tick leads to is decided, and claimed once, in PostgreSQL, by a unique row or under a lock. A
lost, doubled or late tick is therefore harmless, and several workers may serve one queue."""


class Command(BaseCommand):
    help = "Write docs/rules/ from the rules and docs/schedule.md from the schedule."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "docs"
        made = pages()
        for path in folder.glob("rules/*.md"):
            if f"rules/{path.name}" not in made:
                path.unlink()
        for name, text in made.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.stdout.write(f"{len(made)} pages written to {folder}.")


def pages() -> dict[str, str]:
    """{path below docs/: text}."""
    return {f"rules/{name}": text for name, text in rule_pages(RULES).items()} | {"schedule.md": schedule_page()}


def schedule_page() -> str:
    """What runs by itself: the entries of the schedule, and what the tick does."""
    head = ["Entry", "Task", "Every", "Worthless after", "What it does"]
    rows = []
    scheduled: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    for name, entry in scheduled.items():
        import_module(entry["task"].rpartition(".")[0])  # a task is registered by importing it
        task = current_app.tasks[entry["task"]]
        expires = entry.get("options", {}).get("expires")
        rows.append(
            [
                f"`{name}`",
                f"`{entry['task']}`",
                every(entry["schedule"]),
                f"{expires} seconds" if expires else "never",
                told(task.run),
            ]
        )
    return "\n".join(
        [
            MADE.format(source="myositis_tracker/schedule.py and alerts/tasks.py"),
            "# What runs by itself",
            "",
            BEAT,
            "",
            "## The schedule",
            "",
            *table(head, rows),
            "",
            "## What a tick does",
            "",
            "In this order; a step that fails is logged and does not keep the others from being done.",
            "",
            *table(["Step", "Done by", "What it does"], steps()),
            "",
            "`sweep_at` and `digest_at` belong to a centre and are on its clock, in its time zone.",
            "",
        ]
    )


def every(schedule: Any) -> str:
    return f"{schedule:g} seconds" if isinstance(schedule, int | float) else str(schedule)


def told(function: Any) -> str:
    """A docstring's first paragraph, on one line."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def steps() -> list[list[str]]:
    """[step, function, what it does] of the tick, read from its source so that a new step cannot be left out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(tasks.tick.run)))
    found: list[tuple[str, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant):
                    found.append((str(key.value), value))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key = node.targets[0].slice
            if isinstance(key, ast.Constant):
                found.append((f"{key.value!s}, at the full hour", node.value))
    return [[name, f"`{name_of(value)}`", told(function(value))] for name, value in found]


def name_of(value: ast.expr) -> str:
    """`sweeps.claim_sweeps` of a step that calls it; the task of one that hands it on."""
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = getattr(tasks, node.value.id, None)
            if inspect.ismodule(module) and module.__name__.startswith("alerts.actions."):
                return f"{module.__name__}.{node.attr}"
            if node.attr == "delay" and node.value.id != "sweep":
                return f"alerts.tasks.{node.value.id}"
    raise LookupError(ast.unparse(value))


def function(value: ast.expr) -> Any:
    module, _, name = name_of(value).rpartition(".")
    found = getattr(import_module(module), name)
    return getattr(found, "run", found)
