"""How much a finding matters, worst first."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    """INFO lives on the patient page and reaches no worklist or e-mail."""

    URGENT = "URGENT", _("Urgent")
    ACTION = "ACTION", _("Action")
    TASK = "TASK", _("Task")
    INFO = "INFO", _("For information")

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Level).index(self)
