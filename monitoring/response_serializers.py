"""Responses to treatment as the API tells of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from monitoring.responses import VisitResponse, WhyNot
from monitoring.scores import tis as scoring
from monitoring.scores import worsening

TWO_DECIMALS = Decimal("0.01")


def _words(kind: Any) -> list[str]:
    return [str(word) for word in kind]


# Named, so that the schema of the API can call each by one name (settings: ENUM_NAME_OVERRIDES).
MEASURES = _words(scoring.Measure)
CATEGORIES = _words(scoring.Category)
WORSE_MEASURES = _words(worsening.Measure)
STATUSES = _words(worsening.Status)


class MeasureResponseSerializer(serializers.Serializer):
    """One of the six measures between the baseline and the visit."""

    measure = serializers.ChoiceField(MEASURES)
    improvement_percent = serializers.DecimalField(
        max_digits=9, decimal_places=2, allow_null=True, help_text="Of the measure's range; below 0 is worse"
    )
    points = serializers.DecimalField(max_digits=4, decimal_places=1, allow_null=True)
    maximum = serializers.DecimalField(max_digits=4, decimal_places=1)
    why_missing = serializers.CharField(allow_blank=True)


class TisSerializer(serializers.Serializer):
    """Total Improvement Score of 0 to 100. What is missing makes it an interval, and `total` null."""

    total = serializers.DecimalField(max_digits=4, decimal_places=1, allow_null=True)
    lowest = serializers.DecimalField(max_digits=4, decimal_places=1)
    highest = serializers.DecimalField(max_digits=4, decimal_places=1)
    category = serializers.ChoiceField(CATEGORIES, allow_null=True, help_text="Null where the interval spans several")
    at_least = serializers.ChoiceField(CATEGORIES)
    missing = serializers.ListField(child=serializers.ChoiceField(MEASURES))
    worse = serializers.ListField(
        child=serializers.ChoiceField(MEASURES),
        help_text="Measures that got worse by any amount: the score has no negative points",
    )
    measures = MeasureResponseSerializer(many=True)


class DeteriorationSerializer(serializers.Serializer):
    """The definition of worsening (enzymes left out), against the best value of each measure since the baseline."""

    status = serializers.ChoiceField(STATUSES, help_text="confirmed: this visit and the one before both meet it")
    evaluable = serializers.BooleanField(help_text="False: there was nothing to compare with")
    reasons = serializers.ListField(child=serializers.ChoiceField(_words(worsening.Reason)))
    worse = serializers.ListField(child=serializers.ChoiceField(WORSE_MEASURES), help_text="By 30 % or more")


class VisitResponseSerializer(serializers.Serializer):
    """One visit against the baseline of its episode of glucocorticoid."""

    assessment = serializers.IntegerField(help_text="`id` of the assessment")
    assessed_on = serializers.DateField()
    is_baseline = serializers.BooleanField()
    episode_began_on = serializers.DateField(allow_null=True)
    baseline_on = serializers.DateField(allow_null=True)
    enzyme = serializers.ChoiceField(
        list(scoring.ENZYME_RANGES), allow_null=True, help_text="Chosen at the baseline and followed from there"
    )
    tis = TisSerializer(allow_null=True)
    why_no_tis = serializers.ChoiceField(_words(WhyNot), allow_null=True)
    deterioration = DeteriorationSerializer()


class ResponsesSerializer(serializers.Serializer):
    """Every visit of a patient, newest first."""

    patient = serializers.UUIDField()
    population = serializers.ChoiceField(_words(scoring.Population), help_text="Whose limits of response were used")
    is_validated = serializers.BooleanField(help_text="False: the score was not validated for this subtype")
    visits = VisitResponseSerializer(many=True)


def told_visit(visit: VisitResponse) -> dict[str, Any]:
    """A visit as `VisitResponseSerializer` takes it."""
    judgement = visit.deterioration
    return {
        "assessment": visit.assessment.pk,
        "assessed_on": visit.assessment.assessed_on,
        "is_baseline": visit.is_baseline,
        "episode_began_on": visit.began_on,
        "baseline_on": visit.baseline_on,
        "enzyme": visit.enzyme,
        "tis": None if visit.tis is None else _tis(visit.tis),
        "why_no_tis": visit.why_not,
        "deterioration": {
            "status": visit.status,
            "evaluable": judgement is not None and judgement.evaluable,
            "reasons": judgement.reasons if judgement else (),
            "worse": judgement.worse if judgement else (),
        },
    }


def _tis(tis: scoring.Tis) -> dict[str, Any]:
    return {
        "total": tis.total,
        "lowest": tis.lowest,
        "highest": tis.highest,
        "category": tis.category,
        "at_least": tis.at_least,
        "missing": tis.missing,
        "worse": tis.worsening,
        "measures": [
            {
                "measure": m.measure,
                "improvement_percent": None
                if m.improvement_percent is None
                else m.improvement_percent.quantize(TWO_DECIMALS),
                "points": m.points,
                "maximum": m.maximum,
                "why_missing": m.why_missing,
            }
            for m in tis.measures
        ],
    }
