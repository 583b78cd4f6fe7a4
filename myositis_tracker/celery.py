"""The Celery application: JSON only, late acknowledgement, no result backend, one schedule file."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "myositis_tracker.settings")

app = Celery("myositis_tracker")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
