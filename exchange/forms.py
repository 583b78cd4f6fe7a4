"""Forms of uploads and of the quarantine. They check and never write."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts.models import Centre
from common.units import UCUM_CODES
from exchange import selectors
from exchange.mapping import DEFAULTS, LABS, FileMapping, MappingProblem, load, read_mapping
from exchange.models import HeldRow, ImportKind
from exchange.tables import MAX_BYTES, FileProblem, read_table
from monitoring.analytes import ANALYTES, Kind
from patients.models import Patient
from patients.selectors import by_number

MAX_MAPPING_BYTES = 256 * 1024

AS_THE_ROW_SAYS = ("", "As the row says")
ANALYTE_CHOICES = [
    AS_THE_ROW_SAYS,
    *sorted(((a.code, a.name) for a in ANALYTES.values() if a.kind is not Kind.IMAGING), key=lambda c: c[1].casefold()),
]
UNIT_CHOICES = [AS_THE_ROW_SAYS, *((code, code) for code in UCUM_CODES)]


class UploadForm(forms.Form):
    """`cleaned_data` holds `content` (bytes) and `checked_mapping` beside the fields; the file has been opened and has
    the headings the mapping needs."""

    kind = forms.ChoiceField(label="What the file holds", choices=ImportKind.choices, initial=ImportKind.LABS)
    source = forms.CharField(
        label="Source",
        max_length=60,
        required=False,
        help_text="The laboratory or system the results come from. Always the same name for the same source: "
        "it tells a correction from a new result.",
    )
    file = forms.FileField(
        label="File",
        help_text=f"Delimited text in UTF-8 with a heading line, up to {MAX_BYTES // 1024 // 1024} MB.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )
    mapping_from = forms.ChoiceField(
        label="What the columns mean",
        choices=[
            ("default", "The plain headings: patient_number, test, value, unit, low, high, taken, result_id"),
            ("latest", "As in the latest import of this source"),
            ("file", "As in the mapping file below"),
        ],
        initial="default",
    )
    mapping = forms.FileField(
        label="Mapping file", required=False, widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )

    def __init__(self, *args: Any, centre: Centre, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.centre = centre
        self.known_sources = list(selectors.sources(centre).values_list("name", flat=True))
        self.fields["source"].widget.attrs["list"] = "known-sources"

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Send it in parts.")
        self.cleaned_data["content"] = file.read()
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        data["source"] = data.get("source", "").strip() if kind == LABS else ""
        if kind == LABS and not data["source"]:
            self.add_error("source", "Say where the results come from.")
        mapping = self._mapping(kind, data) if kind else None
        data["checked_mapping"] = mapping
        if mapping is not None and "content" in data:
            try:
                read_table(data["content"], wanted=mapping.wanted, delimiter=mapping.delimiter)
            except FileProblem as problem:
                self.add_error("file", problem.message)
        return data

    def _mapping(self, kind: str, data: dict[str, Any]) -> FileMapping | None:
        where = data.get("mapping_from")
        try:
            if where == "file":
                file = data.get("mapping")
                if file is None or file.size > MAX_MAPPING_BYTES:
                    self.add_error("mapping", "Choose a mapping file of at most 256 kB.")
                    return None
                return load(file.read(), kind)
            if where == "latest":
                raw = selectors.latest_mapping(self.centre, kind=kind, source_name=data["source"])
                if raw is None:
                    self.add_error("mapping_from", "Nothing has been imported from this source yet.")
                    return None
                return read_mapping(raw, kind)
            return read_mapping(DEFAULTS[kind], kind)
        except MappingProblem as error:
            for problem in error.problems:
                self.add_error("mapping" if where == "file" else "mapping_from", problem)
            return None


class PlaceForm(forms.Form):
    """What a person decides about a row. Empty boxes: as the row says."""

    patient_number = forms.CharField(
        label="Patient",
        required=False,
        max_length=32,
        help_text="Record number of the patient, if the row's is not known.",
    )
    test = forms.ChoiceField(label="Analyte", required=False, choices=ANALYTE_CHOICES)
    value = forms.CharField(
        label="Value",
        required=False,
        max_length=64,
        help_text="Such as 12.5 or <10, where the row has words",
    )
    unit = forms.ChoiceField(label="Unit", required=False, choices=UNIT_CHOICES)
    as_received = forms.BooleanField(
        label="Keep as received: show it on the patient's page and never judge it", required=False
    )
    accept_key = forms.BooleanField(
        label="The source's id is right: this row corrects, or takes up again, what is recorded under it",
        required=False,
    )
    alike = forms.BooleanField(
        label="Same answer for the other waiting rows of this file with the same unknown patient, test or unit",
        required=False,
    )
    reason = forms.CharField(label="Remark", required=False, max_length=200)

    def __init__(self, *args: Any, centre: Centre, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.centre = centre
        self.patient: Patient | None = None

    def clean_patient_number(self) -> str:
        number = str(self.cleaned_data["patient_number"]).strip()
        if number:
            self.patient = by_number(self.centre, number)
            if self.patient is None:
                raise forms.ValidationError("No patient of this centre has this number.")
        return number


class DiscardForm(forms.Form):
    reason = forms.CharField(label="Why it is discarded", max_length=200)
    alike = forms.BooleanField(
        label="Discard the other waiting rows of this file with the same faults, too", required=False
    )


class QuarantineFilter(forms.Form):
    """Every box may be empty; what does not fit is left out of the question."""

    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Waiting"), (selectors.SETTLED, "Settled"), ("all", "All")],
    )
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "All"), (HeldRow.Kind.QUARANTINED, "To be placed"), (HeldRow.Kind.REJECTED, "Not readable")],
    )
    code = forms.ChoiceField(label="Problem", required=False)
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, codes: list[tuple[str, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, f"{code.replace('-', ' ').capitalize()} ({count})") for code, count in codes]
        cast("forms.ChoiceField", self.fields["code"]).choices = [("", "All"), *choices]

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
