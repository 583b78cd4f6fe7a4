"""What happened, newest first: visits, doses, tests and decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from alerts.models import AlertEvent, EventKind
from clinic.selectors.patient.attention import Address
from clinic.selectors.patient.courses import CourseLine, DoseLine
from clinic.selectors.patient.visits import Visit
from clinic.selectors.patient.words import lung_words, title_of
from clinic.templatetags.days import plain, written
from common.dates import centre_day
from common.prepared import prepared
from monitoring.models import Confounder, Imaging, LungFunction
from patients.models import FollowUpStatus, Manifestation, Patient
from therapy import dosing
from therapy.formulary import FORMULARY
from therapy.models import EscalationDecision, Infusion, TaperConfirmation, TaperHold

AT_MOST = 30
_ON_TIMELINE = [kind for kind in EventKind if kind != EventKind.COMMENTED]

Entry = Callable[[str, int], str]  # (word of a kind of entry, its id): the address of its history


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `url` leads to the entry or alert it came from."""

    on: dt.date
    icon: str
    title: str
    text: str = ""
    by: str = ""
    level: str = ""
    url: str = ""


@dataclass(frozen=True)
class Happened:
    """A moment before it is told: of hundreds only the newest are. `order` tells apart those of a day."""

    on: dt.date
    told: Callable[[], dict[str, str]]
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
    limit: int = AT_MOST,
) -> list[Moment]:
    """From what the page has already read and seven queries."""

    def entry(word: str, pk: int) -> str:
        return address("clinic:fact", patient.public_id, word, pk)

    found = [
        *(_of_visit(visit, entry) for visit in seen),
        *(each for course in taken for each in _of_course(course, entry)),
        *(_of_test(test, entry) for test in tests),
        *(_of_image(image, entry) for image in images),
        *(_of_infusion(infusion, entry) for infusion in infusions),
        *_decided(patient, as_of, limit, entry),
        *_alerted(patient, limit, address),
    ]
    shown = sorted((each for each in found if each.on <= as_of), key=lambda each: (each.on, each.order), reverse=True)
    return [Moment(each.on, **each.told()) for each in shown[:limit]]


def _of_visit(visit: Visit, entry: Entry) -> Happened:
    def told() -> dict[str, str]:
        said = [
            f"MMT8 {visit.mmt8}" if visit.mmt8 else "",
            f"HAQ-DI {plain(visit.haq_di)}" if visit.haq_di is not None else "",
            _("physician VAS %(number)s cm") % {"number": plain(visit.physician_vas)}
            if visit.physician_vas is not None
            else "",
            f"TIS {visit.tis}, {visit.category}" if visit.tis else "",
        ]
        text = ", ".join(filter(None, said))
        return {"icon": "clipboard", "title": _("Assessment"), "text": text, "url": entry("assessment", visit.id)}

    return Happened(visit.day, told)


def _of_test(test: LungFunction, entry: Entry) -> Happened:
    return Happened(
        test.tested_on,
        lambda: {
            "icon": "lungs", "title": _("Lung function"), "text": lung_words(test),
            "url": entry("lung-function", test.pk),
        },
    )  # fmt: skip


def _of_image(image: Imaging, entry: Entry) -> Happened:
    return Happened(
        image.done_on,
        lambda: {
            "icon": "file", "title": image.get_modality_display(), "text": image.get_ild_display(),
            "url": entry("imaging", image.pk),
        },
    )  # fmt: skip


def _of_course(course: CourseLine, entry: Entry) -> Iterable[Happened]:
    def dosed(dose: DoseLine, first: bool) -> dict[str, str]:
        title = (_("%(drug)s started") if first else _("%(drug)s changed")) % {"drug": course.name}
        return {"icon": "pill", "title": title, "text": dose.words, "url": entry("dose", dose.id)}

    def stopped() -> dict[str, str]:
        title = _("%(drug)s stopped") % {"drug": course.name}
        return {"icon": "minus", "title": title, "text": course.why_stopped, "url": entry("course", course.id)}

    for index, dose in enumerate(course.doses):
        yield Happened(dose.starts_on, partial(dosed, dose, index == len(course.doses) - 1))
    if course.why_stopped and course.until:
        yield Happened(course.until, stopped)


