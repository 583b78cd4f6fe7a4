"""Every write about treatment. Errors name the field of the form, never the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Centre, User
from audit import facts
from audit.attribution import action
from common.models import Fact, PeriodQuerySet
from patients.models import Patient
from therapy import dosing, selectors
from therapy.formulary import FORMULARY, GLUCOCORTICOIDS, Drug, PeriodRefusedError, check_period
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    EscalationDecision,
    Infusion,
    Option,
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    Route,
    SessionOutcome,
    SessionWord,
    StockedTablet,
    StopReason,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
)
from therapy.tablets import MOST_MG

ONE_DAY = dt.timedelta(days=1)
SESSIONS_AT_ONCE = 60

# What cannot have happened yet.
_PAST_WORDS = frozenset(
    {SessionWord.ATTENDED, SessionWord.ATTENDED_REMOTE, SessionWord.HOME_DONE, SessionWord.DID_NOT_ATTEND}
)

Errors = dict[str, ValidationError]


def _by_whom(fact: Fact, patient: Patient) -> dict[str, str]:
    """Who recorded `fact` and when, for whom it stands in the way: who comes second is told."""
    at = fact.recorded_at.astimezone(patient.centre.zone)
    return {"who": str(fact.recorded_by), "when": f"{date_format(at, 'DATE_FORMAT')}, {at:%H:%M}"}


# ------------------------------------------------------------------------------------------------------ courses, doses


def _check_dose(
    drug: Drug,
    route: str,
    amount: Decimal,
    times: int,
    every_days: int,
    out_of_range_reason: str,
    weight_kg: Decimal | None,
    errors: Errors,
) -> None:
    if amount <= 0:
        errors["amount"] = ValidationError(_("A dose is more than 0. To give none, stop the course."))
    elif amount.is_finite() and amount >= 10**7:
        errors["amount"] = ValidationError(_("This dose is too large."))
    for field, number, highest in (("times", times, 24), ("every_days", every_days, 366)):
        if not 1 <= number <= highest:
            errors[field] = ValidationError(_("A whole number from 1 to %(highest)s.") % {"highest": highest})
    if errors:
        return
    try:
        check_period(drug, every_days, times)
    except PeriodRefusedError as error:
        errors["every_days"] = ValidationError(dosing.why_refused(error), code="refused")
        return
    outside = dosing.outside_usual(drug, route, amount, times, every_days, weight_kg=weight_kg)
    if outside and not out_of_range_reason.strip():
        errors["out_of_range_reason"] = ValidationError(
            _("%(outside)s Say why this dose is meant.") % {"outside": outside}, code="confirm"
        )


@action("therapy.start_course", "drug started")
def start_course(
    *,
    patient: Patient,
    drug: str,
    route: str,
    starts_on: dt.date,
    amount: Decimal,
    times: int = 1,
    every_days: int = 1,
    ends_on: dt.date | None = None,
    indication: str = "",
    clash_reason: str = "",
    out_of_range_reason: str = "",
    weight_kg: Decimal | None = None,
    by: User,
    now: dt.datetime,
) -> Course:
    """A drug (a code of the formulary) with its first dose: `amount` in the drug's unit, `times` in `every_days` days.

    `weight_kg` is a recent weight, for ranges per kg; unknown, those are not judged. A dose outside every usual range
    is refused at `out_of_range_reason`, code "confirm", until a reason is given; a drug better not given with one
    that is taken then, likewise at `clash_reason`. A drug by one route is taken once at a time.
    """
    errors: Errors = {}
    row = FORMULARY.get(drug)
    if row is None:
        raise ValidationError({"drug": _("This drug is not in the formulary.")})
    if route not in row.routes:
        routes = ", ".join(str(Route(r).label) for r in row.routes)
        errors["route"] = ValidationError(_("It is given: %(routes)s.") % {"routes": routes.lower()})
    if ends_on is not None and ends_on < starts_on:
        errors["ends_on"] = ValidationError(_("The last day cannot lie before the first."))
    _check_dose(row, route, amount, times, every_days, out_of_range_reason, weight_kg, errors)
    facts.hold(patient)
    running = Dose.objects.current().filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on),
        patient=patient,
        course__drug=drug,
        course__route=route,
        course__retired_at__isnull=True,
    )
    if ends_on is not None:
        running = running.filter(starts_on__lte=ends_on)
    if running.exists():
        errors["drug"] = ValidationError(_("This drug is taken already. Change its dose instead."), code="exists")
    avoid = selectors.to_avoid(patient, row, starts_on, ends_on)
    if avoid and not clash_reason.strip():
        errors["clash_reason"] = ValidationError(
            _("%(pairs)s Say why they are given together.") % {"pairs": " ".join(avoid)}, code="confirm"
        )
    if errors:
        raise ValidationError(errors)
    course = facts.record(
        Course,
        patient=patient,
        drug=drug,
        route=route,
        indication=indication,
        clash_reason=clash_reason.strip() if avoid else "",
        by=by,
        now=now,
    )
    facts.record(
        Dose,
        patient=patient,
        course=course,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=amount,
        times=times,
        every_days=every_days,
        out_of_range_reason=out_of_range_reason,
        by=by,
        now=now,
    )
    return course


def _hold_course(course: Course) -> Course:
    facts.hold(course)
    fresh = Course.objects.select_related("patient__centre").get(pk=course.pk)
    if not fresh.is_current:
        raise ValidationError(_("This course was withdrawn in the meantime. Nothing was changed."))
    return fresh


@action("therapy.change_dose", "dose changed")
def change_dose(
    *,
    course: Course,
    starts_on: dt.date,
    amount: Decimal,
    times: int = 1,
    every_days: int = 1,
    ends_on: dt.date | None = None,
    out_of_range_reason: str = "",
    weight_kg: Decimal | None = None,
    by: User,
    now: dt.datetime,
) -> Dose:
    """A new dose from `starts_on` on. The running one ends the day before; earlier ones stay as they are."""
    course = _hold_course(course)
    errors: Errors = {}
    if CourseStop.objects.current().filter(course=course).exists():
        raise ValidationError(_("This course is stopped. Start a new one."))
    _check_dose(FORMULARY[course.drug], course.route, amount, times, every_days, out_of_range_reason, weight_kg, errors)
    if ends_on is not None and ends_on < starts_on:
        errors["ends_on"] = ValidationError(_("The last day cannot lie before the first."))
    doses = list(Dose.objects.current().filter(course=course).order_by("starts_on", "id"))
    if any(dose.starts_on >= starts_on for dose in doses):
        errors["starts_on"] = ValidationError(
            _("A dose already begins on this day or later. Correct that one."), code="exists"
        )
    running = next(
        (d for d in doses if d.starts_on < starts_on and (d.ends_on is None or d.ends_on >= starts_on)), None
    )
    if running is not None and (running.amount, running.times, running.every_days) == (amount, times, every_days):
        errors.setdefault("amount", ValidationError(_("This is the present dose.")))
    if errors:
        raise ValidationError(errors)
    if running is not None:
        facts.supersede(running, by=by, now=now, reason="Dose changed", ends_on=starts_on - ONE_DAY)
    return facts.record(
        Dose,
        patient=course.patient,
        course=course,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=amount,
        times=times,
        every_days=every_days,
        out_of_range_reason=out_of_range_reason,
        by=by,
        now=now,
    )


@action("therapy.correct_dose", "dose corrected")
def correct_dose(
    *,
    dose: Dose,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date | None,
    amount: Decimal,
    times: int = 1,
    every_days: int = 1,
    out_of_range_reason: str = "",
    weight_kg: Decimal | None = None,
    by: User,
    now: dt.datetime,
) -> Dose:
    """What was recorded was not what was given. Days that another dose of the course has are refused."""
    course = _hold_course(dose.course)
    errors: Errors = {}
    _check_dose(FORMULARY[course.drug], course.route, amount, times, every_days, out_of_range_reason, weight_kg, errors)
    if ends_on is not None and ends_on < starts_on:
        errors["ends_on"] = ValidationError(_("The last day cannot lie before the first."))
    others = Dose.objects.current().filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on), course=course
    ).exclude(pk=dose.pk)  # fmt: skip
    if ends_on is not None:
        others = others.filter(starts_on__lte=ends_on)
    if others.exists():
        errors["starts_on"] = ValidationError(
            _("Another dose of this course covers some of these days."), code="exists"
        )
    stop = CourseStop.objects.current().filter(course=course).first()
    if stop is not None and (ends_on is None or ends_on > stop.stopped_on):
        errors.setdefault("ends_on", ValidationError(_("The course had stopped by then.")))
    if errors:
        raise ValidationError(errors)
    return facts.supersede(
        dose,
        by=by,
        now=now,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=amount,
        times=times,
        every_days=every_days,
        out_of_range_reason=out_of_range_reason,
    )


@action("therapy.stop_course", "drug stopped")
def stop_course(
    *, course: Course, stopped_on: dt.date, reason: str, note: str = "", by: User, now: dt.datetime
) -> CourseStop:
    """`stopped_on` is the last day of the course, `reason` a StopReason. Its dose ends that day; later ones lapse."""
    course = _hold_course(course)
    if reason not in StopReason.values:
        raise ValidationError({"reason": _("Choose why it is stopped.")})
    if CourseStop.objects.current().filter(course=course).exists():
        raise ValidationError(_("This course is stopped already."), code="exists")
    doses = list(Dose.objects.current().filter(course=course).order_by("starts_on", "id"))
    if doses and stopped_on < doses[0].starts_on:
        raise ValidationError({"stopped_on": _("The course had not begun by then. Withdraw it if it was never taken.")})
    for dose in doses:
        if dose.starts_on > stopped_on:
            facts.lapse(dose, by=by, now=now, reason="Course stopped")
        elif dose.ends_on is None or dose.ends_on > stopped_on:
            facts.supersede(dose, by=by, now=now, reason="Course stopped", ends_on=stopped_on)
    return facts.record(
        CourseStop,
        patient=course.patient,
        course=course,
        stopped_on=stopped_on,
        reason=reason,
        note=note,
        by=by,
        now=now,
    )


@action("therapy.record_infusion", "infusion recorded")
def record_infusion(
    *,
    course: Course,
    given_on: dt.date,
    amount: Decimal,
    batch: str = "",
    max_rate_ml_per_hour: Decimal | None = None,
    reaction: str = Infusion.Reaction.NOT_RECORDED,
    by: User,
    now: dt.datetime,
) -> Infusion:
    """One infusion given; `amount` in the drug's unit."""
    course = _hold_course(course)
    _check_infusion(course, given_on, amount, batch, max_rate_ml_per_hour)
    return facts.record(
        Infusion,
        patient=course.patient,
        course=course,
        given_on=given_on,
        amount=amount,
        batch=batch,
        max_rate_ml_per_hour=max_rate_ml_per_hour,
        reaction=reaction,
        by=by,
        now=now,
    )


