"""The tables of a release, column by column, and how each column is made harmless. The SQL is made from these rows."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from types import MappingProxyType

from common.words import N_
from monitoring.analytes import ANALYTES
from monitoring.analytes import Kind as AnalyteKind
from research.pseudonyms import SUBJECT_DIGITS
from therapy.formulary import FORMULARY


class How(enum.StrEnum):
    KEY = "keyed"  # an HMAC of the row's id
    SUBJECT = "pseudonym"
    BAND = "in bands"
    SHIFTED = "days shifted"
    AS_IS = "as recorded"
    FIXED = "from this project's own lists"


@dataclasses.dataclass(frozen=True)
class Column:
    """`source` is model.field. `sql` is an expression over the table `t` and the subject `s`."""

    name: str
    how: How
    source: str
    sql: str
    meaning: str
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """`relation` is the table `t`; `patient` an expression for its patient's id; `where` says which rows count."""

    name: str
    meaning: str
    model: str
    relation: str
    columns: tuple[Column, ...]
    patient: str = "t.patient_id"
    where: str = "t.retired_at IS NULL"
    join: str = ""


# sha256(outer || sha256(inner || message)) is HMAC. The pads stand in a table and not in the query: the server may log
# the text of a query, and what is in them would undo the pseudonyms of the release.
_HMAC = (
    "left(encode(sha256((SELECT outer_pad FROM release_pads) || sha256("  # noqa: S608 - a constant
    "(SELECT inner_pad FROM release_pads) || "
    f"convert_to('row:{{table}}:' || {{id}}, 'UTF8'))), 'hex'), {SUBJECT_DIGITS})"
)


def _key(table: str) -> Column:
    return Column("key", How.KEY, "id", _HMAC.format(table=table, id="t.id"), "Key of the row, stable in the release")


def _points_to(table: str, name: str) -> Column:
    """The key of the row in another table that the column `name` leads to."""
    return Column(name, How.KEY, name, _HMAC.format(table=table, id=f"t.{name}_id"), f"Key of the row in {table}")


_SUBJECT = Column("subject", How.SUBJECT, "patients.Patient.public_id", "s.subject", "Pseudonym of the patient")


def _day(field: str, meaning: str) -> Column:
    return Column(field, How.SHIFTED, field, f"t.{field} - s.shift", f"{meaning} (days shifted)")


def _as_is(field: str, meaning: str, unit: str = "") -> Column:
    return Column(field, How.AS_IS, field, f"t.{field}", meaning, unit)


def _looked_up(words: Mapping[str, str], key: str) -> str:
    """SQL: the word for `key`. From this project's own lists, which hold no quotes."""
    text = json.dumps(words, sort_keys=True)
    assert "'" not in text
    return f"('{text}'::jsonb ->> ({key}))"


_ANALYTE_UNITS = {a.code: a.canonical_unit or "" for a in ANALYTES.values()}
_ANSWERS = {f"{a.code} {v}": v for a in ANALYTES.values() if a.kind is AnalyteKind.QUALITATIVE for v in a.values}
_DRUG_UNITS = {d.code: d.unit for d in FORMULARY.values()}


def _table(name: str, model: str, meaning: str, *columns: Column, **more: str) -> Table:
    app, _, title = model.partition(".")
    relation = f"{app}_{title.lower()}"
    whole = tuple(
        dataclasses.replace(c, source=f"{model}.{c.source}") if "." not in c.source and c.how is not How.FIXED else c
        for c in columns
    )
    return Table(name, meaning, model, relation, whole, **more)


