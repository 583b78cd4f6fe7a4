"""The project: settings, routes, the Celery application and the one schedule. Nobody imports from here."""

from myositis_tracker.celery import app as celery_app

__all__ = ["celery_app"]
