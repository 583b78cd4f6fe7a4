"""What the workers run for the pages."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from clinic import actions
from clinic.selectors.figures import lacking

log = structlog.get_logger(__name__)


# Of 100,000 patients it takes a minute or two.
@shared_task(name="clinic.tasks.figures", soft_time_limit=1080, time_limit=1140)
def figures() -> None:
    """The numbers over time of every centre that has none of today. One centre that fails does not keep the others."""
    for centre in lacking(timezone.now()):
        try:
            actions.work_out_figures(centre=centre, now=timezone.now())
        except Exception:
            log.exception("figures_failed", centre=centre.pk)
