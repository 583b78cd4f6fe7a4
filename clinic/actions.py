"""The only writing of this app: numbers over time, worked out once a night."""

from __future__ import annotations

import datetime as dt

from accounts.models import Centre
from audit.attribution import job
from clinic.models import Figures
from clinic.selectors.figures import work_out
from common.dates import centre_day


@job("clinic.work_out_figures")
def work_out_figures(*, centre: Centre, now: dt.datetime) -> Figures:
    """The figures of the centre up to today. Worked out twice at the same time they are the same."""
    as_of = centre_day(now, centre.zone)
    figures: Figures = Figures.objects.update_or_create(
        centre=centre, defaults={"as_of": as_of, "made_at": now, **work_out(centre, as_of)}
    )[0]
    return figures
