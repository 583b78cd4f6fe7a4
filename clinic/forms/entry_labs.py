"""The lines of a laboratory panel as they are typed: kept whatever is wrong, looked at twice before they are saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms.numbers import as_typed, with_point, without_thousands
from clinic.forms.patient import day_box
from clinic.selectors.patient import PANEL_NAMES, unit_words
from common.units import normalise
from monitoring.analytes import ANALYTES, PANELS, Analyte, Kind, accepted_units
from monitoring.delta import LIMIT_FACTOR, compare, unusual_limit, unusual_value
from monitoring.entry import EntryError, TypedValue, enterable, field_name, read, read_number
from monitoring.selectors import PreviousValue, PrintedLimits
from monitoring.wording import number, said

# What is taken at nearly every visit, in the order of a laboratory's sheet. The rest is one click away.
STANDARD = (
    "ck", "aldolase", "ldh", "ast", "alt", "ggt", "creatinine", "egfr", "haemoglobin", "wbc", "neutrophils",
    "lymphocytes", "platelets", "crp", "esr", "ferritin",
)  # fmt: skip
# Everything that is typed into a panel.
ENTERED: tuple[str, ...] = (
    *STANDARD,
    *(code for code, analyte in ANALYTES.items() if enterable(analyte) and code not in STANDARD),
)
_OTHER_NAMES = {
    "metabolic": _("Metabolism"), "immunology": _("Immunology"), "infection": _("Infection"), "drug": _("Drug levels"),
    "tumour": _("Tumour markers"), "vitals": _("Vital signs"), "muscle": _("Muscle, further"),
    "liver": _("Liver, further"), "renal": _("Kidney, further"), "blood": _("Blood count, further"),
    "inflammation": _("Inflammation, further"),
}  # fmt: skip
# What spreadsheets and laboratories call a test beside its code, name and short name.
_ALSO = {
    "ck": "cpk kreatinkinase", "ldh": "ld lactatdehydrogenase", "ast": "got sgot asat", "alt": "gpt sgpt alat",
    "ggt": "gammagt γgt ggtp", "creatinine": "crea kreatinin", "egfr": "gfr ckdepi",
    "haemoglobin": "hemoglobin hgb hämoglobin", "wbc": "leukocytes leucocytes leukozyten whitebloodcells",
    "neutrophils": "neutrophile neu", "lymphocytes": "lymphozyten lym", "platelets": "thrombocytes thrombozyten plt",
    "esr": "bsg", "crp": "creaktivesprotein", "potassium": "kalium", "bilirubin": "bili",
}  # fmt: skip


class SampleForm(forms.Form):
    """When and where the sample was taken."""

    taken_on = forms.DateField(label=_("Day of the sample"), widget=day_box())
    taken_time = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    laboratory = forms.CharField(
        label=_("Laboratory"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"list": "laboratories", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        if not self.is_bound:  # else what is wrong has the focus
            self.fields["taken_on"].widget.attrs["autofocus"] = True

    def clean_taken_on(self) -> dt.date:
        """The action says so too; here it is said together with what is wrong in the lines."""
        day: dt.date = self.cleaned_data["taken_on"]
        if day > self.today:
            raise ValidationError(gettext("This day lies in the future."))
        return day


@dataclass
class Line:
    """One analyte of the panel: what is in its boxes, what was there last time, and what is to be said about it.

    `given` are the limits the page put in, in `given_unit`; what differs from them a person typed. `warning` is shown
    beside the box and asks for a tick.
    """

    analyte: Analyte
    text: str = ""
    unit: str = ""
    low: str = ""
    uln: str = ""
    given: PrintedLimits | None = None
    ticked: str = ""
    previous: PreviousValue | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    warning: str = ""

    @property
    def code(self) -> str:
        return self.analyte.code

    @property
    def is_word(self) -> bool:
        return self.analyte.kind is Kind.QUALITATIVE

    @property
    def is_per_laboratory(self) -> bool:
        return self.analyte.kind is Kind.PER_LABORATORY

    @property
    def units(self) -> list[tuple[str, str]]:
        """(UCUM, in words) of each unit accepted, one of each spelling."""
        seen: dict[str, str] = {}
        for unit in accepted_units(self.code) if self.analyte.kind is Kind.NUMERIC else ():
            seen[unit] = unit_words(unit)
        return list(seen.items())

    @property
    def only_unit(self) -> str:
        """In words, where there is nothing to choose and nothing wrong with it."""
        units = self.units
        return units[0][1] if len(units) == 1 and self.unit == units[0][0] and not self.errors.get("unit") else ""

    @property
    def fingerprint(self) -> str:
        """What a tick confirms: this text in this unit with this limit, and no other."""
        return f"{self.text.strip()}|{self.unit}|{self.uln.strip()}"

    @property
    def confirmed(self) -> bool:
        return bool(self.ticked) and self.ticked == self.fingerprint

    @property
    def names(self) -> str:
        """By which a pasted row finds this line, in the reader's language too."""
        analyte = self.analyte
        known = [self.code, analyte.name, analyte.short, gettext(analyte.name), gettext(analyte.short)]
        return "|".join(dict.fromkeys([*known, *_ALSO.get(self.code, "").split()]))

    @property
    def asks(self) -> bool:
        """It is not saved until somebody has looked again."""
        return bool(self.warning) and not self.confirmed

    @property
    def typed(self) -> TypedValue:
        """With points for the commas of a language that writes them; what cannot be told stays, and `look` refuses."""
        text, low, uln = (_pointed(written)[0] for written in (self.text, self.low, self.uln))
        return TypedValue(self.code, text, self.unit, low, uln, confirmed=self.confirmed)

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()

    @property
    def converted(self) -> str:
        """The value in the canonical unit, where it was typed in another."""
        if self.is_blank or self.analyte.kind is not Kind.NUMERIC or self.unit == self.analyte.canonical_unit:
            return ""
        try:
            value = read(TypedValue(self.code, with_point(self.text), self.unit, confirmed=True))
        except EntryError:
            return ""
        if value.value is None:
            return ""
        rounded = round(value.value, max(self.analyte.decimals, 0))
        return f"= {value.comparator}{number(rounded)} {unit_words(self.analyte.canonical_unit)}"

    @property
    def previous_words(self) -> str:
        """The last value as it was reported, with its unit."""
        if self.previous is None:
            return ""
        unit = unit_words(normalise(self.previous.unit) or self.previous.unit)
        received = gettext(self.previous.received) if self.is_word else as_typed(self.previous.received)
        return f"{received} {unit}".strip()

    def box(self, part: str) -> str:
        return field_name(self.code, part)

    @property
    def unit_box(self) -> str:
        return self.box("unit")

    @property
    def low_box(self) -> str:
        return self.box("low")

    @property
    def uln_box(self) -> str:
        return self.box("uln")

    @property
    def confirmed_box(self) -> str:
        return self.box("confirmed")

    @property
    def messages(self) -> list[tuple[str, str]]:
        """(id of the box, what is wrong with it)."""
        return [(f"id_{self.box(part)}", text) for part, texts in self.errors.items() for text in texts]

    def error(self, text: str, part: str = "value") -> None:
        self.errors.setdefault(part, []).append(text)

    def look(self) -> None:
        """Say what is wrong or very unusual. The same words beside the box while typing and when it is saved."""
        self.errors, self.warning = {}, ""
        if self.is_blank:
            return
        if not self.is_word:
            for part, text in (("value", self.text), ("low", self.low), ("uln", self.uln)):
                if refusal := _pointed(text)[1]:
                    self.error(refusal, part)
        if self.errors:
            return
        asked = []
        try:
            read(self.typed)
        except EntryError as error:
            text = self._say(error)
            if error.code != "confirm":
                self.error(text, error.part)
                return
            asked.append(text)
        if self.analyte.kind is Kind.NUMERIC and not self.confirmed:
            asked += self._doubts(rare=bool(asked))
        self.warning = " ".join(asked)

    def _say(self, error: EntryError) -> str:
        unit = self.analyte.canonical_unit or ""
        return said(error).replace(f" {unit}", f" {unit_words(unit)}") if unit else said(error)

    def _doubts(self, *, rare: bool) -> Iterable[str]:
        """About the unit, the last value and the last limit."""
        typed = self.typed
        value, last = read_number(typed.text).value, self.previous
        far = None
        if last is not None and last.value is not None:
            far = compare(self.analyte, value, self.unit, last.value)
        if far is not None:
            text = (
                gettext("About %(times)s times more than the last value (%(last)s).")
                if far.more
                else gettext("About %(times)s times less than the last value (%(last)s).")
            )
            yield text % {"times": number(far.about), "last": self.previous_words}
            if meant := self._meant_thousands():
                yield meant
            elif far.unit:
                text = gettext("In %(unit)s it would be near it: is the unit right?")
                yield text % {"unit": unit_words(far.unit)}
        elif rare and (meant := self._meant_thousands()):
            yield meant
        elif rare and (units := unusual_value(self.analyte, value, self.unit)):
            yield gettext("In %(units)s it would not be: is the unit right?") % {"units": _or(units)}
        if typed.uln:
            yield from self._doubts_about_limit(read_number(typed.uln).value)

    def _meant_thousands(self) -> str:
        """1.240 was read with three decimals, and 1240 would be nothing to ask about."""
        whole, last = without_thousands(self.text), self.previous
        if whole is None or unusual_value(self.analyte, whole, self.unit) is not None:
            return ""
        if last is not None and last.value is not None and compare(self.analyte, whole, self.unit, last.value):
            return ""
        text = gettext("It was read with three decimals. If thousands are meant, write %(whole)s.")
        return text % {"whole": number(whole)}

    def _doubts_about_limit(self, uln: Decimal) -> Iterable[str]:
        last = self.previous
        limit = None
        if last is not None and last.uln is not None:
            limit = compare(self.analyte, uln, self.unit, last.uln, factor=LIMIT_FACTOR)
        if limit is not None:
            text = (
                gettext("The upper limit: about %(times)s times more than last time. Is it in the same unit?")
                if limit.more
                else gettext("The upper limit: about %(times)s times less than last time. Is it in the same unit?")
            )
            yield text % {"times": number(limit.about)}
        elif units := unusual_limit(self.analyte, uln, self.unit):
            text = gettext(
                "An upper limit of %(limit)s %(unit)s is unusual, in %(units)s it would not be: is the unit right?"
            )
            yield text % {"limit": number(uln), "unit": unit_words(self.unit), "units": _or(units)}