@action("therapy.correct_infusion", "infusion corrected")
def correct_infusion(
    *,
    infusion: Infusion,
    reason: str,
    given_on: dt.date,
    amount: Decimal,
    batch: str = "",
    max_rate_ml_per_hour: Decimal | None = None,
    reaction: str = Infusion.Reaction.NOT_RECORDED,
    by: User,
    now: dt.datetime,
) -> Infusion:
    """What was recorded was not what was given: held against its course as when it was recorded."""
    course = _hold_course(infusion.course)
    _check_infusion(course, given_on, amount, batch, max_rate_ml_per_hour, instead_of=infusion)
    values = {
        "given_on": given_on,
        "amount": amount,
        "batch": batch,
        "max_rate_ml_per_hour": max_rate_ml_per_hour,
        "reaction": reaction,
    }
    if all(getattr(infusion, name) == value for name, value in values.items()):
        raise ValidationError(_("Nothing was changed."))
    return facts.supersede(infusion, by=by, now=now, reason=reason, values=values)


def _check_infusion(
    course: Course,
    given_on: dt.date,
    amount: Decimal,
    batch: str,
    max_rate_ml_per_hour: Decimal | None,
    *,
    instead_of: Infusion | None = None,
) -> None:
    errors: Errors = {}
    if amount <= 0:
        errors["amount"] = ValidationError(_("An infusion is more than 0."))
    if max_rate_ml_per_hour is not None and max_rate_ml_per_hour <= 0:
        errors["max_rate_ml_per_hour"] = ValidationError(_("A rate is more than 0."))
    stop = CourseStop.objects.current().filter(course=course).first()
    if stop is not None and given_on > stop.stopped_on:
        errors["given_on"] = ValidationError(_("The course had stopped by then."))
    same = Infusion.objects.current().filter(course=course, given_on=given_on, amount=amount, batch=batch)
    if instead_of is not None:
        same = same.exclude(pk=instead_of.pk)
    if same.exists():
        errors["given_on"] = ValidationError(_("This infusion is recorded already."), code="exists")
    if errors:
        raise ValidationError(errors)


