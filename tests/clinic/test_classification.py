"""The classification of a patient, and the form it needs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from audit.models import Access
from patients.models import ClassificationItems, Patient
from tests import factories
from tests.clinic.one_patient import full
from tests.factories import AS_OF, fact

pytestmark = pytest.mark.django_db


def url(patient: Patient, name: str = "classification") -> str:
    return reverse(f"clinic:{name}", args=[patient.public_id])


@pytest.fixture
def patient(clinic, clinician) -> Patient:
    """Anti-Jo-1 positive, CK raised, 52 years old at the first symptom."""
    return full(clinic, clinician, AS_OF, many=10)


def test_before_anything_was_entered_the_page_says_what_is_not_known(patient, clinician, signed_in) -> None:
    page = signed_in(clinician).get(url(patient)).content.decode()
    assert "No items have been entered yet" in page
    assert "Not known, which is not “no”" in page
    assert "Heliotrope rash" in page
    assert "52 years" in page
    assert "7.3 to" in page  # age 2.1, anti-Jo-1 3.9, enzyme 1.3
    assert "Probable to definite" in page
    assert "information only" in page
    assert Access.objects.filter(page="clinic:classification", patient=patient, by=clinician).exists()


def test_the_form_writes_through_and_the_page_tells_the_class(patient, clinician, signed_in) -> None:
    browser = signed_in(clinician)
    assert "Not looked at" in browser.get(url(patient, "enter-classification")).content.decode()
    typed = {"found_on": "2025-06-10", "heliotrope": "yes", "gottron_papules": "no", "weak_upper_proximal": "yes"}
    answer = browser.post(url(patient, "enter-classification"), typed, follow=True)
    assert answer.redirect_chain[-1][0] == url(patient)
    page = answer.content.decode()
    assert "Classification items saved." in page
    assert "Undo" in page
    made = ClassificationItems.objects.get()
    assert (made.heliotrope, made.gottron_papules, made.gottron_sign, made.has_biopsy) == (True, False, None, False)
    assert made.recorded_by == clinician
    assert "Definite" in page
    assert answer.context["page"].subclass == "Dermatomyositis"
    again = browser.get(url(patient, "enter-classification"))
    assert again.context["form"]["heliotrope"].value() == "yes"
    assert again.context["form"]["gottron_sign"].value() == "unseen"


def test_a_biopsy_is_recommended_without_a_rash(patient, clinician, signed_in) -> None:
    fact(
        ClassificationItems, patient, found_on=AS_OF, heliotrope=False, gottron_papules=False, gottron_sign=False,
        weak_upper_proximal=True,
    )  # fmt: skip
    page = signed_in(clinician).get(url(patient)).content.decode()
    assert "Biopsy recommended" in page
    assert "The sub-class depends on: Weak finger flexors; Improved on treatment." in page


def test_what_is_wrong_stands_beside_its_box_and_what_was_typed_is_kept(patient, clinician, signed_in) -> None:
    typed = {"found_on": "2025-06-10", "rimmed_vacuoles": "yes", "heliotrope": "no"}
    answer = signed_in(clinician).post(url(patient, "enter-classification"), typed)
    assert answer.status_code == 422
    assert "Say that there was one" in answer.content.decode()
    assert answer.context["form"]["heliotrope"].value() == "no"
    empty = signed_in(clinician).post(url(patient, "enter-classification"), {"found_on": "2025-06-10"})
    assert "at least one item" in empty.content.decode()
    late = signed_in(clinician).post(
        url(patient, "enter-classification"), {"found_on": "2025-06-16", "heliotrope": "no"}
    )
    assert "lies in the future" in late.content.decode()
    assert not ClassificationItems.objects.exists()


def test_the_entry_has_a_page_and_can_be_withdrawn(patient, clinician, signed_in) -> None:
    made = fact(ClassificationItems, patient, found_on=AS_OF - dt.timedelta(days=3), heliotrope=True)
    browser = signed_in(clinician)
    where = [patient.public_id, "classification", made.pk]
    assert "Heliotrope" in browser.get(reverse("clinic:fact", args=where)).content.decode()
    browser.post(reverse("clinic:fact-withdraw", args=where), {"reason": "Another patient"})
    made.refresh_from_db()
    assert made.status == "entered_in_error"


def test_who_may(patient, signed_in) -> None:
    physio = signed_in(role="administrator")
    assert physio.get(url(patient)).status_code == 200
    assert "Enter the items" not in physio.get(url(patient)).content.decode()
    assert physio.post(url(patient, "enter-classification"), {"found_on": "2025-06-10"}).status_code == 403
    assert signed_in(role="researcher").get(url(patient)).status_code == 403
    elsewhere = factories.centre()
    theirs = factories.patient(elsewhere, factories.person(elsewhere))
    assert signed_in().get(url(theirs)).status_code == 404
