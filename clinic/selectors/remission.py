"""Remission, as the overview and the list of patients count it: one definition, in one place.

No set of criteria for adults is agreed on. This one follows the idea of the International Myositis Assessment and
Clinical Studies Group (Oddis CV et al., Arthritis Rheum 2005;52:2607-15; general knowledge, to be checked): no sign of
active disease for six months. Inclusion body myositis is not asked about.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from accounts.models import Centre
from common.dates import earliest_within
from monitoring.wording import number
from patients.models import Patient, Subtype

QUIET_AT_MOST_CM = 0.5  # of the physician's global activity, on a line of 10 cm
QUIET_FOR_DAYS = 183
LOOKED_WITHIN_DAYS = 365

YES, NO, UNKNOWN = "yes", "no", "unknown"
ASSESSED = "assessed"  # yes or no

# Whoever has an assessment with the physician's activity in the last 12 months; once each, or PostgreSQL expects too
# many to look them up in memory, and goes through all of them for every patient.
_ASSESSED = """
SELECT DISTINCT a.patient_id FROM monitoring_assessment a JOIN patients_patient p ON p.id = a.patient_id
WHERE p.centre_id = %(centre)s AND a.retired_at IS NULL AND a.physician_vas IS NOT NULL
  AND a.assessed_on BETWEEN %(from)s AND %(as_of)s
"""
# Of each of them the latest, and the latest that was too high. One reading for both: the history is long.
_JUDGED = """
SELECT a.patient_id FROM monitoring_assessment a JOIN patients_patient p ON p.id = a.patient_id
WHERE p.centre_id = %(centre)s AND a.retired_at IS NULL AND a.physician_vas IS NOT NULL
  AND a.assessed_on BETWEEN %(from)s::date - %(days)s::int AND %(as_of)s
GROUP BY a.patient_id
HAVING max(a.assessed_on) >= %(from)s
   AND (max(a.assessed_on) FILTER (WHERE a.physician_vas > %(most)s) >= max(a.assessed_on) - %(days)s::int)
"""
_ACTIVE, _QUIET = _JUDGED + " IS TRUE", _JUDGED + " IS NOT TRUE"


def definition() -> str:
    """The definition in words, for wherever the number stands."""
    return _(
        "In remission: at the latest assessment of the last 12 months, and at every one in the six months before it, "
        "the physician saw an activity of at most %(cm)s of 10 cm. Inclusion body myositis is not counted."
    ) % {"cm": number(Decimal(str(QUIET_AT_MOST_CM)))}


def of_state(found: QuerySet[Patient], centre: Centre, state: str, as_of: dt.date) -> QuerySet[Patient]:
    """Those of `found` who are in remission ("yes"), are not ("no"), or have no assessment that could say ("unknown");
    "assessed" are those of the first two.

    Each patient is in exactly one of the three; inclusion body myositis in none.
    """
    asked = found.exclude(subtype=Subtype.INCLUSION_BODY)
    if state == UNKNOWN:
        return asked.exclude(_among(_ASSESSED, centre, as_of))
    return asked.filter(_among({YES: _QUIET, NO: _ACTIVE, ASSESSED: _ASSESSED}[state], centre, as_of))


def conditions(centre: Centre, as_of: dt.date) -> tuple[Q, Q]:
    """(was assessed, was quiet at it): for patients of the centre, whatever their subtype."""
    return _among(_ASSESSED, centre, as_of), _among(_QUIET, centre, as_of)


def _among(sql: str, centre: Centre, as_of: dt.date) -> Q:
    values = {
        "centre": centre.pk, "as_of": as_of, "from": earliest_within(as_of, LOOKED_WITHIN_DAYS),
        "most": QUIET_AT_MOST_CM, "days": QUIET_FOR_DAYS,
    }  # fmt: skip
    return Q(pk__in=_ids(sql, values))


def _ids(sql: str, values: dict[str, object]) -> RawSQL:
    """A subquery of ids. Expressions take their values by place."""
    names = re.findall(r"%\((\w+)\)s", sql)
    return RawSQL(re.sub(r"%\(\w+\)s", "%s", sql), [values[name] for name in names])  # noqa: S611 - our own text