@action("therapy.decide_escalation", "decision on second-line treatment recorded")
def decide_escalation(
    *,
    patient: Patient,
    option: str,
    reason: str,
    decided_on: dt.date,
    look_again_on: dt.date | None = None,
    seen_decision: int | None = None,
    by: User,
    now: dt.datetime,
) -> EscalationDecision:
    """What was decided about second-line treatment, `option` an Option. It changes no drug.

    `seen_decision` is the id of the newest decision that whoever decides has seen, 0 for none: a newer one is told of
    first (code "conflict"). None: not asked.
    """
    errors: Errors = {}
    facts.hold(patient)
    newest = EscalationDecision.objects.current().filter(patient=patient).order_by("-id").first()
    if seen_decision is not None and newest is not None and newest.pk != seen_decision:
        said = _("Meanwhile %(who)s recorded a decision on %(when)s: %(option)s. Record yours if it stands beside it.")
        words = {**_by_whom(newest, patient), "option": newest.get_option_display()}
        errors[NON_FIELD_ERRORS] = ValidationError(said % words, code="conflict")
    if option not in Option.values:
        errors["option"] = ValidationError(_("Choose what was decided."))
    if not reason.strip():
        errors["reason"] = ValidationError(_("Say why."))
    if decided_on > patient.day_at(now):
        errors["decided_on"] = ValidationError(_("This day is still to come."))
    if look_again_on is not None and look_again_on < decided_on:
        errors["look_again_on"] = ValidationError(_("This day cannot lie before the decision."))
    if errors:
        raise ValidationError(errors)
    return facts.record(
        EscalationDecision,
        patient=patient,
        option=option,
        reason=reason.strip(),
        decided_on=decided_on,
        look_again_on=look_again_on,
        by=by,
        now=now,
    )


