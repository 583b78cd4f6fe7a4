"""What the treatment pages show: courses with their doses, and what is said beside a dose while it is typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _

from clinic.selectors import lines as of_lines
from clinic.selectors.lines import LinesPage
from clinic.templatetags.days import plain, written
from common.words import N_
from monitoring.models import BodySize, Imaging, Screening
from monitoring.rules import RULES, first_dose
from monitoring.selectors import WEIGHT_HOLDS_DAYS
from patients.antibodies import POSITIVE_RESULTS
from patients.models import AntibodyResult, Manifestation, Patient
from therapy import dosing
from therapy import selectors as therapy
from therapy.dosing import DoseRow
from therapy.formulary import (
    CHECKS,
    FORMULARY,
    STATINS,
    Clash,
    DoseRange,
    Drug,
    Every,
    Per,
    PeriodRefusedError,
    Phase,
    Severity,
    amount_in_range_terms,
    check_period,
    clashes,
    dose_per_day,
)
from therapy.models import Course, CourseStop, Dose, Infusion, Route
from therapy.prednisone_equivalent import SYSTEMIC_ROUTES, as_decimal, prednisone_equivalent

INFUSED = frozenset({Route.INTRAVENOUS, Route.EXTRACORPOREAL})


@dataclass(frozen=True)
class Weight:
    """The newest weight of a day. `usable` says whether it is recent enough for doses per kg."""

    kg: Decimal
    measured_on: dt.date
    usable: bool


def weight(patient: Patient, as_of: dt.date) -> Weight | None:
    """One query."""
    sizes = BodySize.objects.current().filter(patient=patient, weight_kg__isnull=False, measured_on__lte=as_of)
    row = sizes.order_by("-measured_on", "-id").values_list("weight_kg", "measured_on").first()
    if row is None or row[0] is None:
        return None
    return Weight(row[0], row[1], (as_of - row[1]).days <= WEIGHT_HOLDS_DAYS)


def per_kg_words(per_kg: Decimal, unit: str, found: Weight) -> str:
    """ "0.18 mg/kg a day at 68.5 kg of 26 May 2025": by which weight, and of which day."""
    return _("%(amount)s %(unit)s/kg a day at %(kg)s kg of %(day)s") % {
        "amount": plain(per_kg), "unit": unit, "kg": plain(found.kg), "day": written(found.measured_on),
    }  # fmt: skip


def usable_kg(found: Weight | None) -> Decimal | None:
    return found.kg if found is not None and found.usable else None


# ---------------------------------------------------------------------------------------------------------- dose help


@dataclass(frozen=True)
class RangeLine:
    """A usual range in words. `verdict`: inside, below, above, or empty where the dose cannot be compared with it."""

    phase: str
    words: str
    at_weight: str
    note: str
    verdict: str


@dataclass(frozen=True)
class CheckLine:
    """A check before the first dose, in words; `unsure` is what has to be known to tell whether it is needed."""

    name: str
    is_missing: bool
    is_unsure: bool
    done_on: dt.date | None
    said: str


@dataclass(frozen=True)
class Around:
    """What matters to a drug in this patient, whatever the dose: what it needs first, what it meets, what is against.

    `is_first`: it is not taken yet, and `needed`, `advised` and `to_ask` (what this record does not keep) are told.
    """

    is_first: bool
    needed: Sequence[CheckLine] = ()
    advised: Sequence[CheckLine] = ()
    to_ask: Sequence[str] = ()
    clashes: Sequence[Clash] = ()
    against: Sequence[str] = ()

    @property
    def is_missing_something(self) -> bool:
        return any(line.is_missing or line.is_unsure for line in self.needed)


NOWHERE = Around(is_first=False)


def around(patient: Patient, drug: Drug, route: str, starts_on: dt.date, today: dt.date) -> Around:
    """Two queries, and one or two where the drug has something to be against it."""
    rows = therapy.dose_rows(patient)
    taken = {row.drug for row in rows if row.starts_on > today or row.in_force(today)}
    met = clashes(drug, taken)
    against = _against(patient, drug, today)
    if drug.code in taken or route not in SYSTEMIC_ROUTES:
        return Around(is_first=False, clashes=met, against=against)
    parameters = RULES["pre-treatment-checks"].parameters
    lines = [(row.is_needed, _check_line(row)) for row in first_dose.checks(
        patient.pk, drug.code, starts_on, today, parameters
    )]  # fmt: skip
    return Around(
        is_first=True,
        needed=[line for is_needed, line in lines if is_needed],
        advised=[line for is_needed, line in lines if not is_needed],
        to_ask=[_(CHECKS[code].name) for code in drug.advised if not CHECKS[code].is_recorded_here],
        clashes=met,
        against=against,
    )


def _check_line(row: first_dose.FirstCheck) -> CheckLine:
    """Answers in words are told; numbers have their own page."""
    said = row.said or ""
    words = [str(Screening.Outcome(w).label) if w in Screening.Outcome.values else _(w) for w in said.split(", ")]
    is_word = not any(character.isdigit() for character in said)
    return CheckLine(
        name=_(row.name),
        is_missing=row.is_known is False,
        is_unsure=row.is_known is None,
        done_on=row.done_on if row.is_known else None,
        said=", ".join(words) if row.is_known and is_word else "",
    )


def _against(patient: Patient, drug: Drug, today: dt.date) -> list[str]:
    if drug.code in STATINS:
        found = AntibodyResult.objects.current().filter(
            patient=patient, antibody="hmgcr", result__in=POSITIVE_RESULTS, taken_on__lte=today
        )
        return [_("Anti-HMGCR is positive: statins are not given again.")] if found.exists() else []
    if drug.code == "methotrexate":
        known = Manifestation.objects.current().filter(patient=patient, kind="ild", onset_on__lte=today).exists()
        seen = known or Imaging.objects.current().filter(
            patient=patient, modality="hrct", ild=Imaging.Ild.PRESENT, done_on__lte=today
        ).exists()  # fmt: skip
        said = _("Interstitial lung disease is known: methotrexate is not recommended first for it.")
        return [said] if seen else []
    return []


@dataclass(frozen=True)
class DoseHelp:
    """What is known of a dose as typed. `words` is empty until there is an amount; `refusal` is why it cannot be saved,
    `outside` why a reason will be asked for.
    """

    drug: Drug
    words: str
    per_kg: str
    pe: str
    refusal: str
    outside: str
    ranges: Sequence[RangeLine]
    weight: Weight | None
    around: Around = NOWHERE

    @property
    def needs_weight(self) -> bool:
        return any(row.per is Per.KG for row in self.drug.ranges)


_PHASES = {Phase.START: N_("Start"), Phase.TARGET: N_("Target"), Phase.PULSE: N_("Pulse")}
_EVERY = {
    Every.DAY: N_("%(span)s a day"), Every.WEEK: N_("%(span)s a week"), Every.FOUR_WEEKS: N_("%(span)s in 4 weeks"),
    Every.DOSE: N_("%(span)s each time"), Every.COURSE: N_("%(span)s a course"),
}  # fmt: skip


def _unit(drug: Drug) -> str:
    return _("exchanges") if drug.unit == "{exchange}" else drug.unit


def _span(low: Decimal, high: Decimal | None, unit: str) -> str:
    said = {"low": plain(low), "high": plain(high), "unit": unit}
    if high is None:
        return _("%(low)s or more %(unit)s") % said
    if low == high:
        return f"{plain(low)} {unit}"
    return (_("%(low)s to %(high)s %(unit)s") if low else _("up to %(high)s %(unit)s")) % said


def _range_line(drug: Drug, row: DoseRange, value: Fraction | None, kg: Decimal | None) -> RangeLine:
    words = _(_EVERY[row.every]) % {"span": _span(row.low, row.high, f"{_unit(drug)}{dosing.PER[row.per]}")}
    if row.cap is not None:
        most = {"usual": words, "most": plain(row.cap), "unit": _unit(drug)}
        words = _("%(usual)s, at most %(most)s %(unit)s a day") % most
    at_weight = ""
    if row.per is Per.KG and kg:
        low, high = (None if limit is None else round(limit * kg, 1) for limit in (row.low, row.high))
        amount = _(_EVERY[row.every]) % {"span": _span(low or Decimal(0), high, _unit(drug))}
        at_weight = _("%(amount)s at %(kg)s kg") % {"amount": amount, "kg": plain(kg)}
    verdict = ""
    if value is not None:
        above = row.highest is not None and value > Fraction(row.highest)
        verdict = "above" if above else "below" if value < Fraction(row.lowest) else "inside"
    return RangeLine(_(_PHASES[row.phase]), words, at_weight, _(row.note) if row.note else "", verdict)


def dose_help(
    drug: Drug,
    route: str,
    amount: Decimal | None,
    times: int | None,
    every_days: int | None,
    found: Weight | None,
    around: Around = NOWHERE,
) -> DoseHelp:
    """No query. What is not typed yet, or cannot be read, is None."""
    kg = usable_kg(found)
    given = None
    if amount is not None and amount > 0 and times and every_days and min(times, every_days) > 0:
        given = (amount, times, every_days)
    lines = []
    for row in drug.ranges:
        if row.routes and route not in row.routes:
            continue
        value = None
        if given is not None:
            each = given[0] * given[1] if row.every is Every.COURSE else given[0]
            value = amount_in_range_terms(row, each, given[2], given[1], weight_kg=kg)
        lines.append(_range_line(drug, row, value, kg))
    words = per_kg = pe = refusal = outside = ""
    if given is not None:
        words = dosing.in_words(drug, *given)
        a_day = dose_per_day(given[0], given[2], given[1])
        if found and kg and any(row.per is Per.KG and row.every is Every.DAY for row in drug.ranges):
            per_kg = per_kg_words(as_decimal(a_day / Fraction(kg)), drug.unit, found)
        if drug.equivalent_mg is not None and route in SYSTEMIC_ROUTES:
            factor = prednisone_equivalent(drug.code, Decimal(1))
            pe = _("%(mg)s mg a day of prednisone-equivalent") % {"mg": plain(as_decimal(a_day * factor))}
        try:
            check_period(drug, given[2], given[1])
        except PeriodRefusedError as error:
            refusal = dosing.why_refused(error)
        else:
            outside = dosing.outside_usual(drug, route, *given, weight_kg=kg) or ""
    return DoseHelp(drug, words, per_kg, pe, refusal, outside, lines, found, around)


# ------------------------------------------------------------------------------------------------------------ courses


@dataclass(frozen=True)
class DoseLine:
    id: int
    starts_on: dt.date
    ends_on: dt.date | None
    words: str
    reason: str


@dataclass(frozen=True)
class CourseLine:
    """`now` is the dose in force, `next` the one that begins later; `doses` all of them, newest first."""

    course: Course
    name: str
    stop: CourseStop | None
    since: dt.date | None
    until: dt.date | None
    now: DoseLine | None
    next: DoseLine | None
    doses: Sequence[DoseLine]
    per_kg: str
    pe_mg: Decimal | None

    @property
    def is_infused(self) -> bool:
        return self.course.route in INFUSED

    @property
    def last(self) -> DoseLine | None:
        return self.doses[0] if self.doses else None

    @property
    def is_to_come(self) -> bool:
        return self.now is None and self.next is not None and self.next is self.doses[-1]


@dataclass(frozen=True)
class InfusionLine:
    infusion: Infusion
    name: str
    amount: str


@dataclass(frozen=True)
class TreatmentPage:
    current: Sequence[CourseLine]
    past: Sequence[CourseLine]
    infusions: Sequence[InfusionLine]
    weight: Weight | None
    pe_mg: Decimal
    taper: therapy.TaperView | None
    lines: LinesPage
    avoided: Sequence[tuple[str, str]]  # pairs of drugs taken together that are better not; why they are


def _dose_line(course: Course, dose: Dose) -> DoseLine:
    drug = FORMULARY.get(course.drug)
    words = dosing.in_words(drug, dose.amount, dose.times, dose.every_days) if drug else plain(dose.amount)
    return DoseLine(dose.pk, dose.starts_on, dose.ends_on, words, dose.out_of_range_reason)


def _course_line(view: therapy.CourseView, as_of: dt.date, found: Weight | None) -> CourseLine:
    course, drug = view.course, FORMULARY.get(view.course.drug)
    lines = [_dose_line(course, dose) for dose in view.doses]
    now = next((d for d in view.doses if d.starts_on <= as_of and (d.ends_on is None or d.ends_on >= as_of)), None)
    row = None
    if now is not None:
        row = DoseRow(
            now.pk, course.pk, course.drug, course.route, now.starts_on, now.ends_on, now.amount, now.times,
            now.every_days,
        )  # fmt: skip
    by_day = drug is not None and any(r.per is Per.KG and r.every is Every.DAY for r in drug.ranges)
    per_kg = dosing.per_kg(row, usable_kg(found)) if row is not None and by_day else None
    last = view.doses[-1] if view.doses else None
    return CourseLine(
        course=course,
        name=view.name,
        stop=view.stop,
        since=view.starts_on,
        until=view.stop.stopped_on if view.stop else last.ends_on if last else None,
        now=next((line for line in lines if now is not None and line.id == now.pk), None),
        next=next((line for line in lines if line.starts_on > as_of), None),
        doses=lines[::-1],
        per_kg=per_kg_words(per_kg, drug.unit, found) if per_kg is not None and drug and found else "",
        pe_mg=as_decimal(dosing.pe_on([row], as_of)) if row is not None and row.is_systemic_glucocorticoid else None,
    )


def _avoided(lines: Sequence[CourseLine]) -> list[tuple[str, str]]:
    """Each pair of drugs with a dose now or ahead that should not be given together, once: what happens, and the
    reason given for it.
    """
    taken = [line.course.drug for line in lines if line.now or line.next or line.is_infused]
    found: dict[frozenset[str], tuple[str, str]] = {}
    for code in sorted(set(taken) & set(FORMULARY)):
        for clash in clashes(FORMULARY[code], taken):
            if clash.other and clash.interaction.severity is Severity.AVOID:
                pair = frozenset((code, clash.other.code))
                why = [line.course.clash_reason for line in lines if line.course.drug in pair]
                said = dosing.clash_in_words(FORMULARY[code], clash.other, clash.interaction)
                found.setdefault(pair, (said, next(filter(None, why), "")))
    return list(found.values())


def page(patient: Patient, as_of: dt.date) -> TreatmentPage:
    """A course is of the past once it was stopped; one whose last dose ran out waits for a new dose or a stop."""
    found = weight(patient, as_of)
    lines = [_course_line(view, as_of, found) for view in therapy.courses(patient)]
    over = [line for line in lines if line.stop is not None and line.stop.stopped_on < as_of]
    infusions = [
        InfusionLine(row, dosing.name_of(row.course.drug), amount_words(row.course.drug, row.amount))
        for row in therapy.infusions(patient, as_of)
    ]
    current = [line for line in lines if line not in over]
    return TreatmentPage(
        current=current,
        past=over,
        infusions=infusions,
        weight=found,
        pe_mg=as_decimal(therapy.pe_on_day(patient, as_of)),
        taper=therapy.active_taper(patient, as_of),
        lines=of_lines.page(patient, as_of),
        avoided=_avoided(current),
    )


def amount_words(code: str, amount: Decimal) -> str:
    """ "137 g", "1 exchange"."""
    drug = FORMULARY.get(code)
    return dosing.quantity(drug, amount) if drug else plain(amount)


def course_line(patient: Patient, course: Course, as_of: dt.date) -> CourseLine | None:
    """One course as the page shows it; None where it was withdrawn."""
    found = weight(patient, as_of)
    return next(
        (_course_line(view, as_of, found) for view in therapy.courses(patient) if view.course.pk == course.pk), None
    )


def last_infusion(course: Course) -> Infusion | None:
    return Infusion.objects.current().filter(course=course).order_by("-given_on", "-id").first()
