"""What happened, newest first: visits, doses, tests and decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from alerts.models import AlertEvent, EventKind
from clinic.selectors.patient.attention import Address
from clinic.selectors.patient.courses import CourseLine
from clinic.selectors.patient.visits import Visit
from clinic.selectors.patient.words import lung_words, title_of
from clinic.templatetags.days import plain, written
from common.dates import centre_day
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
    limit: int = AT_MOST,
) -> list[Moment]:
    """From what the page has already read and seven queries."""

    def entry(word: str, pk: int) -> str:
        return address("clinic:fact", patient.public_id, word, pk)

    found = [
        *(_of_visit(visit, entry) for visit in seen),
        *(moment for course in taken for moment in _of_course(course, entry)),
        *(
            Moment(test.tested_on, "lungs", _("Lung function"), lung_words(test), url=entry("lung-function", test.pk))
            for test in tests
        ),
        *(
            Moment(
                image.done_on, "file", image.get_modality_display(), image.get_ild_display(),
                url=entry("imaging", image.pk),
            )
            for image in images
        ),
        *(_of_infusion(infusion, entry) for infusion in infusions),
        *_decided(patient, as_of, limit, entry),
        *_alerted(patient, limit, address),
    ]  # fmt: skip
    found = [moment for moment in found if moment.on <= as_of]
    return sorted(found, key=lambda moment: (moment.on, moment.order), reverse=True)[:limit]


def _of_visit(visit: Visit, entry: Entry) -> Moment:
    said = [
        f"MMT8 {visit.mmt8}" if visit.mmt8 else "",
        f"HAQ-DI {plain(visit.haq_di)}" if visit.haq_di is not None else "",
        _("physician VAS %(number)s cm") % {"number": plain(visit.physician_vas)}
        if visit.physician_vas is not None
        else "",
        f"TIS {visit.tis}, {visit.category}" if visit.tis else "",
    ]
    text = ", ".join(filter(None, said))
    return Moment(visit.day, "clipboard", _("Assessment"), text, url=entry("assessment", visit.id))


def _of_course(course: CourseLine, entry: Entry) -> Iterable[Moment]:
    for index, dose in enumerate(course.doses):
        first = index == len(course.doses) - 1
        title = (_("%(drug)s started") if first else _("%(drug)s changed")) % {"drug": course.name}
        yield Moment(dose.starts_on, "pill", title, dose.words, url=entry("dose", dose.id))
    if course.why_stopped and course.until:
        title = _("%(drug)s stopped") % {"drug": course.name}
        yield Moment(course.until, "minus", title, course.why_stopped, url=entry("course", course.id))


def _of_infusion(infusion: Infusion, entry: Entry) -> Moment:
    drug = infusion.course.drug
    amount = f"{plain(infusion.amount)} {FORMULARY[drug].unit if drug in FORMULARY else ''}".strip()
    reaction = str(infusion.get_reaction_display()).lower()
    text = _("%(amount)s. Reaction: %(reaction)s") % {"amount": amount, "reaction": reaction}
    title = _("Infusion of %(drug)s") % {"drug": _(dosing.name_of(drug))}
    return Moment(infusion.given_on, "pill", title, text, url=entry("infusion", infusion.pk))


def _decided(patient: Patient, as_of: dt.date, limit: int, entry: Entry) -> Iterable[Moment]:
    """What people found and decided. Six queries."""
    for row in _newest(Manifestation, patient, as_of, "onset_on", limit):
        text = row.note
        if row.ended_on is not None:
            text = f"{_('Until %(day)s.') % {'day': written(row.ended_on)}} {row.note}".strip()
        yield Moment(
            row.onset_on, "note", row.get_kind_display(), text, str(row.recorded_by), url=entry("manifestation", row.pk)
        )
    for row in _newest(FollowUpStatus, patient, as_of, "starts_on", limit):
        yield Moment(
            row.starts_on, "user", row.get_word_display(), "", str(row.recorded_by), url=entry("follow-up", row.pk)
        )
    for row in _newest(Confounder, patient, as_of, "happened_on", limit):
        yield Moment(
            row.happened_on, "info", row.get_kind_display(), row.note or _("Can raise a creatine kinase"),
            str(row.recorded_by), url=entry("confounder", row.pk),
        )  # fmt: skip
    confirmed = TaperConfirmation.objects.current().filter(patient=patient, confirmed_on__lte=as_of)
    for row in confirmed.select_related("recorded_by", "step").order_by("-confirmed_on", "-id")[:limit]:
        yield Moment(
            row.confirmed_on, "check", _("Taper step confirmed"),
            _("%(amount)s mg a day") % {"amount": plain(row.step.dose_pe_mg)},
            str(row.recorded_by), url=entry("taper-confirmation", row.pk),
        )  # fmt: skip
    for row in _newest(TaperHold, patient, as_of, "starts_on", limit):
        yield Moment(
            row.starts_on, "pause", _("Taper held"), row.reason, str(row.recorded_by), url=entry("taper-hold", row.pk)
        )
    for row in _newest(EscalationDecision, patient, as_of, "decided_on", limit):
        title = _("Second-line treatment decided: %(option)s") % {"option": row.get_option_display()}
        yield Moment(row.decided_on, "check", title, row.reason, str(row.recorded_by), url=entry("decision", row.pk))


def _alerted(patient: Patient, limit: int, address: Address) -> Iterable[Moment]:
    """What became of alerts, and why. One query."""
    zone = patient.centre.zone
    events = AlertEvent.objects.filter(alert__patient=patient, kind__in=_ON_TIMELINE)
    for event in events.select_related("alert", "by").order_by("-at", "-id")[:limit]:
        remarks = [str(event.get_reason_display()) if event.reason else "", event.text]
        yield Moment(
            centre_day(event.at, zone),
            "bell",
            f"{title_of(event.alert.rule)}: {str(event.get_kind_display()).lower()}",
            ". ".join(filter(None, remarks)),
            str(event.by) if event.by else "",
            event.level,
            address("clinic:alert", event.alert.public_id),
            order=event.pk,
        )


def _newest(model: Any, patient: Patient, as_of: dt.date, day: str, limit: int) -> Iterable[Any]:
    rows = model.objects.current().filter(patient=patient, **{f"{day}__lte": as_of})
    return rows.select_related("recorded_by").order_by(f"-{day}", "-id")[:limit]