_TABLES = (
    _table(
        "patients", "patients.Patient", N_("One row per patient who agreed"),
        _SUBJECT,
        _as_is("sex", "Sex"),
        _as_is("subtype", "Subtype of myositis"),
        Column(
            "age_at_diagnosis", How.BAND, "patients.Patient.born_on", "s.age_band",
            'Age at diagnosis in bands of five years; "over 89" for everybody who is over 89 on the day of the '
            "release, whatever the age at diagnosis; empty where the day of diagnosis is not known", "years",
        ),
        _day("onset_on", "First symptom"),
        _day("diagnosed_on", "Diagnosis"),
        patient="t.id", where="true",
    ),
    _table(
        "follow_up", "patients.FollowUpStatus", N_("From when on a patient was followed, discharged, dead ..."),
        _key("follow_up"), _SUBJECT, _as_is("word", "Status"), _day("starts_on", "First day of this status"),
    ),
    _table(
        "antibodies", "patients.AntibodyResult", N_("Myositis antibodies tested"),
        _key("antibodies"), _SUBJECT, _as_is("antibody", "Antibody"), _as_is("result", "Result"),
        _day("taken_on", "Sample"),
    ),
    _table(
        "manifestations", "patients.Manifestation", N_("Organs involved"),
        _key("manifestations"), _SUBJECT, _as_is("kind", "Manifestation"), _day("onset_on", "First day"),
        _day("ended_on", "Last day; empty while it lasts"),
    ),
    _table(
        "results", "monitoring.Result", N_("Laboratory results, in the canonical unit of each analyte"),
        _key("results"), _SUBJECT, _as_is("analyte", "Analyte; see the list of analytes in this dictionary"),
        _as_is("comparator", "<, <=, > or >= where the laboratory gave only a limit"),
        _as_is("value", "Value; empty where the unit could not be converted or the answer is a word"),
        Column("unit", How.FIXED, "", _looked_up(_ANALYTE_UNITS, "t.analyte"), "Unit of value, low and uln (UCUM)"),
        Column(
            "answer", How.FIXED, "",
            "CASE WHEN t.value IS NULL THEN "
            + _looked_up(_ANSWERS, "t.analyte || ' ' || lower(t.value_received)") + " END",
            "Answer of a test that has words for results; other texts are not released",
        ),
        _as_is("low", "Lower limit of that laboratory"), _as_is("uln", "Upper limit of that laboratory"),
        _day("taken_on", "Sample"),
    ),
    _table(
        "assessments", "monitoring.Assessment", N_("Core set measures of a visit"),
        _key("assessments"), _SUBJECT, _day("assessed_on", "Visit"),
        _as_is("physician_vas", "Physician global activity", "cm of 10"),
        _as_is("patient_vas", "Patient global activity", "cm of 10"),
        _as_is("extramuscular_vas", "Extramuscular activity", "cm of 10"),
        _as_is("haq_di", "HAQ disability index", "0-3"), _as_is("mmt8_150", "MMT8, both sides", "0-150"),
        _as_is("mmt8_80", "MMT8, one side", "0-80"), _as_is("mmt8_side", "Side of the one-sided total"),
    ),
    _table(
        "muscle_grades", "monitoring.MuscleGrade", N_("Cells of the MMT8"),
        _points_to("assessments", "assessment"),
        _SUBJECT, _as_is("muscle", "Muscle"), _as_is("side", "axial, right or left"),
        _as_is("grade", "Kendall grade", "0-10"),
        join="JOIN monitoring_assessment a ON a.id = t.assessment_id",
        patient="a.patient_id", where="a.retired_at IS NULL",
    ),
    _table(
        "functional_tests", "monitoring.FunctionalTest", N_("Functional tests"),
        _key("functional_tests"), _SUBJECT, _as_is("instrument", "Instrument, its unit beside it in the word list"),
        _day("tested_on", "Day"), _as_is("score", "Score"), _as_is("is_complete", "Every task was done"),
    ),
    _table(
        "body_sizes", "monitoring.BodySize", N_("Weight and height"),
        _key("body_sizes"), _SUBJECT, _day("measured_on", "Day"), _as_is("weight_kg", "Weight", "kg"),
        _as_is("height_cm", "Height", "cm"),
    ),
    _table(
        "lung_function", "monitoring.LungFunction", N_("Lung function"),
        _key("lung_function"), _SUBJECT, _day("tested_on", "Day"), _as_is("fvc_l", "Forced vital capacity", "L"),
        _as_is("fvc_percent_predicted", "Forced vital capacity", "% predicted"),
        _as_is("dlco_percent_predicted", "Diffusion capacity", "% predicted"),
        _as_is("dlco_hb_corrected", "Corrected for haemoglobin"),
    ),
    _table(
        "imaging", "monitoring.Imaging", N_("Imaging"),
        _key("imaging"), _SUBJECT, _as_is("modality", "Modality"), _day("done_on", "Day"),
        _as_is("ild", "Interstitial lung disease"),
    ),
    _table(
        "courses", "therapy.Course", N_("Courses of drugs"),
        _key("courses"), _SUBJECT, _as_is("drug", "Drug; see the list of drugs in this dictionary"),
        _as_is("route", "Route"),
    ),
    _table(
        "course_stops", "therapy.CourseStop", N_("Ends of courses, with the reason"),
        _points_to("courses", "course"),
        _SUBJECT, _day("stopped_on", "Last day"), _as_is("reason", "Reason"),
    ),
    _table(
        "doses", "therapy.Dose", N_("Dose periods of courses"),
        _key("doses"),
        _points_to("courses", "course"),
        _SUBJECT,
        Column("drug", How.AS_IS, "therapy.Course.drug", "c.drug", "Drug"),
        _day("starts_on", "First day"), _day("ends_on", "Last day; empty while it goes on"),
        _as_is("amount", "Amount of one dose"),
        Column("unit", How.FIXED, "", _looked_up(_DRUG_UNITS, "c.drug"), "Unit of amount"),
        _as_is("times", "How often in every_days"), _as_is("every_days", "Days of the period", "d"),
        join="JOIN therapy_course c ON c.id = t.course_id",
    ),
    _table(
        "infusions", "therapy.Infusion", N_("Infusions given"),
        _key("infusions"),
        _points_to("courses", "course"),
        _SUBJECT, _day("given_on", "Day"), _as_is("amount", "Amount, in the drug's unit"),
        _as_is("max_rate_ml_per_hour", "Highest rate", "mL/h"), _as_is("reaction", "Reaction"),
    ),
    _table(
        "taper_steps", "therapy.TaperStep", N_("Planned steps of steroid tapers"),
        _key("taper_steps"),
        dataclasses.replace(_points_to("taper_plans", "plan"), meaning="Key of the plan it belongs to"),
        _SUBJECT, _day("step_on", "First day at this dose"),
        _as_is("dose_pe_mg", "Prednisone-equivalent dose", "mg/d"),
    ),
    _table(
        "physio_sessions", "therapy.PhysioSession", N_("Physiotherapy sessions and what became of them"),
        _key("physio_sessions"), _SUBJECT, _day("held_on", "Day"),
        Column("outcome", How.AS_IS, "therapy.SessionOutcome.word", "o.word", "What became of it; empty: not recorded"),
        join="LEFT JOIN therapy_sessionoutcome o ON o.session_id = t.id AND o.retired_at IS NULL",
    ),
)  # fmt: skip

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