def _pointed(text: str) -> tuple[str, str]:
    """(the number with a point, ""), or (as it was typed, why it cannot be told)."""
    try:
        return with_point(text), ""
    except EntryError as error:
        return text, said(error)


def _or(units: Sequence[str]) -> str:
    """Of spellings that mean the same, one: U/L and IU/L, ng/mL and µg/L."""
    words = list(dict.fromkeys(unit_words(unit).replace("IU", "U") for unit in units))
    return gettext(" or ").join(words)


def blank_lines(
    previous: Mapping[str, PreviousValue],
    printed: Mapping[str, PrintedLimits],
    codes: Iterable[str] = ENTERED,
    units: Mapping[str, str] | None = None,
) -> list[Line]:
    """The lines as the page first shows them: the laboratory's own limits, and the unit of this person's last value.

    Of a test this person never had, the unit is that of `units`, chosen for another's result of this laboratory.
    """
    lines = []
    for code in codes:
        analyte, last, given = ANALYTES[code], previous.get(code), printed.get(code)
        line = Line(analyte, previous=last, given=given)
        line.unit = _known_unit(analyte, given.unit if given else last.unit if last else (units or {}).get(code, ""))
        if given is not None and _known_unit(analyte, given.unit) == line.unit:
            line.low, line.uln = as_typed(given.low), as_typed(given.uln)
        lines.append(line)
    return lines


