"""Results, assessments and rules as the API tells of them, and as it takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from monitoring.analytes import ANALYTES
from monitoring.models import Assessment, Mode, MuscleGrade, Result
from monitoring.scores import mmt8

FACT_FIELDS = ["id", "patient", "status", "recorded_at"]
AT_ONCE = 2000


class ResultSerializer(serializers.ModelSerializer[Result]):
    """A result: `value` in the analyte's canonical `unit`, and as received. A correction is a result of its own."""

    patient = serializers.UUIDField(source="patient.public_id", read_only=True)
    unit = serializers.SerializerMethodField(help_text="Unit of value, low and uln (UCUM)")

    class Meta:
        model = Result
        fields = [
            *FACT_FIELDS, "analyte", "comparator", "value", "unit", "low", "uln", "value_received", "unit_received",
            "low_received", "uln_received", "taken_on", "taken_at", "reported_at", "laboratory", "note", "supersedes",
        ]  # fmt: skip
        read_only_fields = fields

    def get_unit(self, result: Result) -> str:
        analyte = ANALYTES.get(result.analyte)
        return (analyte.canonical_unit or "") if analyte else ""


class ValueSerializer(serializers.Serializer):
    """A value with its unit and the limits the laboratory printed, in that unit. A comma in a number is refused."""

    value = serializers.CharField(max_length=32, help_text='Such as "1240", "12.5", "<40", or a word of the analyte')
    unit = serializers.CharField(max_length=32, allow_blank=True, default="", help_text="Any common spelling")
    low = serializers.CharField(max_length=32, allow_blank=True, default="")
    uln = serializers.CharField(max_length=32, allow_blank=True, default="")
    note = serializers.CharField(max_length=200, allow_blank=True, default="")
    confirmed = serializers.BooleanField(default=False, help_text="Somebody looked again at a very unusual value")


class NewResultSerializer(ValueSerializer):
    """One value of one patient's sample."""

    patient = serializers.UUIDField(help_text="`id` of the patient")
    analyte = serializers.ChoiceField(sorted(ANALYTES))
    taken_on = serializers.DateField(help_text="Day of the sample, on the centre's calendar")
    taken_time = serializers.TimeField(
        required=False, allow_null=True, default=None, help_text="On the centre's clock; null where not known"
    )
    laboratory = serializers.CharField(max_length=60, allow_blank=True, default="")


class NewResultsSerializer(serializers.Serializer):
    """Many at once: all are recorded, or none."""

    results: Any = serializers.ListSerializer(child=NewResultSerializer(), min_length=1, max_length=AT_ONCE)


class RecordedResultsSerializer(serializers.Serializer):
    results = ResultSerializer(many=True)


class CorrectionSerializer(ValueSerializer):
    """The right value, and why."""

    reason = serializers.CharField(max_length=200)


class WithdrawalSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=200)


class GradeSerializer(serializers.ModelSerializer[MuscleGrade]):
    """One cell of an MMT8."""

    muscle = serializers.ChoiceField([str(m) for m in mmt8.Muscle])
    side = serializers.ChoiceField([str(s) for s in mmt8.Side])
    grade = serializers.IntegerField(min_value=0, max_value=10)

    class Meta:
        model = MuscleGrade
        fields = ["muscle", "side", "grade"]


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """One visit's core set measures; null is not measured, 0 is a value. VAS in cm of 10."""

    patient = serializers.UUIDField(source="patient.public_id", read_only=True)
    mmt8 = GradeSerializer(source="grades", many=True, read_only=True)

    class Meta:
        model = Assessment
        fields = [
            *FACT_FIELDS, "assessed_on", "physician_vas", "patient_vas", "extramuscular_vas", "haq_di", "haq_answers",
            "mmt8_150", "mmt8_80", "mmt8_side", "mmt8", "note", "supersedes",
        ]  # fmt: skip
        read_only_fields = fields


class HaqSerializer(serializers.Serializer):
    """Answers of a HAQ-DI."""

    items = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=3, allow_null=True))
    aids = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=40)
    help_with = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=40)
    other_aids = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=40)


def _vas() -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=3, decimal_places=1, min_value=0, max_value=10, required=False, allow_null=True, default=None
    )


class NewAssessmentSerializer(serializers.Serializer):
    """At least one measure. Totals are worked out from grades and answers, and must agree where both are given."""

    patient = serializers.UUIDField(help_text="`id` of the patient")
    assessed_on = serializers.DateField()
    physician_vas = _vas()
    patient_vas = _vas()
    extramuscular_vas = _vas()
    haq_di = serializers.DecimalField(
        max_digits=4, decimal_places=3, min_value=0, max_value=3, required=False, allow_null=True, default=None
    )
    haq = HaqSerializer(required=False, allow_null=True, default=None)
    mmt8: Any = serializers.ListSerializer(child=GradeSerializer(), required=False, max_length=len(mmt8.CELLS))
    mmt8_150 = serializers.IntegerField(min_value=0, max_value=150, required=False, allow_null=True, default=None)
    mmt8_80 = serializers.IntegerField(min_value=0, max_value=80, required=False, allow_null=True, default=None)
    mmt8_side = serializers.ChoiceField(["", "right", "left", "mixed"], required=False, default="")
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")

    def validate_mmt8(self, grades: list[dict[str, Any]]) -> list[dict[str, Any]]:
        cells = [(g["muscle"], g["side"]) for g in grades]
        if len(set(cells)) != len(cells):
            raise serializers.ValidationError("A muscle and side is graded once.")
        if not set(cells) <= {(str(m), str(s)) for m, s in mmt8.CELLS}:
            raise serializers.ValidationError("Neck flexors are axial; every other muscle has a right and a left.")
        return grades


class CitationSerializer(serializers.Serializer):
    text = serializers.CharField()
    doi = serializers.CharField()
    locator = serializers.CharField()
    confidence = serializers.CharField(help_text="How sure this project is of it")


class RuleSerializer(serializers.Serializer):
    """A clinical rule as it is asked now."""

    id = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    audience = serializers.CharField(help_text="Role whose worklist its alerts are on first")
    is_on = serializers.BooleanField(help_text="False: at this centre it raises no alerts")
    mode = serializers.ChoiceField(
        Mode.choices,
        help_text="shadow: it is asked, and what it finds is shown to nobody but those who decide about it",
    )
    is_signed_off = serializers.BooleanField(help_text="Two people of this centre have signed this version off")
    parameters = serializers.DictField(
        child=serializers.JSONField(), help_text="Thresholds, days and words it uses at this centre"
    )
    citations = CitationSerializer(many=True)
    not_considered = serializers.ListField(child=serializers.CharField())
    advice = serializers.CharField()
    review_due = serializers.DateField()