# -------------------------------------------------------------------------------------------------------------- taper


@action("therapy.plan_taper", "taper planned")
def plan_taper(
    *,
    patient: Patient,
    steps: Sequence[tuple[dt.date, Decimal]],
    template: str = "",
    note: str = "",
    by: User,
    now: dt.datetime,
) -> TaperPlan:
    """`steps` are (first day, prednisone-equivalent mg a day), in order of days. One plan runs at a time.

    Errors are keyed `steps`, `step_0_step_on`, `step_0_dose_pe_mg`, counted from 0.
    """
    errors: Errors = {}
    if not steps:
        errors["steps"] = ValidationError(_("A plan has at least one step."))
    for number, (step_on, dose) in enumerate(steps):
        if number and step_on <= steps[number - 1][0]:
            errors[f"step_{number}_step_on"] = ValidationError(_("Each step begins after the one before it."))
        if not 0 <= dose < 10**5:
            errors[f"step_{number}_dose_pe_mg"] = ValidationError(_("A dose is 0 mg or more."))
    facts.hold(patient)
    if running := selectors.active_tapers(patient, patient.day_at(now)):
        said = _("A plan is running: %(who)s planned it on %(when)s. End it before another begins.")
        errors["steps"] = ValidationError(said % _by_whom(running[0].plan, patient), code="exists")
    if errors:
        raise ValidationError(errors)
    plan = facts.record(TaperPlan, patient=patient, template=template, note=note, by=by, now=now)
    for step_on, dose in steps:
        facts.record(TaperStep, patient=patient, plan=plan, step_on=step_on, dose_pe_mg=dose, by=by, now=now)
    return plan


