"""What became of alerts: whether a person acted on them, found them of no use, or nobody touched them."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from alerts.models import Alert, AlertEvent, EventKind, Reason

ACTED, OVERRIDDEN, UNTOUCHED = "acted", "overridden", "untouched"
LABELS = {ACTED: _("Acted on"), OVERRIDDEN: _("Overridden"), UNTOUCHED: _("Not touched")}
STEPS = (EventKind.ACKNOWLEDGED, EventKind.SNOOZED, EventKind.CLOSED)


def with_outcome(found: QuerySet[Alert]) -> Any:
    """Each alert with `outcome`, and `stepped_at`: when a person first did something about it, if anybody has.

    Overridden: the newest reason a person gave is another than "acted on". Acted on: a person acknowledged, snoozed or
    closed it without such a reason. What was undone does not count. The same as `selectors.rule_statistics`.
    """
    events = AlertEvent.objects.filter(alert=OuterRef("pk"))
    undone = events.filter(kind=EventKind.REOPENED).order_by("-pk").values("pk")[:1]
    # The newest event that undid something is asked for in the outer row: a subquery of a subquery would run per event.
    found = found.annotate(undone_by=Coalesce(Subquery(undone), 0))
    steps = events.filter(kind__in=STEPS, by__isnull=False, pk__gt=OuterRef("undone_by"))
    return found.annotate(
        stepped_at=Subquery(steps.order_by("at", "pk").values("at")[:1]),
        said=Subquery(steps.exclude(reason="").order_by("-at", "-pk").values("reason")[:1]),
    ).annotate(
        outcome=Case(
            When(stepped_at__isnull=True, then=Value(UNTOUCHED)),
            When(said__isnull=False, said__in=[r for r in Reason.values if r != Reason.ACTED], then=Value(OVERRIDDEN)),
            default=Value(ACTED),
            output_field=CharField(),
        ),
        time_to_act=F("stepped_at") - F("opened_at"),
    )
