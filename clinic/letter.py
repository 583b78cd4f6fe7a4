"""A letter about a patient: drafted from the record, finished by a person, printed. It is kept nowhere.

Every sentence says what is on record and from when; nothing is concluded. Assessment and plan are left to who signs.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import typst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.selectors.patient import Now, lung_words
from clinic.summary import FONTS
from clinic.templatetags.days import plain, written
from monitoring.models import LungFunction

TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "print" / "letter.typ"


def subject_of(page: Now) -> str:
    patient = page.patient
    return _("%(name)s, born %(born)s, record number %(number)s") % {
        "name": patient.name,
        "born": written(patient.born_on),
        "number": patient.record_number,
    }


def draft(page: Now, lung: LungFunction | None) -> str:
    """The body of the letter. `lung` is the newest lung function, where there is one."""
    blocks = [
        (_("Dear colleague,"), []),
        (
            _("We follow %(name)s for %(subtype)s. This is the state of our record on %(day)s.")
            % {
                "name": f"{page.patient.given_name} {page.patient.family_name}".strip(),
                "subtype": _in_text(page.patient.get_subtype_display()),
                "day": written(page.as_of),
            },
            [],
        ),
        (_("Diagnosis"), _diagnosis(page)),
        (_("Treatment today"), _treatment(page) or [_("No drug is recorded for today.")]),
        (_("Findings"), _findings(page, lung) or [_("Nothing is recorded.")]),
        (_("Due and booked"), _ahead(page) or [_("Nothing is due or booked in the next weeks.")]),
        (_("Assessment and plan"), [""]),
        (_("With kind regards"), []),
    ]
    return "\n\n".join("\n".join([head, *(f"- {line}" for line in lines)]) for head, lines in blocks)


def _in_text(label: str) -> str:
    """A label in the middle of a sentence: English writes it small, German does not."""
    return label[:1].lower() + label[1:] if (get_language() or "en").startswith("en") else label


def _diagnosis(page: Now) -> list[str]:
    patient, header = page.patient, page.top.header
    lines = [str(patient.get_subtype_display())]
    if patient.diagnosed_on:
        lines[0] = _("%(subtype)s, diagnosed %(day)s") % {"subtype": lines[0], "day": written(patient.diagnosed_on)}
    if patient.onset_on:
        lines.append(_("First symptom: %(day)s") % {"day": written(patient.onset_on)})
    if header.antibodies:
        lines.append(_("Antibodies: %(names)s") % {"names": ", ".join(a.name for a in header.antibodies)})
    if header.ild_known_since:
        lines.append(_("Interstitial lung disease, known since %(day)s") % {"day": written(header.ild_known_since)})
    others = [str(m.get_kind_display()) for m in header.manifestations if m.kind != "ild"]
    if others:
        lines.append(_("Manifestations: %(names)s") % {"names": ", ".join(others)})
    if page.top.risks:
        names = ", ".join(str(risk.get_kind_display()) for risk in page.top.risks)
        lines.append(_("Risk factors: %(names)s") % {"names": names})
    return lines


def _treatment(page: Now) -> list[str]:
    lines = []
    for now_line in page.top.lines:
        line = now_line.line
        dose = f"{line.dose} ({now_line.per_kg})" if now_line.per_kg else line.dose
        lines.append(
            _("%(drug)s %(dose)s, %(route)s, since %(day)s")
            % {"drug": _(line.name), "dose": dose, "route": _in_text(str(line.route)), "day": written(line.since)}
        )
    if page.top.pe_mg:
        lines.append(_("Prednisone-equivalent in all: %(amount)s mg a day") % {"amount": plain(page.top.pe_mg)})
    return lines


def _findings(page: Now, lung: LungFunction | None) -> list[str]:
    lines = []
    ck, visit, scored, weight = page.latest_ck, next(iter(page.visits), None), page.latest_tis, page.top.weight
    if ck is not None:
        times = _(" (%(times)s × ULN)") % {"times": plain(round(ck.times_uln, 1))} if ck.times_uln else ""
        value = f"{ck.comparator}{plain(ck.value)} U/L{times}"
        lines.append(_("Creatine kinase %(value)s on %(day)s") % {"value": value, "day": written(ck.day)})
    if visit is not None:
        said = [
            _("MMT8 %(score)s") % {"score": visit.mmt8} if visit.mmt8 else "",
            _("HAQ-DI %(score)s") % {"score": plain(visit.haq_di)} if visit.haq_di is not None else "",
            _("physician VAS %(number)s cm") % {"number": plain(visit.physician_vas)}
            if visit.physician_vas is not None
            else "",
            _("patient VAS %(number)s cm") % {"number": plain(visit.patient_vas)}
            if visit.patient_vas is not None
            else "",
        ]
        measured = ", ".join(filter(None, said))
        if measured:
            lines.append(_("Assessed on %(day)s: %(measures)s") % {"day": written(visit.day), "measures": measured})
    if scored is not None:
        lines.append(
            _("Total improvement score %(score)s (%(category)s) on %(day)s")
            % {"score": scored.tis, "category": scored.category, "day": written(scored.day)}
        )
    if lung is not None:
        lines.append(
            _("Lung function on %(day)s: %(values)s") % {"day": written(lung.tested_on), "values": lung_words(lung)}
        )
    if weight is not None:
        lines.append(
            _("Weight %(number)s kg on %(day)s")
            % {"number": plain(weight.weight_kg), "day": written(weight.measured_on)}
        )
    return lines


def _ahead(page: Now) -> list[str]:
    lines = [
        _("%(test)s: due %(day)s (%(drugs)s)")
        % {"test": _capital(_(test.test)), "day": written(test.due_on), "drugs": test.names}
        for test in page.tests_due
    ]
    return lines + [
        _("%(test)s: booked for %(day)s")
        % {"test": str(booking.get_kind_display()), "day": written(booking.booked_for)}
        for booking in page.top.bookings
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def pdf(*, to: str, subject: str, body: str, signed: str, centre: str, now: dt.datetime) -> bytes:
    """The letter as PDF bytes, dated with the day of `now` in its own zone. What was typed is data, never markup."""
    data = {
        "centre": centre, "to": to.splitlines(), "subject": subject, "paragraphs": paragraphs(body), "signed": signed,
        "day": written(now.date()), "language": (get_language() or "en")[:2],
    }  # fmt: skip
    return bytes(
        typst.compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]),
            timestamp=now.astimezone(dt.UTC).replace(microsecond=0),
        )
    )


def paragraphs(body: str) -> Sequence[Sequence[str]]:
    """What was typed, as paragraphs of lines: an empty line parts them."""
    blocks: list[list[str]] = [[]]
    for line in body.splitlines():
        if line.strip():
            blocks[-1].append(line.rstrip())
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]
