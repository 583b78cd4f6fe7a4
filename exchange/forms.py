"""Forms of uploads and of the quarantine. They check and never write."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre
from common.units import UCUM_CODES
from exchange import selectors, wording
from exchange.mapping import DEFAULTS, LABS, FileMapping, MappingProblem, load, read_mapping
from exchange.models import HeldRow, ImportKind
from exchange.tables import MAX_BYTES, FileProblem, read_table
from monitoring.analytes import ANALYTES, Kind
from patients.models import Patient
from patients.selectors import by_number

MAX_MAPPING_BYTES = 256 * 1024

AS_THE_ROW_SAYS = ("", _("As the row says"))
_BY_NAME = sorted((a for a in ANALYTES.values() if a.kind is not Kind.IMAGING), key=lambda a: a.name.casefold())
ANALYTE_CHOICES = [AS_THE_ROW_SAYS, *((a.code, _(a.name)) for a in _BY_NAME)]
UNIT_CHOICES = [AS_THE_ROW_SAYS, *((code, code) for code in UCUM_CODES)]


class UploadForm(forms.Form):
    """`cleaned_data` holds `content` (bytes) and `checked_mapping` beside the fields; the file has been opened and has
    the headings the mapping needs."""

    kind = forms.ChoiceField(label=_("What the file holds"), choices=ImportKind.choices, initial=ImportKind.LABS)
    source = forms.CharField(
        label=_("Source"),
        max_length=60,
        required=False,
        help_text=_(
            "The laboratory or system the results come from. Always the same name for the same source: "
            "it tells a correction from a new result."
        ),
    )
    file = forms.FileField(
        label=_("File"),
        help_text=format_lazy(
            _("Delimited text in UTF-8 with a heading line, up to {size} MB."), size=MAX_BYTES // 2**20
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )
    mapping_from = forms.ChoiceField(
        label=_("What the columns mean"),
        choices=[
            ("default", _("The plain headings: patient_number, test, value, unit, low, high, taken, result_id")),
            ("latest", _("As in the latest import of this source")),
            ("file", _("As in the mapping file below")),
        ],
        initial="default",
    )
    mapping = forms.FileField(
        label=_("Mapping file"), required=False, widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )

    def __init__(self, *args: Any, centre: Centre, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.centre = centre
        self.known_sources = list(selectors.sources(centre).values_list("name", flat=True))
        self.fields["source"].widget.attrs["list"] = "known-sources"

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                gettext("The file is larger than %(size)s MB. Send it in parts.") % {"size": MAX_BYTES // 2**20}
            )
        self.cleaned_data["content"] = file.read()
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        data["source"] = data.get("source", "").strip() if kind == LABS else ""
        if kind == LABS and not data["source"]:
            self.add_error("source", gettext("Say where the results come from."))
        mapping = self._mapping(kind, data) if kind else None
        data["checked_mapping"] = mapping
        if mapping is not None and "content" in data:
            try:
                read_table(data["content"], wanted=mapping.wanted, delimiter=mapping.delimiter)
            except FileProblem as problem:
                self.add_error("file", wording.shown(problem.message))
        return data

    def _mapping(self, kind: str, data: dict[str, Any]) -> FileMapping | None:
        where = data.get("mapping_from")
        try:
            if where == "file":
                file = data.get("mapping")
                if file is None or file.size > MAX_MAPPING_BYTES:
                    self.add_error("mapping", gettext("Choose a mapping file of at most 256 kB."))
                    return None
                return load(file.read(), kind)
            if where == "latest":
                raw = selectors.latest_mapping(self.centre, kind=kind, source_name=data["source"])
                if raw is None:
                    self.add_error("mapping_from", gettext("Nothing has been imported from this source yet."))
                    return None
                return read_mapping(raw, kind)
            return read_mapping(DEFAULTS[kind], kind)
        except MappingProblem as error:
            for problem in error.problems:
                self.add_error("mapping" if where == "file" else "mapping_from", wording.shown(problem))
            return None


class PlaceForm(forms.Form):
    """What a person decides about a row. Empty boxes: as the row says."""

    patient_number = forms.CharField(
        label=_("Patient"),
        required=False,
        max_length=32,
        help_text=_("Record number of the patient, if the row's is not known."),
    )
    test = forms.ChoiceField(label=_("Analyte"), required=False, choices=ANALYTE_CHOICES)
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=64,
        help_text=_("Such as 12.5 or <10, where the row has words"),
    )
    unit = forms.ChoiceField(
        label=_("Unit"), required=False, choices=UNIT_CHOICES, widget=forms.Select(attrs={"translate": "no"})
    )
    as_received = forms.BooleanField(
        label=_("Keep as received: show it on the patient's page and never judge it"), required=False
    )
    accept_key = forms.BooleanField(
        label=_("The source's id is right: this row corrects, or takes up again, what is recorded under it"),
        required=False,
    )
    alike = forms.BooleanField(
        label=_("Same answer for the other waiting rows of this file with the same unknown patient, test or unit"),
        required=False,
    )
    reason = forms.CharField(label=_("Remark"), required=False, max_length=200)

    def __init__(self, *args: Any, centre: Centre, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.centre = centre
        self.patient: Patient | None = None

    def clean_patient_number(self) -> str:
        number = str(self.cleaned_data["patient_number"]).strip()
        if number:
            self.patient = by_number(self.centre, number)
            if self.patient is None:
                raise forms.ValidationError(gettext("No patient of this centre has this number."))
        return number


class DiscardForm(forms.Form):
    reason = forms.CharField(label=_("Why it is discarded"), max_length=200)
    alike = forms.BooleanField(
        label=_("Discard the other waiting rows of this file with the same faults, too"), required=False
    )


class QuarantineFilter(forms.Form):
    """Every box may be empty; what does not fit is left out of the question."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Waiting")), (selectors.SETTLED, _("Settled")), ("all", _("All"))],
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[
            ("", _("All")),
            (HeldRow.Kind.QUARANTINED, _("To be placed")),
            (HeldRow.Kind.REJECTED, _("Not readable")),
        ],
    )
    code = forms.ChoiceField(label=_("Problem"), required=False)
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, codes: list[tuple[str, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, f"{gettext(code.replace('-', ' ').capitalize())} ({count})") for code, count in codes]
        cast("forms.ChoiceField", self.fields["code"]).choices = [("", gettext("All")), *choices]

    def question(self) -> dict[str, Any]:
        """The arguments of selectors.held_rows."""
        self.is_valid()
        data = self.cleaned_data
        return {
            "state": data.get("state") or selectors.WAITING,
            "kind": data.get("kind", ""),
            "code": data.get("code", ""),
            "batch": data.get("batch"),
        }
