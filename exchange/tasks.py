"""What the workers run for the exchange."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from exchange import actions


@shared_task(name="exchange.tasks.forget_uploads")
def forget_uploads() -> None:
    """Remove uploaded files that nobody has committed or dropped for a day."""
    actions.forget_uploads(now=timezone.now())
