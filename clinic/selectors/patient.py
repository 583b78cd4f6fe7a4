"""What the page of one patient shows. A bounded number of queries and rows, however long the history."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet

from alerts.models import Alert, AlertEvent, EventKind, NotEvaluable, State, Upcoming
from audit.models import Entry
from common.dates import centre_day, in_force
from monitoring import lab_schedule
from monitoring import selectors as monitoring
from monitoring.analytes import ANALYTES
from monitoring.entry import plain
from monitoring.lab_schedule import DueTest
from monitoring.levels import Level
from monitoring.models import BodySize, Booking, Comparator, Confounder, Imaging, LungFunction, PersonalBaseline
from monitoring.rules import RULES
from monitoring.scores.tis import Measure
from monitoring.story import AlertMark, CkPoint, Story
from patients import selectors as patients
from patients.models import AntibodyResult, Consent, FollowUpStatus, Manifestation, Patient
from therapy import dosing
from therapy import selectors as therapy
from therapy.formulary import FORMULARY, Every, Per
from therapy.models import EscalationDecision, Infusion, TaperConfirmation, TaperHold
from therapy.prednisone_equivalent import as_decimal

CHART_ALERTS = 150
ON_PAGE = 12  # rows of a table on the page; the rest stands on pages of its own
TIMELINE = 30

Address = Callable[..., str]  # (name of a page, its arguments): its address, empty where there is no such page


# ------------------------------------------------------------------------------------------------------------- header


@dataclass(frozen=True)
class NowLine:
    """A drug as it is taken today. `per_kg` is said only of drugs dosed by weight a day: 0.2 mg/kg a day of a weekly
    drug would be read as a daily dose.
    """

    line: therapy.TreatmentLine
    per_kg: str


@dataclass(frozen=True)
class Top:
    """The head of the page. `weight` is the newest ever; `per_kg_known` says whether it is recent enough for a dose."""

    header: patients.Header
    consents: Sequence[Consent]
    weight: BodySize | None
    per_kg_known: bool
    lines: Sequence[NowLine]
    pe_mg: Decimal
    antibodies_tested: int
    bookings: Sequence[Booking]
    baselines: Sequence[PersonalBaseline]

    @property
    def next_booked(self) -> Booking | None:
        return self.bookings[0] if self.bookings else None


def top(patient: Patient, as_of: dt.date) -> Top:
    """Ten queries."""
    sizes = BodySize.objects.current().filter(patient=patient, weight_kg__isnull=False, measured_on__lte=as_of)
    weight = sizes.order_by("-measured_on", "-id").first()
    recent = weight is not None and (as_of - weight.measured_on).days <= monitoring.WEIGHT_HOLDS_DAYS
    rows = therapy.dose_rows(patient, as_of)
    bookings = Booking.objects.current().filter(patient=patient, booked_for__gte=as_of).order_by("booked_for", "id")
    own = PersonalBaseline.objects.current().filter(patient=patient, set_on__lte=as_of)
    return Top(
        header=monitoring.header(patient, as_of),
        consents=list(patients.consents_on(patient, as_of).values()),
        weight=weight,
        per_kg_known=recent,
        lines=[
            NowLine(line, _per_kg(line))
            for line in therapy.treatment_lines(
                rows, as_of, weight.weight_kg if weight is not None and recent else None
            )
        ],
        pe_mg=as_decimal(dosing.pe_on(rows, as_of)),
        antibodies_tested=AntibodyResult.objects.current()
        .filter(patient=patient, taken_on__lte=as_of)
        .aggregate(n=Count("antibody", distinct=True))["n"],
        bookings=list(bookings[:6]),
        baselines=list(own.order_by("analyte", "-set_on", "-id").distinct("analyte")),
    )


def _per_kg(line: therapy.TreatmentLine) -> str:
    drug = FORMULARY.get(line.drug)
    by_weight = drug is not None and any(r.per is Per.KG and r.every is Every.DAY for r in drug.ranges)
    return f"{plain(line.per_kg)} {line.unit}/kg a day" if line.per_kg is not None and by_weight else ""


# ------------------------------------------------------------------------------------------------------------- alerts


@dataclass(frozen=True)
class AlertLine:
    alert: Alert
    title: str
    reason: str
    url: str
    acknowledge_url: str = ""

    @property
    def is_open(self) -> bool:
        return self.alert.state == State.OPEN


@dataclass(frozen=True)
class ComingUp:
    title: str
    reason: str
    due_on: dt.date


@dataclass(frozen=True)
class Unjudged:
    title: str
    missing: Sequence[str]


def title_of(rule: str) -> str:
    return RULES[rule].title if rule in RULES else rule


def reason_of(rule: str, evidence: dict[str, Any]) -> str:
    """The finding in a sentence; empty where an older version kept other evidence than today's words ask for."""
    if rule not in RULES or not evidence.get("reasons"):
        return ""
    try:
        return RULES[rule].sentence(evidence)
    except (KeyError, AttributeError):
        return ""


