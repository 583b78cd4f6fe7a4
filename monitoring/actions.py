"""Every write about what was measured, seen and booked. Errors name the box of the form, never the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Centre, User
from audit import facts
from audit.attribution import action, origin
from audit.models import Entry
from common.dates import centre_day
from common.errors import SeveralWrong
from common.models import Fact
from monitoring.analytes import ANALYTES, Kind
from monitoring.entry import EntryError, Measures, ReadValue, TypedValue, cell_name, field_name, read
from monitoring.models import (
    Assessment,
    BodySize,
    Booking,
    Confounder,
    FunctionalTest,
    Imaging,
    Instrument,
    LungFunction,
    MuscleGrade,
    PersonalBaseline,
    ReferenceRange,
    Result,
    Waiver,
)
from monitoring.scores import functional_index, haq_di, ibmfrs, mmt8
from monitoring.wording import number, said
from patients.models import Patient, Sex

UNDO_WITHIN = dt.timedelta(minutes=10)

Errors = dict[str, list[ValidationError]]


def _refuse(errors: Errors) -> None:
    if errors:
        raise ValidationError(errors)


def _add(errors: Errors, field: str, message: str, code: str = "invalid") -> None:
    errors.setdefault(field, []).append(ValidationError(message, code=code))


# ------------------------------------------------------------------------------------------------- laboratory results


@action("monitoring.record_panel", "laboratory results recorded")
def record_panel(
    *,
    patient: Patient,
    taken_on: dt.date,
    values: Sequence[TypedValue],
    taken_time: dt.time | None = None,
    laboratory: str = "",
    by: User,
    now: dt.datetime,
) -> list[Result]:
    """The results of one sample, in the order typed; lines left blank are passed over. All of them or none.

    `taken_time` is on the centre's clock. Errors are keyed by `entry.field_name`, `taken_on`, `taken_time`; code
    "confirm" asks for `confirmed`, code "exists" says that this analyte already has a value for that moment.
    """
    errors: Errors = {}
    taken_at = _moment(patient, taken_on, taken_time)
    if taken_on > patient.day_at(now):
        _add(errors, "taken_on", _("This day lies in the future."))
    elif taken_at is not None and taken_at > now:
        _add(errors, "taken_time", _("This moment lies in the future."))
    typed = [value for value in values if not value.is_blank]
    if not typed:
        _add(errors, "values", _("Enter at least one value."))
    understood: list[ReadValue] = []
    seen: set[str] = set()
    for value in typed:
        if value.analyte in seen:
            _add(errors, field_name(value.analyte), _("This is entered twice."))
        seen.add(value.analyte)
        try:
            understood.append(read(value))
        except EntryError as error:
            _add(errors, field_name(value.analyte, error.part), said(error), error.code)
    facts.hold(patient)  # a form sent twice must not leave two results
    for analyte in _taken_already(patient, seen, taken_on, taken_at):
        _add(
            errors,
            field_name(analyte),
            _("There is a value for this moment already. Correct that one, or give the time of this sample."),
            "exists",
        )
    _refuse(errors)
    return [
        facts.record(
            Result,
            patient=patient,
            taken_on=taken_on,
            taken_at=taken_at,
            laboratory=laboratory.strip(),
            by=by,
            now=now,
            **_stored(value),
        )
        for value in understood
    ]


def _moment(patient: Patient, day: dt.date, time: dt.time | None) -> dt.datetime | None:
    return None if time is None else dt.datetime.combine(day, time, tzinfo=patient.centre.zone)


def _taken_already(
    patient: Patient,
    analytes: Iterable[str],
    taken_on: dt.date,
    taken_at: dt.datetime | None,
    but: Result | None = None,
) -> list[str]:
    same = Result.objects.current().filter(
        patient=patient, analyte__in=list(analytes), taken_on=taken_on, taken_at=taken_at
    )
    if but is not None:
        same = same.exclude(pk=but.pk)
    return list(same.values_list("analyte", flat=True).distinct())


def _stored(value: ReadValue) -> dict[str, Any]:
    return {
        "analyte": value.analyte.code,
        "value": value.value,
        "comparator": value.comparator,
        "low": value.low,
        "uln": value.uln,
        "value_received": value.text,
        "unit_received": value.unit,
        "low_received": value.low_text,
        "uln_received": value.uln_text,
        "note": value.note,
    }


@dataclass(frozen=True)
class Sample:
    """One value of one patient's sample, as it came from another system. `taken_time` is on the centre's clock."""

    patient: Patient
    taken_on: dt.date
    typed: TypedValue
    taken_time: dt.time | None = None
    laboratory: str = ""


@action("monitoring.record_results", "laboratory results recorded together")
def record_results(*, centre: Centre, samples: Sequence[Sample], by: User, now: dt.datetime) -> list[Result]:
    """Many results of many patients of `centre`, in their order. All of them or none, in a bounded number of queries.

    The same checks as `record_panel`; raises SeveralWrong, which says which of them are wrong and why: `value`, `unit`,
    `low`, `uln`, `analyte`, `taken_on`, `taken_time`. A value that is there already has the code "exists", so that
    sending everything again after a broken connection writes nothing twice.
    """
    today = centre_day(now, centre.zone)
    by_patient = {s.patient.pk: s.patient for s in samples}
    # In one order for everybody, so that two senders never wait for each other in a circle.
    locked = Patient.objects.select_for_update(no_key=True).filter(pk__in=by_patient, centre=centre).order_by("pk")
    if set(locked.values_list("pk", flat=True)) != set(by_patient):
        raise ValueError("every patient must be one of the centre's")
    there = set(
        Result.objects.current()
        .filter(patient__in=by_patient, taken_on__in={s.taken_on for s in samples})
        .values_list("patient_id", "analyte", "taken_on", "taken_at")
    )
    problems: list[tuple[int, ValidationError]] = []
    results: list[Result] = []
    seen: set[tuple[int, str, dt.date, dt.datetime | None]] = set()
    for index, sample in enumerate(samples):
        errors: Errors = {}
        zone = centre.zone
        taken_at = None if sample.taken_time is None else dt.datetime.combine(sample.taken_on, sample.taken_time, zone)
        if sample.taken_on > today:
            _add(errors, "taken_on", _("This day lies in the future."))
        elif taken_at is not None and taken_at > now:
            _add(errors, "taken_time", _("This moment lies in the future."))
        elif sample.taken_on < sample.patient.born_on:
            _add(errors, "taken_on", _("This day lies before the patient's birth. Check the year."))
        understood = None
        try:
            understood = read(sample.typed)
        except EntryError as error:
            part = "analyte" if sample.typed.analyte not in ANALYTES else error.part
            _add(errors, part, said(error), error.code)
        same = (sample.patient.pk, sample.typed.analyte, sample.taken_on, taken_at)
        if same in seen:
            _add(errors, "value", _("This is sent twice."), "exists")
        elif same in there:
            _add(errors, "value", _("There is a value for this moment already."), "exists")
        seen.add(same)
        if errors:
            problems.append((index, ValidationError(errors)))
        elif understood is not None:
            results.append(
                Result(
                    patient=sample.patient,
                    taken_on=sample.taken_on,
                    taken_at=taken_at,
                    laboratory=sample.laboratory.strip(),
                    recorded_by=by,
                    recorded_at=now,
                    **_stored(understood),
                )
            )
    if problems:
        raise SeveralWrong(problems)
    created = Result.objects.bulk_create(results)
    with pghistory.context() as context:
        assert context is not None  # every action runs inside one
        Entry.objects.bulk_create(
            Entry(
                at=now,
                by=by,
                centre=centre,
                patient=patient,
                action="monitoring.record_results",
                summary="laboratory results recorded",
                origin=origin(),
                context_id=context.id,
            )
            for patient in by_patient.values()
        )
    return created


@action("monitoring.correct_result", "laboratory result corrected")
def correct_result(
    *,
    result: Result,
    typed: TypedValue,
    reason: str,
    taken_on: dt.date | None = None,
    taken_time: dt.time | None = None,
    by: User,
    now: dt.datetime,
) -> Result:
    """The right value in place of a wrong one, which stays in the history. `taken_on` None keeps day and time."""
    errors: Errors = {}
    if typed.analyte != result.analyte:
        raise ValidationError({"analyte": _("A correction keeps the analyte. Withdraw this one and enter the other.")})
    day = taken_on or result.taken_on
    moment = result.taken_at if taken_on is None else _moment(result.patient, day, taken_time)
    facts.hold(result.patient)
    if _taken_already(result.patient, [result.analyte], day, moment, but=result):
        _add(errors, "taken_on", _("There is another value for this moment already."), "exists")
    value = None
    try:
        value = read(typed)
    except EntryError as error:
        _add(errors, field_name(typed.analyte, error.part), said(error), error.code)
    _refuse(errors)
    assert value is not None
    return facts.supersede(result, by=by, now=now, reason=reason, taken_on=day, taken_at=moment, **_stored(value))


@action("monitoring.withdraw_result", "laboratory result withdrawn")
def withdraw_result(*, result: Result, reason: str, by: User, now: dt.datetime) -> Result:
    """It was entered in error: another patient's, another analyte's."""
    return facts.withdraw(result, by=by, now=now, reason=reason)


# ---------------------------------------------------------------------------------------------------- core set measures


@action("monitoring.record_assessment", "assessment recorded")
def record_assessment(
    *, patient: Patient, assessed_on: dt.date, measures: Measures, by: User, now: dt.datetime
) -> Assessment:
    """One visit. Errors are keyed by the names of `Measures`, `entry.cell_name` and `assessed_on`.

    A day has one assessment: where another person measured something else that day, use `complete_assessment` (the
    error of `assessed_on` then has the code "exists"), else one visit would count as two incomplete ones.
    """
    facts.hold(patient)
    there = Assessment.objects.current().filter(patient=patient, assessed_on=assessed_on).first()
    if there is not None:
        message = _("%(who)s entered an assessment of this day. Add to it, or correct it.")
        raise ValidationError({
            "assessed_on": ValidationError(message % {"who": there.recorded_by}, code="exists")
        })  # fmt: skip
    fields, grades = _scored(measures)
    assessment = facts.record(Assessment, patient=patient, assessed_on=assessed_on, by=by, now=now, **fields)
    _keep_grades(assessment, grades)
    return assessment


@action("monitoring.complete_assessment", "assessment completed")
def complete_assessment(*, assessment: Assessment, measures: Measures, by: User, now: dt.datetime) -> Assessment:
    """Adds measures that were missing. One that is there already is not overwritten: that is a correction."""
    fields, grades = _scored(measures)
    errors: Errors = {}
    merged: dict[str, Any] = {}
    for name, value in fields.items():
        old = getattr(assessment, name)
        if value is None or value == "":
            continue
        if name == "note":
            merged[name] = f"{old}\n{value}".strip()
        elif old is not None and old != "" and old != value:
            _add(errors, _box(name), _("This was measured already. Correct it, with a reason."), "exists")
        else:
            merged[name] = value
    old_grades = _grades_of(assessment)
    if grades and old_grades and grades != old_grades:
        _add(errors, "mmt8", _("Strength was graded already. Correct it, with a reason."), "exists")
    _refuse(errors)
    completed = facts.supersede(assessment, by=by, now=now, reason="Completed", **merged)
    _keep_grades(completed, grades or old_grades)
    return completed


@action("monitoring.correct_assessment", "assessment corrected")
def correct_assessment(
    *,
    assessment: Assessment,
    measures: Measures,
    reason: str,
    assessed_on: dt.date | None = None,
    by: User,
    now: dt.datetime,
) -> Assessment:
    """The whole assessment anew: what `measures` leaves out is no longer measured. `assessed_on` None keeps the day."""
    day = assessed_on or assessment.assessed_on
    facts.hold(assessment.patient)
    others = Assessment.objects.current().filter(patient=assessment.patient, assessed_on=day).exclude(pk=assessment.pk)
    if others.exists():
        raise ValidationError({"assessed_on": ValidationError(_("This day has another assessment."), code="exists")})
    fields, grades = _scored(measures)
    corrected = facts.supersede(assessment, by=by, now=now, reason=reason, assessed_on=day, **fields)
    _keep_grades(corrected, grades)
    return corrected


Grades = dict[mmt8.Cell, int]


def _grades_of(assessment: Assessment) -> Grades:
    rows = assessment.grades.values_list("muscle", "side", "grade")
    return {(mmt8.Muscle(muscle), mmt8.Side(side)): grade for muscle, side, grade in rows}


def _keep_grades(assessment: Assessment, grades: Grades) -> None:
    MuscleGrade.objects.bulk_create(
        MuscleGrade(assessment=assessment, muscle=str(muscle), side=str(side), grade=grade)
        for (muscle, side), grade in grades.items()
    )


def _box(field: str) -> str:
    return "haq" if field == "haq_answers" else field


def _scored(measures: Measures) -> tuple[dict[str, Any], Grades]:
    """(fields of an Assessment, graded cells), with totals worked out. Raises ValidationError naming every box."""
    errors: Errors = {}
    fields: dict[str, Any] = {"note": measures.note.strip()}
    for name in ("physician_vas", "patient_vas", "extramuscular_vas"):
        fields[name] = value = getattr(measures, name)
        if value is not None and not 0 <= value <= 10:
            _add(errors, name, _("A VAS is 0 to 10 cm."))
    grades = _strength(measures, fields, errors)
    _disability(measures, fields, errors)
    _refuse(errors)
    told = [value for name, value in fields.items() if name != "note" and value is not None and value != ""]
    if not told and not grades:
        raise ValidationError(_("Record at least one measure."))
    return fields, grades


def _strength(measures: Measures, fields: dict[str, Any], errors: Errors) -> Grades:
    fields.update(mmt8_150=measures.mmt8_150, mmt8_80=measures.mmt8_80, mmt8_side=measures.mmt8_side)
    for name, maximum in (("mmt8_150", mmt8.BOTH_SIDES_MAXIMUM), ("mmt8_80", mmt8.ONE_SIDE_MAXIMUM)):
        typed = getattr(measures, name)
        if typed is not None and not 0 <= typed <= maximum:
            _add(errors, name, _("This total is 0 to %(maximum)s.") % {"maximum": maximum})
    grades: Grades = {}
    for (muscle, side), grade in measures.mmt8.items():
        if grade is None:
            continue
        try:
            mmt8.score({(muscle, side): grade})
        except ValueError:
            _add(errors, cell_name(muscle, side), _("A grade is a whole number from 0 to 10."))
        else:
            grades[(mmt8.Muscle(muscle), mmt8.Side(side))] = grade
    if errors or not grades:
        return grades
    score = mmt8.score(grades)
    for name, maximum in (("mmt8_150", mmt8.BOTH_SIDES_MAXIMUM), ("mmt8_80", mmt8.ONE_SIDE_MAXIMUM)):
        typed = getattr(measures, name)
        if typed is not None:
            try:
                mmt8.check_total(score, typed, maximum)
            except mmt8.TotalMismatchError as error:
                wrong = (
                    _("There is no total out of %(maximum)s: not every cell was tested.")
                    if error.summed is None
                    else _("The cells add up to %(summed)s, not %(typed)s.")
                )
                _add(errors, name, wrong % {"maximum": maximum, "summed": error.summed, "typed": typed})
    fields.update(mmt8_150=score.total_150, mmt8_80=score.one_sided_80, mmt8_side=score.side or "")
    return grades


def _disability(measures: Measures, fields: dict[str, Any], errors: Errors) -> None:
    fields.update(haq_di=measures.haq_di, haq_answers=None)
    if measures.haq_di is not None and not 0 <= measures.haq_di <= 3:
        _add(errors, "haq_di", _("The index is 0 to 3."))
    if not measures.haq:
        return
    items: dict[str, int] = {code: n for code, n in measures.haq.get("items", {}).items() if n is not None}
    marks = {part: sorted(map(str, measures.haq.get(part, ()))) for part in ("aids", "help_with", "other_aids")}
    answers: dict[str, Any] = {"items": items, **marks}
    if not any(answers.values()):
        return
    try:
        score = haq_di.score(
            items,
            marks["aids"],
            [haq_di.Category(c) for c in marks["help_with"]],
            [haq_di.Category(c) for c in marks["other_aids"]],
        )
    except ValueError as error:
        _add(errors, "haq", f"{str(error).capitalize()}.")
        return
    if measures.haq_di is not None and measures.haq_di != score.index:
        wrong = _("The answers give no index.") if score.index is None else _("The answers give %(index)s.")
        _add(errors, "haq_di", wrong % {"index": "" if score.index is None else number(score.index)})
    fields.update(haq_di=score.index, haq_answers=answers)


# ------------------------------------------------------------------------------------------------ other measurements


def _look_twice(values: Mapping[str, tuple[str, Decimal | None]], confirmed: bool) -> None:
    """Refuse impossible values, and rare ones until confirmed. `values` is {box: (analyte, value)}."""
    errors: Errors = {}
    for box, (code, value) in values.items():
        analyte = ANALYTES[code]
        if value is None or analyte.plausible is None:
            continue
        if not analyte.is_plausible(value):
            least, most = map(number, analyte.plausible)
            unit = "" if analyte.canonical_unit == "{score}" else analyte.canonical_unit
            wrong = (
                _("Possible are %(least)s to %(most)s %(unit)s.") if unit else _("Possible are %(least)s to %(most)s.")
            )
            _add(errors, box, wrong % {"least": least, "most": most, "unit": unit})
        elif analyte.needs_confirmation(value) and not confirmed:
            _add(errors, box, _("This is very unusual. Check it, then confirm."), "confirm")
    _refuse(errors)


@action("monitoring.record_lung_function", "lung function recorded")
def record_lung_function(
    *,
    patient: Patient,
    tested_on: dt.date,
    fvc_l: Decimal | None = None,
    fvc_percent_predicted: Decimal | None = None,
    dlco_percent_predicted: Decimal | None = None,
    dlco_hb_corrected: str = "unknown",
    reference_set: str = "",
    confirmed: bool = False,
    by: User,
    now: dt.datetime,
) -> LungFunction:
    """Spirometry (FVC in litres, % predicted), diffusion capacity (% predicted), or both."""
    if fvc_l is None and fvc_percent_predicted is None and dlco_percent_predicted is None:
        raise ValidationError(_("Record at least one measure."))
    _look_twice(
        {
            "fvc_l": ("fvc", fvc_l),
            "fvc_percent_predicted": ("fvc-percent-predicted", fvc_percent_predicted),
            "dlco_percent_predicted": ("dlco-percent-predicted", dlco_percent_predicted),
        },
        confirmed,
    )
    return facts.record(
        LungFunction,
        patient=patient,
        tested_on=tested_on,
        fvc_l=fvc_l,
        fvc_percent_predicted=fvc_percent_predicted,
        dlco_percent_predicted=dlco_percent_predicted,
        dlco_hb_corrected=dlco_hb_corrected,
        reference_set=reference_set,
        by=by,
        now=now,
    )


@action("monitoring.record_imaging", "imaging recorded")
def record_imaging(
    *,
    patient: Patient,
    modality: str,
    done_on: dt.date,
    ild: str = Imaging.Ild.NOT_REPORTED,
    report: str = "",
    by: User,
    now: dt.datetime,
) -> Imaging:
    """A scan that was done. Its result may follow as a correction (`patients.actions.correct_fact`)."""
    return facts.record(
        Imaging, patient=patient, modality=modality, done_on=done_on, ild=ild, report=report, by=by, now=now
    )


@action("monitoring.record_body_size", "body size recorded")
def record_body_size(
    *,
    patient: Patient,
    measured_on: dt.date,
    weight_kg: Decimal | None = None,
    height_cm: Decimal | None = None,
    confirmed: bool = False,
    by: User,
    now: dt.datetime,
) -> BodySize:
    if weight_kg is None and height_cm is None:
        raise ValidationError(_("Record the weight or the height."))
    _look_twice({"weight_kg": ("weight", weight_kg), "height_cm": ("height", height_cm)}, confirmed)
    return facts.record(
        BodySize, patient=patient, measured_on=measured_on, weight_kg=weight_kg, height_cm=height_cm, by=by, now=now
    )


# The rows of the analyte table that hold the limits of an instrument. Repetitions in 30 s have none.
_LIMITS_OF = {
    Instrument.IBMFRS: "ibmfrs",
    Instrument.WALK_2MIN: "walk-2min",
    Instrument.WALK_6MIN: "walk-6min",
    Instrument.GRIP: "grip",
    Instrument.TUG: "tug",
}


@action("monitoring.record_functional_test", "functional test recorded")
def record_functional_test(
    *,
    patient: Patient,
    instrument: str,
    tested_on: dt.date,
    score: Decimal | None = None,
    answers: Mapping[str, int | None] | None = None,
    is_complete: bool = True,
    confirmed: bool = False,
    by: User,
    now: dt.datetime,
) -> FunctionalTest:
    """`score` in the instrument's own unit. A test that was broken off may have none.

    `answers` are the items of the IBMFRS or the tasks of the Functional Index, None where not done; the score is then
    worked out, and a test with one missing is incomplete and has no score.
    """
    given: dict[str, int] | None = None
    if answers is not None:
        given = {code: answer for code, answer in answers.items() if answer is not None}
        if not given:
            raise ValidationError(_("Record at least one item."))
        score, is_complete = _of_items(instrument, given)
    elif is_complete and score is None:
        raise ValidationError({"score": _("A complete test has a score.")})
    if instrument in _LIMITS_OF:
        _look_twice({"score": (_LIMITS_OF[Instrument(instrument)], score)}, confirmed)
    elif score is not None and score < 0:
        raise ValidationError({"score": _("A score is 0 or more.")})
    if instrument in (Instrument.FI2, Instrument.FI3) and score is not None and score > 100:
        raise ValidationError({
            "score": _("The score of a Functional Index is the mean of its tasks in percent: 0 to 100. Repetitions are "
                       "entered by its tasks.")
        })  # fmt: skip
    return facts.record(
        FunctionalTest,
        patient=patient,
        instrument=instrument,
        tested_on=tested_on,
        score=score,
        answers=given,
        is_complete=is_complete,
        by=by,
        now=now,
    )


def _of_items(instrument: str, answers: Mapping[str, int]) -> tuple[Decimal | None, bool]:
    """(score, complete) of a test known by its items."""
    try:
        if instrument == Instrument.IBMFRS:
            total = ibmfrs.score(answers).total
            return None if total is None else Decimal(total), total is not None
        index = functional_index.score(functional_index.Version(instrument), answers)
    except ValueError as error:
        raise ValidationError({"answers": str(error)}) from None
    return index.mean, index.complete


@action("monitoring.record_confounder", "another cause of a raised CK recorded")
def record_confounder(
    *, patient: Patient, kind: str, happened_on: dt.date, note: str = "", by: User, now: dt.datetime
) -> Confounder:
    return facts.record(Confounder, patient=patient, kind=kind, happened_on=happened_on, note=note, by=by, now=now)


@action("monitoring.set_personal_baseline", "personal baseline set")
def set_personal_baseline(
    *, patient: Patient, analyte: str, value: Decimal, set_on: dt.date, reason: str, by: User, now: dt.datetime
) -> PersonalBaseline:
    """This person's own normal of `analyte`, in its canonical unit. The newest counts."""
    errors: Errors = {}
    row = ANALYTES.get(analyte)
    if row is None or row.kind is not Kind.NUMERIC:
        _add(errors, "analyte", _("This is not measured as a number."))
    elif not row.is_plausible(value):
        _add(errors, "value", _("No patient can have this value. Check the unit."))
    if value <= 0:
        _add(errors, "value", _("A baseline is above 0."))
    if not reason.strip():
        _add(errors, "reason", _("Say why this is normal for this person."))
    _refuse(errors)
    return facts.record(
        PersonalBaseline, patient=patient, analyte=analyte, value=value, set_on=set_on, reason=reason, by=by, now=now
    )


