"""What is typed at a visit: three scales, the questionnaire, strength muscle by muscle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms.numbers import OFF_THE_SCALE, NumberField
from clinic.forms.patient import day_box
from clinic.selectors.entry import Last, LastMeasures, cell_words
from monitoring.entry import Measures, cell_name
from monitoring.models import Assessment
from monitoring.scores import haq_di, mmt8
from monitoring.scores.haq_di import AIDS, ITEMS, Category
from monitoring.scores.mmt8 import CELL_MAXIMUM, CELLS, GROUPS, Cell, Muscle, MuscleGroup, Side
from monitoring.wording import number

ANSWERS = [("", "–"), ("0", "0"), ("1", "1"), ("2", "2"), ("3", "3")]
SCALES = ("physician_vas", "patient_vas", "extramuscular_vas")


class VasField(NumberField):
    """A mark on a line of 10 cm. One measured in millimetres is named and not converted: nobody guesses."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None or 0 <= value <= 10:
            return
        if 10 < value <= 100:
            text = gettext("The scale goes from 0 to 10 cm. If %(mm)s are millimetres, write %(cm)s.")
            raise ValidationError(text % {"mm": number(value), "cm": number(value / 10)}, code="max_value")
        raise ValidationError(gettext("The scale goes from 0 to 10 cm."), code="max_value")


def _vas(label: Any, help_text: Any) -> VasField:
    return VasField(
        label=label,
        help_text=help_text,
        required=False,
        max_digits=3,
        decimal_places=1,
        widget=forms.TextInput(attrs={"class": "form-control num"}),
    )


def _total(label: Any, maximum: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=maximum,
        help_text=_("Only where the single grades are lost"),
        error_messages=OFF_THE_SCALE,
        widget=forms.TextInput(attrs={"class": "form-control num", "inputmode": "numeric", "autocomplete": "off"}),
    )


class AssessmentForm(forms.Form):
    """`only_strength`: the muscle grid alone. `adds_to` is the assessment of that day which this one completes."""

    assessed_on = forms.DateField(label=_("Day of the visit"), widget=day_box())
    physician_vas = _vas(_("Physician global activity"), _("0 inactive, 10 as bad as can be"))
    patient_vas = _vas(_("Patient global activity"), _("The patient's own mark"))
    extramuscular_vas = _vas(
        _("Extramuscular activity"), _("The whole, judged by the physician; not the mean of the organs")
    )
    haq_di = NumberField(
        label=_("HAQ-DI from paper"),
        required=False,
        min_value=0,
        max_value=3,
        max_digits=4,
        decimal_places=3,
        help_text=_("Only where the answers are lost"),
        error_messages=OFF_THE_SCALE,
    )
    haq_aids = forms.MultipleChoiceField(
        label=_("Aids"), required=False, choices=[(code, label) for code, (_, label) in AIDS.items()]
    )
    haq_help = forms.MultipleChoiceField(
        label=_("Help from another person"), required=False, choices=[(c.value, c.value) for c in Category]
    )
    haq_other = forms.MultipleChoiceField(
        label=_("Other aid"),
        required=False,
        choices=[(c.value, c.value) for c in Category if c is not Category.ACTIVITIES],
    )
    mmt8_150 = _total(_("Total of both sides (0–150)"), mmt8.BOTH_SIDES_MAXIMUM)
    mmt8_80 = _total(_("Total of one side (0–80)"), mmt8.ONE_SIDE_MAXIMUM)
    mmt8_side = forms.ChoiceField(
        label=_("Side of that total"), required=False, choices=[("", "–"), ("right", _("Right")), ("left", _("Left"))]
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )
    adds_to = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, only_strength: bool = False, with_reason: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only_strength = only_strength
        if not self.is_bound:  # else what is wrong has the focus
            self.fields["assessed_on"].widget.attrs["autofocus"] = True
        for muscle, side in CELLS:
            label = cell_words(muscle, side)
            self.fields[cell_name(muscle, side)] = forms.IntegerField(
                label=label,
                required=False,
                min_value=0,
                max_value=CELL_MAXIMUM,
                error_messages=OFF_THE_SCALE,
                widget=forms.TextInput(
                    attrs={
                        "class": "form-control",
                        "data-cell": side.value,
                        "aria-label": label,
                        "inputmode": "numeric",
                        "autocomplete": "off",
                    }
                ),
            )
        for items in ITEMS.values():
            for code, label in items:
                self.fields[f"haq_{code}"] = forms.TypedChoiceField(
                    label=gettext(label),
                    required=False,
                    choices=ANSWERS,
                    coerce=int,
                    empty_value=None,
                    widget=forms.RadioSelect,
                )
        if only_strength:
            for name in [*SCALES, *(n for n in self.fields if n.startswith("haq_"))]:
                del self.fields[name]
        if with_reason:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"), max_length=200, help_text=_("Why the old assessment was wrong")
            )

    @staticmethod
    def values_of(assessment: Assessment, *, with_note: bool) -> dict[str, Any]:
        """What the boxes of a saved assessment hold. Totals that follow from grades or answers are worked out again."""
        grades = {cell_name(g.muscle, g.side): g.grade for g in assessment.grades.all()}
        answers: Mapping[str, Any] = assessment.haq_answers or {}
        values: dict[str, Any] = {
            "assessed_on": assessment.assessed_on,
            **{name: getattr(assessment, name) for name in SCALES},
            **grades,
            **{f"haq_{code}": str(answer) for code, answer in answers.get("items", {}).items()},
            "haq_aids": answers.get("aids", []),
            "haq_help": answers.get("help_with", []),
            "haq_other": answers.get("other_aids", []),
            "adds_to": assessment.pk,
        }
        if not answers:
            values["haq_di"] = assessment.haq_di
        if not grades:
            values |= {name: getattr(assessment, name) for name in ("mmt8_150", "mmt8_80", "mmt8_side")}
        if with_note:
            values["note"] = assessment.note
        return values

    def measures(self) -> Measures:
        """What could be read; a box that could not is missing here, and has its error."""
        data = self.cleaned_data
        cells: dict[Cell, int | None] = {cell: data.get(cell_name(*cell)) for cell in CELLS}
        haq = {
            "items": {code: data.get(f"haq_{code}") for items in ITEMS.values() for code, _ in items},
            "aids": data.get("haq_aids", []),
            "help_with": data.get("haq_help", []),
            "other_aids": data.get("haq_other", []),
        }
        return Measures(
            **{name: data.get(name) for name in SCALES},
            mmt8=cells,
            mmt8_150=data.get("mmt8_150"),
            mmt8_80=data.get("mmt8_80"),
            mmt8_side=data.get("mmt8_side", ""),
            haq=haq,
            haq_di=data.get("haq_di"),
            note=data.get("note", ""),
        )


