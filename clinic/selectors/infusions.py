"""What the pages of infusions show: courses of immunoglobulin and cycles of rituximab, what is wrong, next and missing.

The judgements are those of therapy/infusions.py, which the rules `infusion-due` and `infusion-check` follow too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.selectors.treatment import Weight, amount_words
from clinic.templatetags.days import plain
from common.words import N_
from monitoring.analytes import RENAL
from monitoring.models import BodySize, Booking, Result, Screening
from monitoring.selectors import WEIGHT_HOLDS_DAYS
from patients.models import Manifestation, Patient, RiskFactor, RiskKind
from therapy import infusions
from therapy.dosing import name_of
from therapy.infusions import (
    DUE_NUMBERS,
    IVIG,
    NUMBERS,
    RITUXIMAB,
    BeforeIvig,
    BeforeRituximab,
    Due,
    Given,
    Group,
    grouped,
    ml_per_hour,
)
from therapy.models import Course, CourseStop, Dose, Infusion

DRUGS = (IVIG, RITUXIMAB)
HEPATITIS = ("hbsag", "anti-hbc")
GROUPS_SHOWN = 24
# What typing an infusion can get wrong; the rest is looked at when the course is over.
TYPED = {"total-high", "days", "interval", "rate", "rate-at-risk", "amount", "second-interval", "repeat-early"}
SERIOUS = infusions.ACTIONS


# ------------------------------------------------------------------------------------------------- what is on record


@dataclass(frozen=True)
class Record:
    """Everything the pages need of one patient, read once."""

    patient: Patient
    as_of: dt.date
    rows: Sequence[Infusion]  # newest first, with their courses
    courses: Sequence[Course]
    stops: dict[int, dt.date]
    dosed_until: dict[int, dt.date | None]  # last day of a course's doses; None: one goes on
    weights: Sequence[tuple[dt.date, Decimal]]  # oldest first
    risks: Sequence[tuple[str, dt.date, dt.date | None]]  # in words
    newest: dict[str, tuple[dt.date, Decimal]]  # results with a number, by analyte
    hepatitis_on: dt.date | None  # first positive marker
    is_hepatitis_negative: bool
    hepatitis_note: str
    screened: dict[str, dt.date]  # normal IgA and IgG without a number
    booked_for: dt.date | None

    @property
    def weight(self) -> Weight | None:
        if not self.weights:
            return None
        measured_on, kg = self.weights[-1]
        return Weight(kg, measured_on, (self.as_of - measured_on).days <= WEIGHT_HOLDS_DAYS)

    def weight_near(self, day: dt.date) -> Decimal | None:
        """The weight nearest to a day, at most 90 days away; of two as near the earlier."""
        near = [(abs((on - day).days), on, kg) for on, kg in self.weights]
        near = [one for one in near if one[0] <= NUMBERS.weight_days]
        return min(near)[2] if near else None

    def risks_in(self, first: dt.date, last: dt.date) -> list[str]:
        """What puts at risk of thrombosis or harm to the kidneys, in words."""
        found = {words for words, starts, ends in self.risks if starts <= last and (ends is None or ends >= first)}
        if infusions.is_older(self.patient.born_on, first):
            found.add(_("Older than %(years)s years") % {"years": NUMBERS.older_than_years})
        return sorted(found)

    @property
    def before_ivig(self) -> BeforeIvig:
        renal = [self.newest[code][0] for code in RENAL if code in self.newest]
        iga = self.newest.get("iga")
        return BeforeIvig(max(renal, default=None), iga[1] if iga else None, iga is not None or "iga" in self.screened)

    @property
    def before_rituximab(self) -> BeforeRituximab:
        igg = self.newest.get("igg")
        recent = igg if igg and igg[0] >= self.as_of - dt.timedelta(days=NUMBERS.igg_later_days) else None
        days = [day for day in (igg and igg[0], self.screened.get("igg")) if day]
        word = "positive" if self.hepatitis_on else "negative" if self.is_hepatitis_negative else ""
        return BeforeRituximab(
            max(days, default=None), recent[1] if recent else None, word, bool(self.hepatitis_note), self.booked_for
        )


def _hepatitis(patient: Patient, as_of: dt.date, screened: Sequence[Screening]) -> tuple[dt.date | None, bool, str]:
    """First positive day, whether both markers (or a screening) were negative, and the note made since. One query."""
    markers = Result.objects.current().filter(patient=patient, analyte__in=HEPATITIS, taken_on__lte=as_of)
    found = {
        row["analyte"]: row
        for row in markers.order_by().values("analyte").annotate(
            positive=Min("taken_on", filter=Q(value_received="positive")),
            negative=Max("taken_on", filter=Q(value_received="negative")),
        )
    }  # fmt: skip
    days = [row["positive"] for row in found.values() if row["positive"]]
    of_kind = [row for row in screened if row.kind == "hepatitis_b"]
    days += [row.done_on for row in of_kind if row.outcome == "abnormal"]
    first = min(days, default=None)
    negative = len(found) == len(HEPATITIS) and all(row["negative"] for row in found.values())
    notes = [row.note for row in of_kind if row.note and first and row.done_on >= first]
    return first, negative or any(row.outcome == "normal" for row in of_kind), notes[-1] if notes else ""


def record(patient: Patient, as_of: dt.date) -> Record:
    """Twelve queries, however long the history."""
    rows = list(
        Infusion.objects.current()
        .filter(patient=patient, given_on__lte=as_of, course__retired_at__isnull=True)
        .select_related("course")
        .order_by("-given_on", "-id")
    )
    courses = list(Course.objects.current().filter(patient=patient, drug__in=DRUGS).order_by("-id"))
    stops = dict(
        CourseStop.objects.current().filter(patient=patient, course__drug__in=DRUGS).values_list("course", "stopped_on")
    )
    dosed_until: dict[int, dt.date | None] = {}
    doses = Dose.objects.current().filter(patient=patient, course__drug=IVIG)
    for course, ends_on in doses.order_by("starts_on", "id").values_list("course", "ends_on"):
        before = dosed_until.get(course, dt.date.min)
        dosed_until[course] = None if ends_on is None or before is None else max(before, ends_on)
    weights = list(
        BodySize.objects.current()
        .filter(patient=patient, weight_kg__isnull=False, measured_on__lte=as_of)
        .order_by("measured_on", "-id")
        .values_list("measured_on", "weight_kg")
    )
    risks: list[tuple[str, dt.date, dt.date | None]] = [
        (str(RiskKind(kind).label), starts, ends)
        for kind, starts, ends in RiskFactor.objects.current()
        .filter(patient=patient, kind__in=infusions.RISK_KINDS)
        .values_list("kind", "starts_on", "ends_on")
    ]
    thromboses = Manifestation.objects.current().filter(patient=patient, kind="thrombosis", onset_on__lte=as_of)
    risks += [(_("Had a thrombosis"), onset_on, None) for onset_on in thromboses.values_list("onset_on", flat=True)]
    newest = (
        Result.objects.current()
        .filter(patient=patient, analyte__in=(*RENAL, "iga", "igg"), taken_on__lte=as_of, value__isnull=False)
        .order_by("analyte", "-taken_on", "-id")
        .distinct("analyte")
        .values_list("analyte", "taken_on", "value")
    )
    kinds = ("iga", "igg", "hepatitis_b")
    screenings = Screening.objects.current().filter(patient=patient, kind__in=kinds, done_on__lte=as_of)
    screened = list(screenings.order_by("done_on", "id"))
    hepatitis_on, negative, note = _hepatitis(patient, as_of, screened)
    booked = Booking.objects.current().filter(patient=patient, kind="infusion", booked_for__gte=as_of)
    return Record(
        patient=patient,
        as_of=as_of,
        rows=rows,
        courses=courses,
        stops=stops,
        dosed_until=dosed_until,
        weights=[(on, kg) for on, kg in weights if kg is not None],
        risks=risks,
        newest={code: (on, value) for code, on, value in newest if value is not None},
        hepatitis_on=hepatitis_on,
        is_hepatitis_negative=negative,
        hepatitis_note=note,
        screened={row.kind: row.done_on for row in screened if row.outcome == "normal"},
        booked_for=booked.order_by("booked_for").values_list("booked_for", flat=True).first(),
    )


def _given(row: Infusion) -> Given:
    return Given(row.given_on, row.amount, row.max_rate_ml_per_hour, row.pk or 0)


def _groups(rows: Sequence[Infusion], drug: str, course: Course | None) -> list[Group]:
    """Oldest first: immunoglobulin within `course`, rituximab over all its courses, as the rules group them."""
    mine = [
        row
        for row in rows
        if row.course.drug == drug and (drug == RITUXIMAB or row.course_id == getattr(course, "pk", 0))
    ]
    return grouped(map(_given, mine), NUMBERS.course_window_days if drug == IVIG else NUMBERS.cycle_window_days)


# ----------------------------------------------------------------------------------------------------------- judgements


@dataclass(frozen=True)
class Remark:
    """Something that is not as it should be, in one sentence."""

    reason: str
    text: str

    @property
    def tone(self) -> str:
        return "action" if self.reason in SERIOUS else "task"


def _sentence(reason: str, group: Group, before: Group | None, kg: Decimal | None, at_risk: bool) -> str:
    n = NUMBERS
    since = (group.began_on - before.began_on).days if before else 0
    per_kg = group.per_kg(kg)
    days = list(group.by_day)
    if reason.startswith("total"):
        each = plain(round(Decimal(per_kg.numerator) / per_kg.denominator, 2)) if per_kg is not None else ""
        percent = plain(n.course_tolerance * 100)
        said = {"total": plain(group.total), "each": each, "percent": percent, "usual": plain(n.course_g_per_kg)}
        if reason == "total-high":
            return _("%(total)s g, %(each)s g/kg: more than %(percent)s %% above %(usual)s g/kg.") % said
        return _("%(total)s g, %(each)s g/kg: more than %(percent)s %% below %(usual)s g/kg.") % said
    if reason.startswith("rate"):
        rate = n.rate_at_risk_ml_kg_min if at_risk else n.rate_ml_kg_min
        cap = plain(ml_per_hour(kg, rate)) if kg is not None else ""
        rates = {"fastest": plain(group.max_rate_ml_per_hour or Decimal(0)), "cap": cap}
        if at_risk:
            return _("%(fastest)s mL/h is above the highest rate at risk, %(cap)s mL/h.") % rates
        return _("%(fastest)s mL/h is above the highest rate, %(cap)s mL/h.") % rates
    if reason == "days":
        over = ngettext(
            "Over %(n)s day; usual are %(least)s to %(most)s.", "Over %(n)s days; usual are %(least)s to %(most)s.",
            group.span_days,
        )  # fmt: skip
        return over % {"n": group.span_days, "least": n.course_days_least, "most": n.course_days_most}
    return _(_SENTENCES[reason]) % {
        "since": since, "least": n.interval_least_days, "most": n.interval_most_days, "repeat": n.repeat_days,
        "apart": (days[-1] - days[0]).days, "second": n.second_days, "give": n.second_give_days,
        "dose": plain(n.dose_mg),
    }  # fmt: skip


_SENTENCES = {
    "interval": N_("%(since)s days after the course before; usual are %(least)s to %(most)s."),
    "repeat-early": N_("%(since)s days after the cycle before; not before %(repeat)s."),
    "second-missed": N_("The second infusion is not recorded."),
    "second-interval": N_("%(apart)s days between the infusions; usual are %(second)s, %(give)s either way."),
    "amount": N_("Usual are two infusions of %(dose)s mg."),
}


def remarks(of: Record, drug: str, group: Group, before: Group | None, as_of: dt.date) -> list[Remark]:
    """What is wrong with a course or cycle, as things stand on `as_of`; what the next one lacks is in `gates`."""
    kg = of.weight_near(group.began_on)
    at_risk = bool(of.risks_in(group.began_on, group.last_on))
    if drug == IVIG:
        found = infusions.check_ivig(
            group, as_of, before=before, weight_kg=kg, at_risk=at_risk, known=BeforeIvig(as_of, None, is_iga_known=True)
        )
    else:
        known = BeforeRituximab(as_of, None, "negative")
        found = infusions.check_rituximab(group, as_of, before=before, known=known)
    return [Remark(reason, _sentence(reason, group, before, kg, at_risk)) for reason in found]


@dataclass(frozen=True)
class Gate:
    """Something to look at before the next infusion. `state`: good, missing, or wrong."""

    label: str
    state: str
    text: str
    on: dt.date | None = None
    url: str = ""

    @property
    def tone(self) -> str:
        return {"good": "good", "missing": "task"}.get(self.state, "action")

    @property
    def word(self) -> str:
        return {"good": _("In order"), "missing": _("Missing")}.get(self.state, _("Look"))


def gates(of: Record, drug: str) -> list[Gate]:
    """What is to be known before the next infusion of the drug. No query."""
    return _ivig_gates(of) if drug == IVIG else _rituximab_gates(of)


def _ivig_gates(of: Record) -> list[Gate]:
    n = NUMBERS
    weight, risks = of.weight, of.risks_in(of.as_of, of.as_of)
    if weight is None:
        found = [Gate(_("Weight"), "missing", _("Not recorded: neither the amount nor the rate can be worked out."))]
    elif weight.usable:
        found = [Gate(_("Weight"), "good", f"{plain(weight.kg)} kg", weight.measured_on)]
    else:
        aged = _("%(kg)s kg, older than %(days)s days.") % {"kg": plain(weight.kg), "days": n.weight_days}
        found = [Gate(_("Weight"), "missing", aged, weight.measured_on)]
    cap = infusions.cap_ml_kg_min(infusions.Indication.MYOSITIS, at_risk=bool(risks))
    said = {"cap": plain(cap), "risks": ", ".join(risks)}
    if weight is not None and weight.usable:
        said["rate"] = plain(ml_per_hour(weight.kg, cap))
        at_risk = _("At risk: %(risks)s. At most %(cap)s mL/kg/min, %(rate)s mL/h.")
        no_risk = _("No risk recorded: at most %(cap)s mL/kg/min, %(rate)s mL/h.")
    else:
        at_risk = _("At risk: %(risks)s. At most %(cap)s mL/kg/min.")
        no_risk = _("No risk recorded: at most %(cap)s mL/kg/min.")
    found.append(
        Gate(_("Kidneys and thrombosis"), "wrong" if risks else "good", (at_risk if risks else no_risk) % said)
    )
    known = of.before_ivig
    renal = [(of.newest[code], code) for code in RENAL if code in of.newest]
    if not renal:
        found.append(Gate(_("Creatinine"), "missing", _("Not recorded.")))
    else:
        (on, value), code = max(renal)
        text = f"{plain(value)} µmol/L" if code == "creatinine" else f"{plain(value)} mL/min/1.73 m² (eGFR)"
        old = on < of.as_of - dt.timedelta(days=n.creatinine_days)
        late = (
            _("%(value)s: more than %(days)s days old.") % {"value": text, "days": n.creatinine_days} if old else text
        )
        found.append(Gate(_("Creatinine"), "missing" if old else "good", late, on))
    if known.iga_g_l is not None:
        low = known.iga_g_l < n.iga_below_g_l
        text = f"{plain(known.iga_g_l)} g/L"
        if low:
            text = _("%(value)s: severe deficiency, may be contraindicated.") % {"value": text}
        found.append(Gate(_("IgA"), "wrong" if low else "good", text, of.newest["iga"][0]))
    elif known.is_iga_known:
        found.append(Gate(_("IgA"), "good", _("Normal, without a number"), of.screened["iga"]))
    else:
        found.append(Gate(_("IgA"), "missing", _("Not recorded: severe deficiency has to be known.")))
    if of.hepatitis_on:
        found.append(Gate(_("Hepatitis serology"), "good", _("Recorded, a marker is positive since"), of.hepatitis_on))
    elif of.is_hepatitis_negative:
        found.append(Gate(_("Hepatitis serology"), "good", _("Hepatitis B negative")))
    else:
        text = _("Hepatitis B not recorded. After immunoglobulin it may show donors' antibodies for %(days)s days.") % {
            "days": n.serology_days
        }
        found.append(Gate(_("Hepatitis serology"), "missing", text))
    return found


def _rituximab_gates(of: Record) -> list[Gate]:
    n, known = NUMBERS, of.before_rituximab
    if known.igg_on is None:
        found = [Gate(_("IgG"), "missing", _("Not recorded. It is wanted before every infusion."))]
    elif known.igg_g_l is not None and known.igg_g_l < n.igg_low_g_l:
        very = known.igg_g_l < n.igg_very_low_g_l
        values = {"value": plain(known.igg_g_l), "limit": plain(n.igg_very_low_g_l if very else n.igg_low_g_l)}
        if very:
            said = _("%(value)s g/L, below %(limit)s g/L: not without an immunologist.") % values
        else:
            said = _("%(value)s g/L, below %(limit)s g/L: discuss first.") % values
        found = [Gate(_("IgG"), "wrong", said, known.igg_on)]
    else:
        text = f"{plain(known.igg_g_l)} g/L" if known.igg_g_l is not None else _("Normal, or measured long ago")
        old = known.igg_on < of.as_of - dt.timedelta(days=n.igg_days)
        late = _("%(value)s: more than %(days)s days old.") % {"value": text, "days": n.igg_days} if old else text
        found = [Gate(_("IgG"), "missing" if old else "good", late, known.igg_on)]
    if known.hepatitis_b == "positive":
        text = _("Positive, and no note on prophylaxis.")
        if of.hepatitis_note:
            text = _("Positive. Noted: %(note)s") % {"note": of.hepatitis_note}
        given = [row.given_on for row in of.rows if row.course.drug == IVIG]
        if of.hepatitis_on and infusions.passive_from(of.hepatitis_on, given):
            text = _("%(positive)s Immunoglobulin had been given: it may be a donor's antibody.") % {"positive": text}
        found.append(Gate(_("Hepatitis B"), "good" if of.hepatitis_note else "wrong", text, of.hepatitis_on))
    elif known.hepatitis_b:
        found.append(Gate(_("Hepatitis B"), "good", _("HBsAg and anti-HBc negative")))
    else:
        found.append(Gate(_("Hepatitis B"), "missing", _("HBsAg and anti-HBc are not both recorded as negative.")))
    groups = _groups(of.rows, RITUXIMAB, None)
    if groups and len(groups[-1].by_day) > 1:
        again = infusions.repeat_from(groups[-1])
        text = _("A cycle is not repeated within %(weeks)s weeks; from") % {"weeks": n.repeat_days // 7}
        found.append(Gate(_("Interval"), "good" if again <= of.as_of else "wrong", text, again))
    return found


# ------------------------------------------------------------------------------------------------------------ the page


@dataclass(frozen=True)
class GroupLine:
    """One course of immunoglobulin or cycle of rituximab. `cap` is the highest rate that would have been allowed."""

    group: Group
    rows: Sequence[Infusion]  # oldest first
    amount: str
    per_kg: Decimal | None
    weight_kg: Decimal | None
    since_days: int | None
    rate: Decimal | None
    cap: Decimal | None
    at_risk: bool
    remarks: Sequence[Remark]

    @property
    def apart_days(self) -> int:
        """From the first day with an infusion to the last; 0 where there is one."""
        return self.group.span_days - 1

    @property
    def reactions(self) -> list[Infusion]:
        return [
            row for row in self.rows if row.reaction not in (Infusion.Reaction.NONE, Infusion.Reaction.NOT_RECORDED)
        ]

    @property
    def unrecorded(self) -> int:
        """Infusions whose reaction nobody wrote down."""
        return sum(row.reaction == Infusion.Reaction.NOT_RECORDED for row in self.rows)


@dataclass(frozen=True)
class DrugPart:
    """Everything about one drug. `course` is the one an infusion is recorded under; None where none goes on."""

    drug: str
    name: str
    course: Course | None
    lines: Sequence[GroupLine]
    earlier: int
    due: Due | None
    repeat_from: dt.date | None
    gates: Sequence[Gate]

    @property
    def is_ivig(self) -> bool:
        return self.drug == IVIG


@dataclass(frozen=True)
class InfusionsPage:
    parts: Sequence[DrugPart]
    weight: Weight | None
    risks: Sequence[str]
    cap_ml_kg_min: Decimal
    cap_ml_per_hour: Decimal | None
    booked_for: dt.date | None
    booked_days: int
    passive_until: dt.date | None  # antibodies of donors may be found until then
    others: Sequence[tuple[Infusion, str, str]]


def _line(of: Record, drug: str, group: Group, before: Group | None, by_id: dict[int, Infusion]) -> GroupLine:
    kg = of.weight_near(group.began_on) if drug == IVIG else None
    at_risk = bool(of.risks_in(group.began_on, group.last_on))
    per_kg = group.per_kg(kg)
    cap = infusions.cap_ml_kg_min(infusions.Indication.MYOSITIS, at_risk=at_risk)
    return GroupLine(
        group=group,
        rows=[by_id[given.id] for given in group.infusions],
        amount=amount_words(drug, group.total),
        per_kg=round(Decimal(per_kg.numerator) / per_kg.denominator, 2) if per_kg is not None else None,
        weight_kg=kg,
        since_days=(group.began_on - before.began_on).days if before else None,
        rate=group.max_rate_ml_per_hour,
        cap=ml_per_hour(kg, cap) if kg else None,
        at_risk=at_risk,
        remarks=remarks(of, drug, group, before, of.as_of),
    )


def _part(of: Record, drug: str, by_id: dict[int, Infusion]) -> DrugPart | None:
    mine = [course for course in of.courses if course.drug == drug]
    if not mine:
        return None
    going = [course for course in mine if of.stops.get(course.pk, dt.date.max) >= of.as_of]
    course = going[0] if going else None
    lines = []
    for one in mine if drug == IVIG else mine[:1]:
        groups = _groups(of.rows, drug, one)
        pairs = zip(groups, [None, *groups], strict=False)
        lines += [_line(of, drug, group, before, by_id) for group, before in pairs]
    lines.sort(key=lambda line: line.group.began_on, reverse=True)
    due, again = None, None
    groups = _groups(of.rows, drug, course) if course is not None else []
    if course is not None and groups:
        due = infusions.next_due(
            drug, groups[-1], of.as_of, booked_for=of.booked_for, stopped_on=of.stops.get(course.pk),
            dosed_until=of.dosed_until.get(course.pk),
        )  # fmt: skip
        again = infusions.repeat_from(groups[-1]) if drug == RITUXIMAB and due is None else None
    return DrugPart(
        drug=drug,
        name=name_of(drug),
        course=course,
        lines=lines[:GROUPS_SHOWN],
        earlier=max(0, len(lines) - GROUPS_SHOWN),
        due=due,
        repeat_from=again,
        gates=gates(of, drug) if course is not None else [],
    )


def page(patient: Patient, as_of: dt.date) -> InfusionsPage:
    of = record(patient, as_of)
    by_id = {row.pk: row for row in of.rows}
    risks = of.risks_in(as_of, as_of)
    cap = infusions.cap_ml_kg_min(infusions.Indication.MYOSITIS, at_risk=bool(risks))
    kg = of.weight.kg if of.weight is not None and of.weight.usable else None
    last = next((row.given_on for row in of.rows if row.course.drug == IVIG), None)
    until = last + dt.timedelta(days=NUMBERS.serology_days) if last else None
    others = [row for row in of.rows if row.course.drug not in DRUGS][:GROUPS_SHOWN]
    return InfusionsPage(
        parts=[part for drug in DRUGS if (part := _part(of, drug, by_id)) is not None],
        weight=of.weight,
        risks=risks,
        cap_ml_kg_min=cap,
        cap_ml_per_hour=ml_per_hour(kg, cap) if kg is not None else None,
        booked_for=of.booked_for,
        booked_days=DUE_NUMBERS.booked_days,
        passive_until=until if until is not None and until >= as_of else None,
        others=[(row, name_of(row.course.drug), amount_words(row.course.drug, row.amount)) for row in others],
    )


# --------------------------------------------------------------------------------------------------- before recording


@dataclass(frozen=True)
class SoFar:
    """The course or cycle that an infusion of a day would belong to; `left_g` of 2 g/kg where that can be told."""

    began_on: dt.date
    days: int
    amount: str
    left_g: Decimal | None


def so_far(of: Record, course: Course, day: dt.date) -> SoFar | None:
    """None where an infusion of `day` would begin a course or cycle."""
    window = NUMBERS.course_window_days if course.drug == IVIG else NUMBERS.cycle_window_days
    for group in _groups(of.rows, course.drug, course):
        if 0 <= (day - group.began_on).days <= window:
            kg = of.weight_near(group.began_on) if course.drug == IVIG else None
            left = kg * NUMBERS.course_g_per_kg - group.total if kg is not None else None
            return SoFar(group.began_on, len(group.by_day), amount_words(course.drug, group.total), left)
    return None


def typed_remarks(of: Record, course: Course, given: Given) -> list[Remark]:
    """What would be wrong with the course or cycle once this infusion is part of it. Only what it brings itself."""
    row = Infusion(
        course=course, given_on=given.on, amount=given.amount, max_rate_ml_per_hour=given.max_rate_ml_per_hour
    )
    rows = [*of.rows, row]
    found: list[list[Remark]] = []
    for every in (of.rows, rows):
        groups = _groups(every, course.drug, course)
        at = next((nr for nr, g in enumerate(groups) if g.began_on <= given.on and given.on <= g.last_on), None)
        if at is None:
            found.append([])
            continue
        seen = remarks(of, course.drug, groups[at], groups[at - 1] if at else None, groups[at].last_on)
        found.append([remark for remark in seen if remark.reason in TYPED])
    before, after = found
    return [remark for remark in after if remark not in before]


def plan_defaults(of: Record) -> tuple[Decimal | None, Sequence[str]]:
    """The weight a plan begins with, None where none is recent enough; and what puts the patient at risk."""
    weight = of.weight
    return (weight.kg if weight is not None and weight.usable else None), of.risks_in(of.as_of, of.as_of)