# ------------------------------------------------------------------------------------------------ bookings and waivers


@action("monitoring.book_test", "test booked")
def book_test(*, patient: Patient, kind: str, booked_for: dt.date, by: User, now: dt.datetime) -> Booking:
    """`kind` is a TestKind. The same test is booked once for a day."""
    if booked_for < patient.day_at(now):
        raise ValidationError({"booked_for": _("This day has passed.")})
    facts.hold(patient)
    if Booking.objects.current().filter(patient=patient, kind=kind, booked_for=booked_for).exists():
        raise ValidationError({"booked_for": ValidationError(_("This is booked already for that day."), code="exists")})
    return facts.record(Booking, patient=patient, kind=kind, booked_for=booked_for, by=by, now=now)


@action("monitoring.cancel_booking", "booking cancelled")
def cancel_booking(*, booking: Booking, reason: str, by: User, now: dt.datetime) -> Booking:
    return facts.lapse(booking, by=by, now=now, reason=reason)


@action("monitoring.waive_test", "screening test waived")
def waive_test(
    *,
    patient: Patient,
    test: str,
    why: str,
    ends_on: dt.date,
    starts_on: dt.date | None = None,
    by: User,
    now: dt.datetime,
) -> Waiver:
    """`test` is "pft" or "hrct", `why` a Waiver.Reason. From `starts_on` (today) to `ends_on`: 365 days at most."""
    starts_on = starts_on or patient.day_at(now)
    if ends_on < starts_on:
        raise ValidationError({"ends_on": _("The last day cannot lie before the first.")})
    if (ends_on - starts_on).days >= 365:
        raise ValidationError({"ends_on": _("A test is waived for 365 days at most.")})
    if why == Waiver.Reason.PREGNANCY and test != "hrct":
        raise ValidationError({"why": _("Pregnancy is a reason against a CT, not against lung function.")})
    return facts.record(
        Waiver, patient=patient, test=test, reason=why, starts_on=starts_on, ends_on=ends_on, by=by, now=now
    )