def _hold_taper(plan: TaperPlan, day: dt.date) -> TaperPlan:
    facts.hold(plan)
    fresh = TaperPlan.objects.select_related("patient__centre").get(pk=plan.pk)
    if not fresh.is_current:
        raise ValidationError(_("This plan was withdrawn in the meantime. Nothing was changed."))
    end = TaperEnd.objects.current().filter(plan=plan, ended_on__lt=day).first()
    if end is not None:
        raise ValidationError(_("This plan has ended: %(who)s ended it on %(when)s.") % _by_whom(end, fresh.patient))
    return fresh


@action("therapy.confirm_step", "taper step confirmed")
def confirm_step(
    *,
    step: TaperStep,
    confirmed_on: dt.date,
    course: Course | None = None,
    out_of_range_reason: str = "",
    by: User,
    now: dt.datetime,
) -> TaperConfirmation:
    """The earliest unconfirmed step of its plan was taken. Nothing else advances.

    With `course` (a glucocorticoid taken once a day) its dose changes too, from the day of the step, or from
    `confirmed_on` where that is earlier: to the amount that makes the step's prednisone equivalent; at 0 mg the course
    is completed the day before.
    """
    plan = _hold_taper(step.plan, confirmed_on)
    earliest = next((view.step for view in selectors.steps_of(plan) if view.confirmed_on is None), None)
    done = TaperConfirmation.objects.current().filter(step=step).first()
    if done is not None:
        said = _("This step is confirmed already: %(who)s confirmed it on %(when)s.")
        raise ValidationError(said % _by_whom(done, plan.patient), code="exists")
    if earliest is None or earliest.pk != step.pk:
        raise ValidationError(_("Only the earliest unconfirmed step of the plan can be confirmed."), code="order")
    confirmation = facts.record(
        TaperConfirmation, patient=plan.patient, step=earliest, confirmed_on=confirmed_on, by=by, now=now
    )
    if course is not None:
        _follow(course, earliest, min(earliest.step_on, confirmed_on), out_of_range_reason, by, now)
    return confirmation


def _follow(
    course: Course, step: TaperStep, day: dt.date, out_of_range_reason: str, by: User, now: dt.datetime
) -> None:
    amount = dosing.drug_amount_for_pe(FORMULARY[course.drug], step.dose_pe_mg)
    if amount is None or course.patient_id != step.patient_id:
        raise ValidationError({"course": _("Choose a course of a glucocorticoid of this patient.")})
    if amount == 0:
        stop_course(course=course, stopped_on=day - ONE_DAY, reason=StopReason.COMPLETED, by=by, now=now)
        return
    running = Dose.objects.active_on(day).filter(course=course).first()
    if running is not None and (running.amount, running.times, running.every_days) == (amount, 1, 1):
        return  # somebody has changed it already
    change_dose(course=course, starts_on=day, amount=amount, out_of_range_reason=out_of_range_reason, by=by, now=now)