def open_alerts(patient: Patient, address: Address) -> list[AlertLine]:
    """Not closed, worst first, those for information last. One query."""
    found = Alert.objects.filter(patient=patient, closed_at__isnull=True)
    lines = [
        AlertLine(
            alert,
            title_of(alert.rule),
            reason_of(alert.rule, alert.evidence),
            address("clinic:alert", alert.public_id),
            address("clinic:alert-acknowledge", alert.public_id),
        )
        for alert in found
    ]
    return sorted(lines, key=lambda line: (Level(line.alert.level).rank, not line.is_open, line.alert.opened_at))


def coming_up(patient: Patient) -> list[ComingUp]:
    rows = Upcoming.objects.filter(patient=patient).order_by("due_on", "rule", "id")[:ON_PAGE]
    return [ComingUp(title_of(row.rule), reason_of(row.rule, row.evidence), row.due_on) for row in rows]


def unjudged(patient: Patient) -> list[Unjudged]:
    rows = NotEvaluable.objects.filter(patient=patient).order_by("rule", "id")[:ON_PAGE]
    return [Unjudged(title_of(row.rule), row.missing) for row in rows]


def _alerts_of(patient: Patient) -> QuerySet[Alert]:
    return Alert.objects.filter(patient=patient).order_by("-opened_at")[:CHART_ALERTS]


def story(patient: Patient, as_of: dt.date, address: Address | None = None) -> Story:
    """The chart. `address` None leaves the links out: on paper they lead nowhere."""
    zone = patient.centre.zone
    marks = [
        AlertMark(
            day=min(alert.as_of, as_of),
            level=alert.level,
            title=title_of(alert.rule),
            url=address("clinic:alert", alert.public_id) if address else "",
            closed_on=centre_day(alert.closed_at, zone) if alert.closed_at else None,
        )
        for alert in _alerts_of(patient)
    ]
    return monitoring.story(patient, as_of, alerts=marks)


# ------------------------------------------------------------------------------------------------------------ results


@dataclass(frozen=True)
class GridCell:
    """`text` is the value in the canonical unit (or its multiple of the ULN); `flag` H or L, with its word."""

    id: int
    text: str
    flag: str = ""
    title: str = ""
    amended: bool = False
    more: int = 0

    @property
    def flag_word(self) -> str:
        return {"H": "above the upper limit", "L": "below the lower limit"}.get(self.flag, "")


@dataclass(frozen=True)
class GridLine:
    code: str
    name: str
    unit: str
    panel: str
    cells: Sequence[GridCell | None]
    newest: GridCell | None = None


@dataclass(frozen=True)
class ResultsGrid:
    days: Sequence[dt.date]
    panels: Sequence[tuple[str, Sequence[GridLine]]]
    older: dt.date | None
    times_uln: bool

    @property
    def columns(self) -> int:
        return len(self.days) + 1


PANEL_NAMES = {
    "muscle": "Muscle enzymes", "cardiac": "Heart", "liver": "Liver", "renal": "Kidney", "blood": "Blood count",
    "inflammation": "Inflammation", "lung": "Lung function", "function": "Function", "imaging": "Imaging",
}  # fmt: skip


