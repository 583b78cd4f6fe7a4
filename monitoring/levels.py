"""How much a finding matters, worst first."""

from django.db import models


class Level(models.TextChoices):
    """INFO lives on the patient page and reaches no worklist or e-mail."""

    URGENT = "URGENT", "Urgent"
    ACTION = "ACTION", "Action"
    TASK = "TASK", "Task"
    INFO = "INFO", "For information"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Level).index(self)
