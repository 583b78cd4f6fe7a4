"""Numbers of a centre over time. Made from the record once a night, and may be thrown away at any time."""

from __future__ import annotations

from django.db import models


class Figures(models.Model):
    """What the overview shows of the past: too much to count while somebody waits. Counts only, of no one person."""

    centre = models.OneToOneField("accounts.Centre", models.CASCADE, related_name="figures")
    as_of = models.DateField(help_text="The newest day they include, on the centre's clock")
    made_at = models.DateTimeField()
    months = models.JSONField(help_text="One for each month, the oldest first: clinic/selectors/figures.py")
    weeks = models.JSONField(help_text="One for each week, the oldest first")
    burden = models.JSONField(help_text="Of each clinician and of nobody; alerts opened for each role")

    def __str__(self) -> str:
        return f"figures of {self.as_of}"