def unit_words(ucum: str | None) -> str:
    """A UCUM unit as a person writes it: ×10⁹/L, µmol/L."""
    text = re.sub(r"\{score\}|\{ratio\}|^1$", "", ucum or "")
    text = re.sub(r"10\*(\d+)", lambda m: "×10" + m[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")), text)
    text = (
        text.replace("{1.73_m2}", "1.73 m²").replace("kg/m2", "kg/m²").replace("[IU]", "IU").replace("mm[Hg]", "mmHg")
    )
    return re.sub(r"(?<![A-Za-z])u(?=[A-Za-z])", "µ", re.sub(r"[{}\[\]]", "", text))


def results(
    patient: Patient, as_of: dt.date, *, days: int, before: dt.date | None = None, times_uln: bool = False
) -> ResultsGrid:
    """Tests by days, newest day first. Two queries."""
    grid = monitoring.results_grid(patient, as_of, days=days, before=before)
    panels: dict[str, list[GridLine]] = {}
    for row in grid.rows:
        cells = [None if cell is None else _cell(row.code, cell, times_uln) for cell in row.cells]
        line = GridLine(row.code, row.name, unit_words(row.unit), row.panel, cells)
        panels.setdefault(PANEL_NAMES.get(row.panel, row.panel.replace("_", " ").capitalize()), []).append(line)
    return ResultsGrid(grid.days, list(panels.items()), grid.older, times_uln)


def _cell(code: str, cell: monitoring.Cell, times_uln: bool) -> GridCell:
    decimals = ANALYTES[code].decimals
    sign = Comparator(cell.comparator).label if cell.comparator else ""
    text = cell.received if cell.value is None else f"{sign}{plain(round(cell.value, decimals))}"
    limits = [plain(limit) if limit is not None else "" for limit in (cell.low, cell.uln)]
    title = f"Normal {limits[0]}–{limits[1]}. " if any(limits) else "Limits unknown. "
    if times_uln:
        known = cell.value is not None and cell.uln
        text = (
            f"{sign}{plain(round(cell.value / cell.uln, 2))}" if known and cell.value is not None and cell.uln else "?"
        )
    title += f"As received: {cell.received} {cell.unit}".strip()
    return GridCell(cell.id, text, "H" if cell.high else "L" if cell.is_low else "", title, cell.amended, cell.more)


# ------------------------------------------------------------------------------------------------------- core measures

MEASURES = {
    Measure.PHYSICIAN_VAS: "physician VAS",
    Measure.PATIENT_VAS: "patient VAS",
    Measure.MMT: "strength",
    Measure.HAQ_DI: "HAQ-DI",
    Measure.ENZYME: "muscle enzyme",
    Measure.EXTRAMUSCULAR_VAS: "extramuscular VAS",
}


@dataclass(frozen=True)
class Visit:
    """One assessment in words. `tis` is a number, or the span it must lie in while a measure is missing."""

    id: int
    day: dt.date
    physician_vas: Decimal | None
    patient_vas: Decimal | None
    extramuscular_vas: Decimal | None
    haq_di: Decimal | None
    mmt8: str
    enzyme: str
    tis: str
    category: str
    missing: Sequence[str]
    worse: Sequence[str]
    is_baseline: bool


def visits(patient: Patient, as_of: dt.date, limit: int = ON_PAGE) -> list[Visit]:
    return [_visit(view) for view in monitoring.core_sets(patient, as_of, limit=limit)]


def _visit(view: monitoring.CoreSetView) -> Visit:
    a, score, enzyme = view.assessment, view.tis, view.core.enzyme
    mmt8 = f"{a.mmt8_150}/150" if a.mmt8_150 is not None else f"{a.mmt8_80}/80" if a.mmt8_80 is not None else ""
    times = enzyme.times_uln if enzyme else None
    text, category = "", ""
    if score is not None:
        text = plain(score.lowest) if not score.partial else f"{plain(score.lowest)} to {plain(score.highest)}"
        category = f"{score.category.value} response" if score.category else "cannot be told"
        category = category.replace("none response", "no response")
    return Visit(
        id=a.pk,
        day=a.assessed_on,
        physician_vas=a.physician_vas,
        patient_vas=a.patient_vas,
        extramuscular_vas=a.extramuscular_vas,
        haq_di=a.haq_di,
        mmt8=mmt8,
        enzyme=f"{enzyme.name.upper()} {plain(round(Decimal(times.numerator) / times.denominator, 2))} × ULN"
        if enzyme and times is not None
        else "",
        tis=text,
        category=category,
        missing=[MEASURES[m] for m in (score.missing if score else view.missing)],
        worse=[MEASURES[m] for m in (score.worsening if score else ())],
        is_baseline=view.is_baseline,
    )


# ---------------------------------------------------------------------------------------------------------- treatment


@dataclass(frozen=True)
class DoseLine:
    id: int
    starts_on: dt.date
    ends_on: dt.date | None
    words: str

    def in_force(self, day: dt.date) -> bool:
        return in_force(day, self.starts_on, self.ends_on)


@dataclass(frozen=True)
class CourseLine:
    """One course: the dose in force (else the newest) in words, and all doses, newest first."""

    id: int
    name: str
    route: str
    dose: str
    since: dt.date | None
    until: dt.date | None
    why_stopped: str
    doses: Sequence[DoseLine]

    def is_current(self, day: dt.date) -> bool:
        return self.until is None or self.until >= day


def courses(patient: Patient, as_of: dt.date, infusions: Sequence[Infusion]) -> list[CourseLine]:
    """Three queries. `infusions` are those of the patient, newest first: what a course without doses consists of."""
    lines = []
    given: dict[int, list[Infusion]] = {}
    for infusion in infusions:
        given.setdefault(infusion.course_id, []).append(infusion)
    for view in therapy.courses(patient):
        drug = FORMULARY.get(view.course.drug)
        doses = [
            DoseLine(
                dose.pk,
                dose.starts_on,
                dose.ends_on,
                dosing.in_words(drug, dose.amount, dose.times, dose.every_days) if drug else plain(dose.amount),
            )
            for dose in view.doses
        ]
        taken = [dose for dose in doses if dose.in_force(as_of)] or doses  # one that lies ahead is not taken yet
        infused = given.get(view.course.pk, [])
        words = taken[-1].words if taken else ""
        if infused and not doses:
            amount = f"{plain(infused[0].amount)} {drug.unit if drug else ''}".strip()
            words = f"{amount} on {_day(infused[0].given_on)}"
        since = view.starts_on or (infused[-1].given_on if infused else None)
        until = view.stop.stopped_on if view.stop else doses[-1].ends_on if doses else None
        why = view.stop.get_reason_display() if view.stop else ""
        if view.stop and view.stop.note:
            why = f"{why}: {view.stop.note}"
        lines.append(
            CourseLine(
                view.course.pk, view.name, view.course.get_route_display(), words, since, until, why, doses[::-1],
            )
        )  # fmt: skip
    return lines


# ----------------------------------------------------------------------------------------------------------- timeline


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `url` leads to the entry or alert it came from; `order` tells apart those of a day."""

    on: dt.date
    icon: str
    title: str
    text: str = ""
    by: str = ""
    level: str = ""
    url: str = ""
    order: int = 0


def timeline(
    patient: Patient,
    as_of: dt.date,
    address: Address,
    *,
    seen: Sequence[Visit],
    taken: Sequence[CourseLine],
    tests: Sequence[LungFunction],
    images: Sequence[Imaging],
    infusions: Sequence[Infusion],
    limit: int = TIMELINE,
) -> list[Moment]:
    """Visits, doses, tests and decisions, newest first; from what the page has already read and seven queries."""
    zone = patient.centre.zone

    def entry(word: str, pk: int) -> str:
        return address("clinic:fact", patient.public_id, word, pk)

    found: list[Moment] = []
    for visit in seen:
        said = [
            f"MMT8 {visit.mmt8}" if visit.mmt8 else "",
            f"HAQ-DI {plain(visit.haq_di)}" if visit.haq_di is not None else "",
            f"physician VAS {plain(visit.physician_vas)} cm" if visit.physician_vas is not None else "",
            f"TIS {visit.tis}, {visit.category}" if visit.tis else "",
        ]
        found.append(
            Moment(
                visit.day, "clipboard", "Assessment", ", ".join(filter(None, said)), url=entry("assessment", visit.id)
            )
        )
    for course in taken:
        for index, dose in enumerate(course.doses):
            verb = "started" if index == len(course.doses) - 1 else "changed"
            found.append(
                Moment(dose.starts_on, "pill", f"{course.name} {verb}", dose.words, url=entry("dose", dose.id))
            )
        if course.why_stopped and course.until:
            found.append(
                Moment(
                    course.until, "minus", f"{course.name} stopped", course.why_stopped, url=entry("course", course.id)
                )
            )
    for test in tests:
        found.append(
            Moment(test.tested_on, "lungs", "Lung function", lung_words(test), url=entry("lung-function", test.pk))
        )
    for image in images:
        found.append(
            Moment(
                image.done_on, "file", image.get_modality_display(), image.get_ild_display(),
                url=entry("imaging", image.pk),
            )
        )  # fmt: skip
    for infusion in infusions:
        unit = FORMULARY[infusion.course.drug].unit if infusion.course.drug in FORMULARY else ""
        text = f"{plain(infusion.amount)} {unit}. Reaction: {infusion.get_reaction_display().lower()}"
        title = f"Infusion of {dosing.name_of(infusion.course.drug)}"
        found.append(Moment(infusion.given_on, "pill", title, text, url=entry("infusion", infusion.pk)))
    for row in _newest(Manifestation, patient, as_of, "onset_on", limit):
        text = row.note if row.ended_on is None else f"Until {_day(row.ended_on)}. {row.note}".strip()
        found.append(
            Moment(
                row.onset_on,
                "note",
                row.get_kind_display(),
                text,
                str(row.recorded_by),
                url=entry("manifestation", row.pk),
            )
        )
    for row in _newest(FollowUpStatus, patient, as_of, "starts_on", limit):
        found.append(
            Moment(
                row.starts_on, "user", row.get_word_display(), "", str(row.recorded_by), url=entry("follow-up", row.pk)
            )
        )
    for row in _newest(Confounder, patient, as_of, "happened_on", limit):
        found.append(
            Moment(
                row.happened_on, "info", row.get_kind_display(), row.note or "Can raise a creatine kinase",
                str(row.recorded_by), url=entry("confounder", row.pk),
            )
        )  # fmt: skip
    confirmed = TaperConfirmation.objects.current().filter(patient=patient, confirmed_on__lte=as_of)
    for row in confirmed.select_related("recorded_by", "step").order_by("-confirmed_on", "-id")[:limit]:
        found.append(
            Moment(
                row.confirmed_on, "check", "Taper step confirmed", f"{plain(row.step.dose_pe_mg)} mg a day",
                str(row.recorded_by), url=entry("taper-confirmation", row.pk),
            )
        )  # fmt: skip
    for row in _newest(TaperHold, patient, as_of, "starts_on", limit):
        found.append(
            Moment(
                row.starts_on, "pause", "Taper held", row.reason, str(row.recorded_by), url=entry("taper-hold", row.pk)
            )
        )
    for row in _newest(EscalationDecision, patient, as_of, "decided_on", limit):
        title = f"Second-line treatment decided: {row.get_option_display()}"
        found.append(
            Moment(row.decided_on, "check", title, row.reason, str(row.recorded_by), url=entry("decision", row.pk))
        )
    events = AlertEvent.objects.filter(alert__patient=patient, kind__in=_ON_TIMELINE)
    for event in events.select_related("alert", "by").order_by("-at", "-id")[:limit]:
        remarks = [event.get_reason_display() if event.reason else "", event.text]
        found.append(
            Moment(
                centre_day(event.at, zone),
                "bell",
                f"{title_of(event.alert.rule)}: {event.get_kind_display().lower()}",
                ". ".join(filter(None, remarks)),
                str(event.by) if event.by else "",
                event.level,
                address("clinic:alert", event.alert.public_id),
                order=event.pk,
            )
        )
    found = [moment for moment in found if moment.on <= as_of]
    return sorted(found, key=lambda moment: (moment.on, moment.order), reverse=True)[:limit]


_ON_TIMELINE = [kind for kind in EventKind if kind != EventKind.COMMENTED]


def _newest(model: Any, patient: Patient, as_of: dt.date, day: str, limit: int) -> Iterable[Any]:
    rows = model.objects.current().filter(patient=patient, **{f"{day}__lte": as_of})
    return rows.select_related("recorded_by").order_by(f"-{day}", "-id")[:limit]


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def lung_words(test: LungFunction) -> str:
    parts = [
        f"FVC {plain(test.fvc_percent_predicted)} %" if test.fvc_percent_predicted is not None else "",
        f"{plain(test.fvc_l)} L" if test.fvc_l is not None else "",
        f"DLCO {plain(test.dlco_percent_predicted)} %" if test.dlco_percent_predicted is not None else "",
    ]
    return ", ".join(filter(None, parts))


# ----------------------------------------------------------------------------------------------------------- the page


@dataclass(frozen=True)
class Physio:
    plan: Any
    sessions: Sequence[therapy.SessionView]
    declined: Any


def physio(patient: Patient, as_of: dt.date) -> Physio:
    """The newest plan in force with its newest sessions; else whether the patient declined. Three queries at most."""
    plan = therapy.active_physio_plans(patient, as_of).first()
    if plan is not None:
        return Physio(plan, therapy.sessions(plan, 8), None)
    return Physio(None, (), therapy.decline_on(patient, as_of))


@dataclass(frozen=True)
class PatientPage:
    patient: Patient
    as_of: dt.date
    top: Top
    alerts: Sequence[AlertLine]
    coming_up: Sequence[ComingUp]
    unjudged: Sequence[Unjudged]
    tests_due: Sequence[DueTest]
    story: Story
    results: ResultsGrid
    visits: Sequence[Visit]
    courses: Sequence[CourseLine]
    lung: Sequence[LungFunction]
    imaging: Sequence[Imaging]
    physio: Physio
    timeline: Sequence[Moment]
    changed: Entry | None = field(default=None)

    @property
    def needs_attention(self) -> list[AlertLine]:
        return [line for line in self.alerts if line.alert.level != Level.INFO]

    @property
    def for_information(self) -> list[AlertLine]:
        return [line for line in self.alerts if line.alert.level == Level.INFO]

    @property
    def latest_ck(self) -> CkPoint | None:
        return self.story.ck[-1] if self.story.ck else None

    @property
    def latest_strength(self) -> Visit | None:
        return next((visit for visit in self.visits if visit.mmt8), None)

    @property
    def latest_tis(self) -> Visit | None:
        return next((visit for visit in self.visits if visit.tis), None)

    @property
    def latest_fvc(self) -> LungFunction | None:
        return next((test for test in self.lung if test.fvc_percent_predicted is not None), None)

    @property
    def current_courses(self) -> list[CourseLine]:
        return [course for course in self.courses if course.is_current(self.as_of)]

    @property
    def past_courses(self) -> list[CourseLine]:
        return [course for course in self.courses if not course.is_current(self.as_of)]


def page(patient: Patient, as_of: dt.date, address: Address, *, days: int = 6) -> PatientPage:
    """Everything at once."""
    infusions = therapy.infusions(patient, as_of)
    seen, taken = visits(patient, as_of), courses(patient, as_of, infusions)
    tests = list(monitoring.lung_function(patient, as_of, ON_PAGE))
    images = list(
        Imaging.objects.current().filter(patient=patient, done_on__lte=as_of).order_by("-done_on", "-id")[:ON_PAGE]
    )
    return PatientPage(
        patient=patient,
        as_of=as_of,
        top=top(patient, as_of),
        alerts=open_alerts(patient, address),
        coming_up=coming_up(patient),
        unjudged=unjudged(patient),
        tests_due=lab_schedule.due_of(patient.centre, patient.pk, as_of),
        story=story(patient, as_of, address),
        results=results(patient, as_of, days=days),
        visits=seen,
        courses=taken,
        lung=tests,
        imaging=images,
        physio=physio(patient, as_of),
        timeline=timeline(
            patient, as_of, address, seen=seen, taken=taken, tests=tests, images=images, infusions=infusions
        ),
        changed=Entry.objects.filter(patient=patient).select_related("by").order_by("-at", "-id").first(),
    )
