"""What narrows the list of patients. `q` (a name or number) is posted; these stand in the address and may be linked to.

status      active (without it), discharged, transferred, withdrawn, dead, all
subtype     a word of patients.models.Subtype
antibody    a code of patients/antibodies.py that was ever positive; none
treatment   a code of the formulary that treats the disease, in force today; none
steroid     prednisone-equivalent today: none, low (up to 5 mg), middle (above 5 up to 7.5), high (above 7.5)
clinician   id of the user who follows the patient; none
remission   yes, no, unknown, assessed (yes or no): clinic/selectors/remission.py
next_visit  none, booked
sampled     a day: a result was taken in the seven days from it
on          a day of the past: who they were, and what they took, on it
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Centre
from clinic.forms.patient import antibody_choices
from clinic.forms.worklist import ListForm, day_of_list
from clinic.selectors import patients as questions
from clinic.selectors import remission
from clinic.selectors.patients import ACTIVE, NONE, STEROID_LOW_MG, STEROID_TARGET_MG, TREATMENTS, PatientFilters
from clinic.selectors.worklist import ANY
from patients.models import FollowUpStatus, Subtype
from therapy.dosing import name_of


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices)


def _antibodies() -> list[tuple[str, Any]]:
    return [("", gettext("Any antibody")), (NONE, gettext("None ever positive")), *antibody_choices()[1:]]


def _treatments() -> list[tuple[str, str]]:
    drugs = sorted(((code, gettext(name_of(code))) for code in TREATMENTS), key=lambda each: each[1])
    return [("", gettext("Any treatment")), (NONE, gettext("No treatment today")), *drugs]


class PatientsForm(ListForm):
    first_boxes = ("status", "subtype", "treatment")
    status = _choice(_("Follow-up"), [*FollowUpStatus.Word.choices, (ANY, _("Everybody registered"))])
    subtype = _choice(_("Subtype"), [("", _("Any subtype")), *Subtype.choices])
    antibody = _choice(_("Antibody"), _antibodies)
    treatment = _choice(_("Treatment today"), _treatments)
    steroid = _choice(
        _("Glucocorticoid today"),
        [
            ("", _("Any dose")),
            (NONE, _("None")),
            ("low", format_lazy(_("Up to {mg} mg a day"), mg=STEROID_LOW_MG)),
            (
                "middle",
                format_lazy(_("Above {low} and up to {high} mg a day"), low=STEROID_LOW_MG, high=STEROID_TARGET_MG),
            ),
            ("high", format_lazy(_("Above {mg} mg a day"), mg=STEROID_TARGET_MG)),
        ],
    )
    clinician = _choice(_("Followed by"), [])
    remission = _choice(
        _("Remission"),
        [
            ("", _("Any state")),
            (remission.YES, _("In remission")),
            (remission.NO, _("Not in remission")),
            (remission.UNKNOWN, _("Not assessed in 12 months")),
            (remission.ASSESSED, _("Assessed in 12 months")),
        ],
    )
    next_visit = _choice(_("Next visit"), [("", _("Any")), (NONE, _("None booked")), ("booked", _("Booked"))])
    sampled = day_of_list(_("Sampled in the week from"), forms.HiddenInput)
    on = day_of_list(_("As it was on"), forms.HiddenInput)

    def __init__(self, query: QueryDict, *, centre: Centre) -> None:
        self.centre = centre
        super().__init__(query, status=ACTIVE)

    def offer(self) -> None:
        self.fields["clinician"] = _choice(
            _("Followed by"), [("", _("Anybody")), (NONE, _("Nobody")), *questions.clinicians(self.centre)]
        )

    def filters(self) -> PatientFilters:
        days = {name: self.values[name] or None for name in ("sampled", "on")}
        return PatientFilters(**{**self.values, **days})