@action("therapy.stock_tablets", "strengths of tablets in stock changed")
def stock_tablets(*, centre: Centre, drug: str, strengths_mg: Sequence[Decimal], by: User, now: dt.datetime) -> None:
    """The centre's pharmacy has tablets of `drug` in these strengths and no others. None: it has no tablets of it."""
    if drug not in GLUCOCORTICOIDS:
        raise ValidationError({"drug": _("Choose a glucocorticoid.")})
    if any(not 0 < strength <= MOST_MG for strength in strengths_mg):
        raise ValidationError({"strengths": _("A tablet has more than 0 and at most %(most)s mg.") % {"most": MOST_MG}})
    here = StockedTablet.objects.filter(centre=centre, drug=drug)
    here.exclude(strength_mg__in=strengths_mg).delete()
    known = set(here.values_list("strength_mg", flat=True))
    for strength in sorted(set(strengths_mg) - known):
        StockedTablet.objects.create(centre=centre, drug=drug, strength_mg=strength)


@action("therapy.hold_taper", "taper put on hold")
def hold_taper(
    *,
    plan: TaperPlan,
    starts_on: dt.date,
    reason: str,
    ends_on: dt.date | None = None,
    by: User,
    now: dt.datetime,
) -> TaperHold:
    """From `starts_on` to `ends_on` (open: until released) the plan raises no step alerts. Its days do not move."""
    plan = _hold_taper(plan, starts_on)
    _check_pause(TaperHold.objects.current().filter(plan=plan), starts_on, ends_on, reason)
    return facts.record(
        TaperHold, patient=plan.patient, plan=plan, starts_on=starts_on, ends_on=ends_on, reason=reason, by=by, now=now
    )


@action("therapy.release_taper", "taper released")
def release_taper(*, plan: TaperPlan, by: User, now: dt.datetime) -> TaperHold:
    """The hold in force ends yesterday, so that the plan counts again from today."""
    today = plan.patient.day_at(now)
    plan = _hold_taper(plan, today)
    hold = TaperHold.objects.active_on(today).filter(plan=plan).order_by("-id").first()
    if hold is None:
        raise ValidationError(_("This plan is not on hold."))
    return _end_pause(hold, today, by, now, "Released")


@action("therapy.end_taper", "taper ended")
def end_taper(*, plan: TaperPlan, ended_on: dt.date, reason: str, by: User, now: dt.datetime) -> TaperEnd:
    """`ended_on` is the last day of the plan. Unconfirmed steps stay unconfirmed."""
    plan = _hold_taper(plan, ended_on)
    _check_end(TaperEnd.objects.current().filter(plan=plan).exists(), plan.patient, ended_on, reason, now)
    return facts.record(TaperEnd, patient=plan.patient, plan=plan, ended_on=ended_on, reason=reason, by=by, now=now)


def _check_pause(others: PeriodQuerySet, starts_on: dt.date, ends_on: dt.date | None, reason: str) -> None:
    errors: Errors = {}
    if not reason.strip():
        errors["reason"] = ValidationError(_("Say why."))
    if ends_on is not None and ends_on < starts_on:
        errors["ends_on"] = ValidationError(_("The last day cannot lie before the first."))
    others = others.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on))
    if ends_on is not None:
        others = others.filter(starts_on__lte=ends_on)
    if other := others.select_related("patient__centre").first():
        said = _("That time is covered already: %(who)s recorded it on %(when)s.")
        errors["starts_on"] = ValidationError(said % _by_whom(other, other.patient), code="exists")
    if errors:
        raise ValidationError(errors)


P = TypeVar("P", TaperHold, PhysioPause)


def _end_pause(pause: P, today: dt.date, by: User, now: dt.datetime, reason: str) -> P:
    if pause.starts_on >= today:
        return facts.lapse(pause, by=by, now=now, reason=reason)
    return facts.supersede(
        # The pause keeps why it was made; this is why it changed.
        pause, by=by, now=now, reason=reason, ends_on=today - ONE_DAY,
    )  # fmt: skip