# -------------------------------------------------------------------------------------------------- the centre's own


@action("monitoring.set_reference_range", "reference range set")
def set_reference_range(
    *,
    centre: Centre,
    analyte: str,
    starts_on: dt.date,
    low: Decimal | None = None,
    uln: Decimal | None = None,
    sex: str = "",
    by: User,
    now: dt.datetime,
) -> ReferenceRange:
    """The centre's limits of normal, in the canonical unit, from `starts_on` until the next range begins.

    `sex` empty: for everybody. A range that begins on the same day is replaced; the row history keeps it.
    """
    errors: Errors = {}
    row = ANALYTES.get(analyte)
    if row is None or row.kind is not Kind.NUMERIC:
        _add(errors, "analyte", _("This is not measured as a number."))
    if sex and sex not in Sex.values:
        _add(errors, "sex", _("Choose one of the list."))
    if low is None and uln is None:
        _add(errors, "uln", _("Give at least one limit."))
    if uln is not None and uln <= 0:
        _add(errors, "uln", _("An upper limit of 0 says nothing. Leave it empty where it is unknown."))
    if low is not None and low < 0:
        _add(errors, "low", _("A limit is 0 or more."))
    if low is not None and uln is not None and low > uln:
        _add(errors, "uln", _("The upper limit is below the lower."))
    _refuse(errors)
    facts.hold(centre)
    same = ReferenceRange.objects.filter(centre=centre, analyte=analyte, sex=sex)
    day_before = starts_on - dt.timedelta(days=1)
    for earlier in same.filter(starts_on__lt=starts_on).order_by("-starts_on")[:1]:
        if earlier.ends_on is None or earlier.ends_on > day_before:
            earlier.ends_on = day_before
            earlier.save(update_fields=["ends_on"])
    later = same.filter(starts_on__gt=starts_on).order_by("starts_on").first()
    limits = same.filter(starts_on=starts_on).first() or ReferenceRange(
        centre=centre, analyte=analyte, sex=sex, starts_on=starts_on
    )
    limits.low, limits.uln = low, uln
    limits.ends_on = None if later is None else later.starts_on - dt.timedelta(days=1)
    limits.full_clean()
    limits.save()
    return limits


# --------------------------------------------------------------------------------------------------------------- undo


@action("monitoring.undo", "undone")
def undo_recent(*, entry: Entry, by: User, now: dt.datetime) -> list[Fact]:
    """Take back what the action of `entry` recorded: the same person, within ten minutes, while nothing builds on it.

    Works for every action that records facts, of any app. Returns the facts taken back.
    """
    if entry.by_id != by.pk:
        raise ValidationError(_("Only the person who recorded it can undo it."))
    if not dt.timedelta(0) <= now - entry.at <= UNDO_WITHIN:
        raise ValidationError(_("It can be undone for ten minutes. Correct or withdraw it instead."))
    if entry.action == "monitoring.undo":
        raise ValidationError(_("An undoing is not undone. Record it again."))
    if entry.action in ("patients.merge", "patients.take_back_merge"):
        raise ValidationError(_("Two records are parted again on the page of their merge."))
    undone = facts.undo(entry.context_id, by=by, now=now)
    for _withdrawn, restored in undone:
        if isinstance(restored, Assessment):
            before = restored.supersedes.supersedes if restored.supersedes else None
            if isinstance(before, Assessment):
                _keep_grades(restored, _grades_of(before))
    return [withdrawn for withdrawn, _restored in undone]
