"""What `manage.py check` says about the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core import checks

from monitoring.rules import RULES
from monitoring.rules.base import Rule, plain


def reviews_due(rules: Iterable[Rule], today: dt.date) -> list[checks.CheckMessage]:
    """A warning for each rule whose day of review has passed. Its alerts go on: an old rule is better than none."""
    return [
        checks.Warning(
            f"The clinical rule {rule.id} was due for review on {plain(rule.review_due)}.",
            hint="Read its sources again, change what has changed, and set a new review_due in its file.",
            id="monitoring.W001",
        )
        for rule in rules
        if rule.review_due < today
    ]


@checks.register("clinical")
def check_reviews(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    # The server's day: for a review a time zone more or less is no matter.
    return reviews_due(RULES.values(), dt.datetime.now(dt.UTC).date())