def _check_end(ended: bool, patient: Patient, ended_on: dt.date, reason: str, now: dt.datetime) -> None:
    if ended:
        raise ValidationError(_("This plan has ended already."), code="exists")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why.")})
    if ended_on > patient.day_at(now):
        raise ValidationError({"ended_on": _("This day lies in the future.")})


# ------------------------------------------------------------------------------------------------------ physiotherapy


@action("therapy.plan_physio", "physiotherapy planned")
def plan_physio(
    *, patient: Patient, starts_on: dt.date, sessions_per_week: int = 2, goal: str = "", by: User, now: dt.datetime
) -> PhysioPlan:
    """A plan from `starts_on` on. Several may run side by side, but not two that begin on one day."""
    errors: Errors = {}
    if not 1 <= sessions_per_week <= 14:
        errors["sessions_per_week"] = ValidationError(_("A whole number from 1 to 14."))
    facts.hold(patient)
    if PhysioPlan.objects.current().filter(patient=patient, starts_on=starts_on).exists():
        errors["starts_on"] = ValidationError(_("A plan begins on this day already."), code="exists")
    if errors:
        raise ValidationError(errors)
    return facts.record(
        PhysioPlan, patient=patient, starts_on=starts_on, sessions_per_week=sessions_per_week, goal=goal, by=by, now=now
    )


def _hold_physio(plan: PhysioPlan) -> PhysioPlan:
    facts.hold(plan)
    fresh = PhysioPlan.objects.select_related("patient__centre").get(pk=plan.pk)
    if not fresh.is_current:
        raise ValidationError(_("This plan was withdrawn in the meantime. Nothing was changed."))
    return fresh


def _series(first_on: dt.date, count: int, every_days: int, weekdays: Collection[int]) -> list[dt.date]:
    if not weekdays:
        return [first_on + n * every_days * ONE_DAY for n in range(count)]
    monday = first_on - first_on.weekday() * ONE_DAY
    weeks = (monday + n * every_days * ONE_DAY for n in range(count + 1))
    days = (week + weekday * ONE_DAY for week in weeks for weekday in sorted(set(weekdays)))
    return [day for day in days if day >= first_on][:count]


@action("therapy.book_sessions", "physiotherapy booked")
def book_sessions(
    *,
    plan: PhysioPlan,
    first_on: dt.date,
    count: int = 1,
    every_days: int = 7,
    weekdays: Collection[int] = (),
    by: User,
    now: dt.datetime,
) -> list[PhysioSession]:
    """`count` sessions, `every_days` apart; all of them or none. A day of the plan has one session.

    With `weekdays` (Monday is 0) they lie on those days, from `first_on` on, of every week that is `every_days` apart.
    """
    plan = _hold_physio(plan)
    errors: Errors = {}
    if not 1 <= count <= SESSIONS_AT_ONCE:
        errors["count"] = ValidationError(_("A whole number from 1 to %(highest)s.") % {"highest": SESSIONS_AT_ONCE})
    if not 1 <= every_days <= 28:
        errors["every_days"] = ValidationError(_("A whole number from 1 to 28."))
    elif weekdays and every_days % 7:
        errors["every_days"] = ValidationError(_("Choose a number of weeks."))
    if first_on < plan.starts_on:
        errors["first_on"] = ValidationError(_("The plan had not begun by then."))
    if PhysioEnd.objects.current().filter(plan=plan).exists():
        errors["first_on"] = ValidationError(_("The plan has ended."))
    if errors:
        raise ValidationError(errors)
    days = _series(first_on, count, every_days, weekdays)
    taken = PhysioSession.objects.current().filter(plan=plan, held_on__in=days).order_by("held_on")
    booked = [date_format(day, "DATE_FORMAT") for day in taken.values_list("held_on", flat=True)]
    if booked:
        said = _("Booked already: %(days)s.") % {"days": ", ".join(booked)}
        raise ValidationError({"first_on": ValidationError(said, code="exists")})
    return [facts.record(PhysioSession, patient=plan.patient, plan=plan, held_on=day, by=by, now=now) for day in days]