def _known_unit(analyte: Analyte, text: str) -> str:
    """The UCUM code of a unit as received, the canonical one where it is unknown."""
    if analyte.kind is Kind.PER_LABORATORY:
        return text
    unit = normalise(text)
    return unit if unit is not None and unit in analyte.conversions else analyte.canonical_unit or ""


def typed_lines(
    data: MultiValueDict[str, str],
    previous: Mapping[str, PreviousValue],
    printed: Mapping[str, PrintedLimits],
    codes: Iterable[str] = ENTERED,
) -> list[Line]:
    """The lines as they were sent. `printed` are the limits of the laboratory that the page was made for."""
    lines = []
    for code in codes:
        analyte = ANALYTES[code]
        line = Line(analyte, previous=previous.get(code), given=printed.get(code))
        line.text = data.get(line.box("value"), "")
        line.unit = data.get(line.unit_box, "") or _known_unit(analyte, "")
        line.low, line.uln = data.get(line.low_box, ""), data.get(line.uln_box, "")
        line.ticked = data.get(line.confirmed_box, "")
        lines.append(line)
    return lines


def question_stale_limits(lines: Sequence[Line], *, made_for: str, laboratory: str, checked: str) -> bool:
    """Without JavaScript the limits stay when unit or laboratory are changed: ask, once, whether they still hold.

    `made_for` is the laboratory of the limits the page put in. `checked` is what was asked about before. True: asked.
    """
    asked = False
    for line in lines:
        given = line.given
        if line.is_blank or given is None or not (given.low or given.uln):
            continue
        if (line.typed.low, line.typed.uln) != (given.low.strip(), given.uln.strip()):
            continue
        if line.unit != _known_unit(line.analyte, given.unit) and f"{line.code} {line.unit}" not in checked.split(";"):
            text = gettext("These limits are in %(unit)s. Write those of this unit, or none.")
            line.error(text % {"unit": unit_words(given.unit)}, "uln")
            asked = True
        elif made_for != laboratory and f"@{laboratory}" not in checked.split(";"):
            text = (
                gettext("These limits are those of %(laboratory)s. Do they hold here too?") % {"laboratory": made_for}
                if made_for
                else gettext("These limits are those of another laboratory. Do they hold here too?")
            )
            line.error(text, "uln")
            asked = True
    return asked