@dataclass(frozen=True)
class MuscleBox:
    field: forms.BoundField
    previous: Last | None


@dataclass(frozen=True)
class MuscleRow:
    group: MuscleGroup
    boxes: list[MuscleBox]


def muscle_rows(form: AssessmentForm, last: LastMeasures) -> list[MuscleRow]:
    """The grid: the neck with one box, every other group with right and left."""

    def box(muscle: Muscle, side: Side) -> MuscleBox:
        return MuscleBox(form[cell_name(muscle, side)], last.grades.get((muscle, side)))

    return [
        MuscleRow(
            group, [box(group.muscle, side) for side in ((Side.AXIAL,) if group.axial else (Side.RIGHT, Side.LEFT))]
        )
        for group in GROUPS
    ]


@dataclass(frozen=True)
class Scale:
    field: forms.BoundField
    previous: Last | None


def scales(form: AssessmentForm, last: LastMeasures) -> list[Scale]:
    return [Scale(form[name], last.values.get(name)) for name in SCALES if name in form.fields]


@dataclass(frozen=True)
class Mark:
    """A box to tick below a category."""

    name: str
    value: str
    label: str
    ticked: bool


@dataclass(frozen=True)
class HaqCategory:
    name: str
    items: list[forms.BoundField]
    marks: list[Mark]


def haq_categories(form: AssessmentForm) -> Iterator[HaqCategory]:
    if form.only_strength:
        return
    ticked = {name: set(form[name].value() or ()) for name in ("haq_aids", "haq_help", "haq_other")}
    for category, items in ITEMS.items():
        offered = [("haq_aids", code, gettext(label)) for code, (of, label) in AIDS.items() if of is category]
        if category is not haq_di.Category.ACTIVITIES:
            offered.append(("haq_other", category.value, gettext("Other aid")))
        offered.append(("haq_help", category.value, gettext("Help from another person")))
        yield HaqCategory(
            gettext(category.heading),
            [form[f"haq_{code}"] for code, _ in items],
            [Mark(name, value, label, value in ticked[name]) for name, value, label in offered],
        )