def _of_infusion(infusion: Infusion, entry: Entry) -> Happened:
    def told() -> dict[str, str]:
        drug = infusion.course.drug
        amount = f"{plain(infusion.amount)} {FORMULARY[drug].unit if drug in FORMULARY else ''}".strip()
        reaction = str(infusion.get_reaction_display()).lower()
        return {
            "icon": "pill",
            "title": _("Infusion of %(drug)s") % {"drug": _(dosing.name_of(drug))},
            "text": _("%(amount)s. Reaction: %(reaction)s") % {"amount": amount, "reaction": reaction},
            "url": entry("infusion", infusion.pk),
        }

    return Happened(infusion.given_on, told)


@dataclass(frozen=True)
class _Decisions:
    """What people found and decided, of one model: on which `day`, at which page, and how it is told."""

    model: Any
    day: str
    word: str
    icon: str
    title: Callable[[Any], str]
    text: Callable[[Any], str]
    with_it: Sequence[str] = ()


def _noted(row: Manifestation) -> str:
    if row.ended_on is None:
        return row.note
    until = _("Until %(day)s.") % {"day": written(row.ended_on)}
    return f"{until} {row.note}".strip()


_DECISIONS = (
    _Decisions(Manifestation, "onset_on", "manifestation", "note", lambda row: row.get_kind_display(), _noted),
    _Decisions(FollowUpStatus, "starts_on", "follow-up", "user", lambda row: row.get_word_display(), lambda row: ""),
    _Decisions(
        Confounder, "happened_on", "confounder", "info", lambda row: row.get_kind_display(),
        lambda row: row.note or _("Can raise a creatine kinase"),
    ),
    _Decisions(
        TaperConfirmation, "confirmed_on", "taper-confirmation", "check", lambda row: _("Taper step confirmed"),
        lambda row: _("%(amount)s mg a day") % {"amount": plain(row.step.dose_pe_mg)}, ("step",),
    ),
    _Decisions(TaperHold, "starts_on", "taper-hold", "pause", lambda row: _("Taper held"), lambda row: row.reason),
    _Decisions(
        EscalationDecision, "decided_on", "decision", "check",
        lambda row: _("Second-line treatment decided: %(option)s") % {"option": row.get_option_display()},
        lambda row: row.reason,
    ),
)  # fmt: skip


def _decided(patient: Patient, as_of: dt.date, limit: int, entry: Entry) -> Iterable[Happened]:
    """Six queries."""

    def told(kind: _Decisions, row: Any) -> dict[str, str]:
        return {
            "icon": kind.icon, "title": str(kind.title(row)), "text": kind.text(row), "by": str(row.recorded_by),
            "url": entry(kind.word, row.pk),
        }  # fmt: skip

    for kind in _DECISIONS:
        for row in _newest(patient, as_of, model=kind.model, day=kind.day, with_it=kind.with_it, limit=limit):
            yield Happened(getattr(row, kind.day), partial(told, kind, row))


def _alerted(patient: Patient, limit: int, address: Address) -> Iterable[Happened]:
    """What became of alerts, and why. One query."""

    def told(event: AlertEvent) -> dict[str, str]:
        remarks = [str(event.get_reason_display()) if event.reason else "", event.text]
        return {
            "icon": "bell",
            "title": f"{title_of(event.alert.rule)}: {str(event.get_kind_display()).lower()}",
            "text": ". ".join(filter(None, remarks)),
            "by": str(event.by) if event.by else "",
            "level": event.level,
            "url": address("clinic:alert", event.alert.public_id),
        }

    zone = patient.centre.zone
    for event in _events(patient, limit=limit):
        yield Happened(centre_day(event.at, zone), partial(told, event), event.pk)


@prepared
def _events(patient: Patient, *, limit: int) -> QuerySet[AlertEvent]:
    found = AlertEvent.objects.filter(alert__patient=patient, kind__in=_ON_TIMELINE)
    return found.select_related("alert", "by").defer("alert__evidence").order_by("-at", "-id")[:limit]


@prepared
def _newest(
    patient: Patient, as_of: dt.date, *, model: Any, day: str, with_it: Sequence[str], limit: int
) -> QuerySet[Any]:
    rows = model.objects.current().filter(patient=patient, **{f"{day}__lte": as_of})
    found: QuerySet[Any] = rows.select_related("recorded_by", *with_it).order_by(f"-{day}", "-id")[:limit]
    return found