def what_was_asked(lines: Sequence[Line], laboratory: str) -> str:
    return ";".join([f"@{laboratory}", *(f"{line.code} {line.unit}" for line in lines if "uln" in line.errors)])


def add_refusal(form: SampleForm, lines: Sequence[Line], error: ValidationError) -> None:
    """Put what the action refused beside the boxes it names."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    boxes = {line.box(part): (line, part) for line in lines for part in ("value", "unit", "low", "uln")}
    for name, errors in error.error_dict.items():
        if name not in boxes:
            form.add_error(name if name in form.fields else None, errors)
            continue
        line, part = boxes[name]
        for one in errors:
            text = " ".join(one.messages)
            if one.code == "confirm":
                line.warning = line.warning or text
            elif text not in line.errors.get(part, []):
                line.error(text, part)


@dataclass(frozen=True)
class Group:
    name: str
    lines: Sequence[Line]

    @property
    def is_open(self) -> bool:
        return any(not line.is_blank or line.errors for line in self.lines)


def groups(lines: Sequence[Line]) -> tuple[list[Line], list[Group]]:
    """The standard panel, and the other analytes by panel."""
    standard = [line for line in lines if line.code in STANDARD]
    others = []
    for panel in PANELS:
        rest = [line for line in lines if line.analyte.panel == panel and line.code not in STANDARD]
        if rest:
            others.append(Group(str(_OTHER_NAMES.get(panel) or PANEL_NAMES[panel]), rest))
    return standard, others


def has_something_to_say(lines: Sequence[Line]) -> bool:
    return any(line.errors or line.asks for line in lines)