@action("therapy.record_outcome", "physiotherapy session recorded")
def record_outcome(
    *, session: PhysioSession, word: str, reason: str = "", by: User, now: dt.datetime
) -> SessionOutcome:
    """What became of a session (a SessionWord). A second one corrects the first; what is to come cannot be attended."""
    facts.hold(session)
    fresh = PhysioSession.objects.select_related("patient__centre").get(pk=session.pk)
    if not fresh.is_current:
        raise ValidationError(_("This session was withdrawn in the meantime. Nothing was changed."))
    if word in _PAST_WORDS and fresh.held_on > fresh.patient.day_at(now):
        raise ValidationError({"word": _("This session is still to come.")})
    earlier = SessionOutcome.objects.current().filter(session=fresh).first()
    if earlier is None:
        return facts.record(SessionOutcome, patient=fresh.patient, session=fresh, word=word, by=by, now=now)
    if earlier.word == word:
        raise ValidationError({"word": _("This is what is recorded.")})
    return facts.supersede(earlier, by=by, now=now, reason=reason or "Recorded again", word=word)


@action("therapy.pause_physio", "physiotherapy paused")
def pause_physio(
    *,
    plan: PhysioPlan,
    starts_on: dt.date,
    reason: str,
    ends_on: dt.date | None = None,
    by: User,
    now: dt.datetime,
) -> PhysioPause:
    """From `starts_on` to `ends_on` (open: until resumed) nobody asks about missed sessions."""
    plan = _hold_physio(plan)
    _check_pause(PhysioPause.objects.current().filter(plan=plan), starts_on, ends_on, reason)
    return facts.record(
        PhysioPause,
        patient=plan.patient,
        plan=plan,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason,
        by=by,
        now=now,
    )


@action("therapy.resume_physio", "physiotherapy resumed")
def resume_physio(*, plan: PhysioPlan, by: User, now: dt.datetime) -> PhysioPause:
    """The pause in force ended yesterday."""
    plan = _hold_physio(plan)
    today = plan.patient.day_at(now)
    pause = PhysioPause.objects.active_on(today).filter(plan=plan).order_by("-id").first()
    if pause is None:
        raise ValidationError(_("This plan is not paused."))
    return _end_pause(pause, today, by, now, "Resumed")


@action("therapy.end_physio", "physiotherapy ended")
def end_physio(*, plan: PhysioPlan, ended_on: dt.date, reason: str, by: User, now: dt.datetime) -> PhysioEnd:
    """`ended_on` is the last day of the plan. Sessions booked after it lapse."""
    plan = _hold_physio(plan)
    _check_end(PhysioEnd.objects.current().filter(plan=plan).exists(), plan.patient, ended_on, reason, now)
    if ended_on < plan.starts_on:
        raise ValidationError({"ended_on": _("The plan had not begun by then.")})
    later = PhysioSession.objects.current().filter(plan=plan, held_on__gt=ended_on)
    for session in later.exclude(pk__in=SessionOutcome.objects.current().values("session_id")):
        facts.lapse(session, by=by, now=now, reason="Plan ended")
    return facts.record(PhysioEnd, patient=plan.patient, plan=plan, ended_on=ended_on, reason=reason, by=by, now=now)


@action("therapy.decline_physio", "physiotherapy declined")
def decline_physio(
    *, patient: Patient, declined_on: dt.date, ends_on: dt.date | None = None, by: User, now: dt.datetime
) -> PhysioDecline:
    """Not wanted now. Asked again after `ends_on`, or after 183 days."""
    if ends_on is not None and ends_on < declined_on:
        raise ValidationError({"ends_on": _("The last day cannot lie before the first.")})
    return facts.record(PhysioDecline, patient=patient, declined_on=declined_on, ends_on=ends_on, by=by, now=now)
