"""The clinical rules. One file each; `RULES` holds them by id."""

from __future__ import annotations

import importlib
import pkgutil

from monitoring.rules.base import Rule

_HELPERS = {
    "base",
    "cancer_sql",
    "deterioration_sql",
    "doses",
    "first_dose",
    "infusion_sql",
    "lab_schedule",
    "lung_sql",
    "second_line",
    "sql",
    "steroid",
    "taper_step",
    "tis_sql",
}


def _load() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        if module in _HELPERS:
            continue
        rule = importlib.import_module(f"{__name__}.{module}").RULE
        if rule.id in rules or rule.id.replace("-", "_") != module:
            raise ValueError(f"monitoring/rules/{module}.py must hold one rule of that name")
        rules[rule.id] = rule
    return rules


RULES: dict[str, Rule] = _load()
