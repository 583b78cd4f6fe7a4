"""What somebody typed outlives their session, for them alone."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import kept
from accounts.models import Centre, Membership, User
from audit.models import Entry
from monitoring.models import LungFunction
from patients.models import Patient
from tests import factories

PASSWORD = "correct horse battery staple"
TYPED = "Tuesday's set, ß > µ"


@pytest.fixture
def clock(db: None) -> Iterator[Any]:
    with time_machine.travel(factories.NOW, tick=False) as clock:
        yield clock


@dataclass
class Desk:
    """A person in front of a browser, with a patient's form open."""

    person: User
    patient: Patient
    browser: Client

    @property
    def form(self) -> str:
        return reverse("clinic:enter-lung", args=[self.patient.public_id])

    def opens(self, address: str = "") -> str:
        answer = self.browser.get(address or self.form)
        assert answer.status_code == 200, answer.status_code
        return str(answer.content.decode())

    def session_ends(self) -> None:
        """As it does by itself: the row and its copy are gone, the cookies are not."""
        self.browser.session.delete()

    def sends(self, page: str, address: str = "", referer: str = "", **typed: str) -> Any:
        hidden = dict(re.findall(r'<input type="hidden" name="(whose|csrfmiddlewaretoken)" value="([^"]+)"', page))
        origin = "http://testserver"
        return self.browser.post(
            address or self.form, hidden | typed, headers={"referer": origin + (referer or self.form)}
        )

    def signs_in(self, answer: Any, person: User | None = None) -> Any:
        person = person or self.person
        person.set_password(PASSWORD)
        person.save()
        page = self.browser.get(answer.url).content.decode()
        next_page = re.search(r'name="next" value="([^"]+)"', page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert next_page is not None
        assert token is not None
        data = {"login": person.email, "password": PASSWORD, "next": next_page[1], "csrfmiddlewaretoken": token[1]}
        return self.browser.post(reverse("account_login"), data)


@pytest.fixture
def desk(clock: Any) -> Desk:
    centre = factories.centre()
    person = factories.person(centre)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    return Desk(person, factories.patient(centre, person), browser)


def test_a_form_sent_after_the_session_ended_comes_back_filled(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    answer = desk.sends(page, tested_on="2025-06-10", reference_set=TYPED)
    assert answer.status_code == 302
    assert answer.url == f"/login/login/?next={desk.form}"
    assert "What you typed is kept" in desk.browser.get(answer.url).content.decode()
    back = desk.signs_in(answer)
    assert back.status_code == 302
    assert back.url == desk.form
    page = desk.opens(back.url)
    assert "This was not saved yet" in page
    assert "Tuesday&#x27;s set, ß &gt; µ" in page
    assert 'value="2025-06-10"' in page
    assert not LungFunction.objects.exists()
    assert "Tuesday" in desk.opens(), "reloading does not lose it"
    typed = {"tested_on": "2025-06-10", "fvc_percent_predicted": "70", "dlco_hb_corrected": "unknown"}
    sent = desk.sends(page, **typed, reference_set=TYPED)
    assert sent.status_code == 302, sent.content.decode()
    assert LungFunction.objects.get().tested_on == dt.date(2025, 6, 10)
    assert "This was not saved yet" not in desk.opens(), "once it is sent it has done its work"


def test_what_is_not_wanted_is_discarded(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    page = desk.opens(desk.signs_in(desk.sends(page, reference_set=TYPED)).url)
    assert '<button class="btn btn-sm" form="kept-discard">' in page, (
        "not a button of the form: Enter must not press it"
    )
    answer = desk.sends(page, reverse("accounts:discard-kept"))
    assert (answer.status_code, answer.url) == (302, desk.form)
    assert "Tuesday" not in desk.opens()
    assert desk.sends(page, reverse("accounts:discard-kept")).url == "/"


@pytest.mark.parametrize("status", [422, 302])
def test_another_form_does_not_take_it_away(desk: Desk, status: int) -> None:
    page = desk.opens()
    desk.session_ends()
    page = desk.opens(desk.signs_in(desk.sends(page, reference_set=TYPED)).url)
    other = reverse("clinic:enter-body-size", args=[desk.patient.public_id])
    typed = {"measured_on": "2025-06-10", "weight_kg": "70"} if status == 302 else {}
    assert desk.sends(page, other, **typed).status_code == status
    assert "Tuesday" in desk.opens()
    assert desk.sends(page, reference_set=TYPED).status_code == 422
    assert "Tuesday" not in desk.opens(), "its own answer had it in its boxes"


def test_it_comes_back_at_its_own_address_after_a_second_factor(desk: Desk) -> None:
    TOTP.activate(desk.person, generate_totp_secret())
    code = RecoveryCodes.activate(desk.person).get_unused_codes()[0]
    page = desk.opens()
    desk.session_ends()
    answer = desk.signs_in(desk.sends(page, reference_set=TYPED))
    assert answer.url == reverse("mfa_authenticate")
    page = desk.browser.get(answer.url).content.decode()
    assert "Tuesday" not in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    answer = desk.browser.post(reverse("mfa_authenticate"), {"code": code, "csrfmiddlewaretoken": token[1]})
    assert (answer.status_code, answer.url) == (302, desk.form)
    for _ in range(2):
        assert "Tuesday" in desk.opens(answer.url)


# ------------------------------------------------------------------------------------------------------ several centres


@pytest.fixture
def two(desk: Desk) -> tuple[Desk, Centre]:
    """The person works at another centre, too, and is there now."""
    there = factories.centre(name="Harbour")
    Membership.objects.create(user=desk.person, centre=there, role="clinician")
    changes_to(desk, there)
    return desk, there


def changes_to(desk: Desk, centre: Centre) -> Any:
    """In another tab."""
    page = desk.opens(reverse("accounts:profile"))
    return desk.sends(page, reverse("accounts:switch-centre"), centre=str(centre.public_id))


NEW = {
    "family_name": "Tuesday", "given_name": "Ada", "record_number": "N-1", "sex": "female", "born_on": "1970-01-01",
    "subtype": "dermatomyositis",
}  # fmt: skip


def test_a_form_made_at_one_centre_is_not_taken_at_another(two: tuple[Desk, Centre]) -> None:
    desk, harbour = two
    address = reverse("clinic:patient-new")
    page = desk.opens(address)
    changes_to(desk, desk.patient.centre)
    answer = desk.sends(page, address, address, **NEW)
    assert (answer.status_code, answer.url) == (302, reverse("accounts:elsewhere"))
    assert not Patient.objects.filter(family_name="Tuesday").exists()
    said = desk.opens(answer.url)
    assert "This form was made at Harbour." in said
    assert "Tuesday" in said
    assert "Tuesday" in desk.opens(answer.url), "reloading it is safe"
    assert "Tuesday" not in desk.opens(address), "at the wrong centre the page stays empty, and the centre as it is"
    answer = changes_to(desk, harbour)
    assert (answer.status_code, answer.url) == (302, address)
    for _ in range(2):
        page = desk.opens(address)
        assert "You worked at another centre when you sent it." in page
        assert 'value="Tuesday"' in page
    assert desk.sends(page, address, address, **NEW).status_code == 302
    assert Patient.objects.get(family_name="Tuesday").centre == harbour
    assert "This was not saved yet" not in desk.opens(address)
    assert desk.browser.get(reverse("accounts:elsewhere")).url == "/"


@pytest.mark.parametrize("name", ["exchange:upload", "tablets", "people"])
def test_no_page_without_a_patient_takes_it(two: tuple[Desk, Centre], name: str) -> None:
    desk, _ = two
    Membership.objects.filter(user=desk.person).update(role="administrator" if name == "people" else "clinician")
    address = reverse(name if ":" in name else f"{'accounts' if name == 'people' else 'clinic'}:{name}")
    page = desk.opens(address)
    changes_to(desk, desk.patient.centre)
    before = Entry.objects.count()
    for target in (address, reverse("accounts:set-digest")):
        assert desk.sends(page, target, address, q="x").url == reverse("accounts:elsewhere")
    assert Entry.objects.count() == before


def test_what_a_script_asks_of_the_wrong_centre_is_refused(two: tuple[Desk, Centre]) -> None:
    desk, _ = two
    address = reverse("clinic:patient-new")
    page = desk.opens(address)
    found = re.search(r'data-whose="(\w+)"', page)
    hidden = dict(re.findall(r'<input type="hidden" name="(whose|csrfmiddlewaretoken)" value="([^"]+)"', page))
    assert found
    part = {"HX-Request": "true", "X-Whose": found[1]}
    ask = {"path": reverse("clinic:worklist"), "headers": part}
    assert desk.browser.get(**ask).status_code == 200
    changes_to(desk, desk.patient.centre)
    assert desk.browser.get(**ask).status_code == 409
    answer = desk.browser.post(address, hidden | NEW, headers=part)
    assert (answer.status_code, answer.headers.get("HX-Redirect")) == (409, None)
    assert "kept" not in desk.browser.session
    answer = desk.browser.post(address, hidden | NEW, headers={**part, "X-Submitted": "yes"})
    assert (answer.status_code, answer["HX-Redirect"]) == (409, reverse("accounts:elsewhere"))
    assert "kept" in desk.browser.session


def test_a_form_of_a_centre_one_has_left_is_taken_nowhere(two: tuple[Desk, Centre]) -> None:
    desk, harbour = two
    address = reverse("clinic:patient-new")
    page = desk.opens(address)
    Membership.objects.filter(user=desk.person, centre=harbour).update(is_active=False)
    answer = desk.sends(page, address, address, **NEW)
    assert answer.status_code == 403
    assert "Tuesday" not in answer.content.decode()
    forged = re.sub(r'(name="whose" value=")[^"]+', r"\1x:y", page)
    assert desk.sends(forged, address, address, **NEW).status_code == 403
    assert not Patient.objects.filter(family_name="Tuesday").exists()


def test_what_is_too_long_to_be_kept_is_refused_all_the_same(two: tuple[Desk, Centre]) -> None:
    desk, _ = two
    address = reverse("clinic:patient-new")
    page = desk.opens(address)
    changes_to(desk, desk.patient.centre)
    answer = desk.sends(page, address, address, **NEW, note="x" * kept.LARGEST)
    assert answer.status_code == 409
    assert "it could not be kept" in answer.content.decode()
    assert not Patient.objects.filter(family_name="Tuesday").exists()


# ------------------------------------------------------------------------------------------------------- drafts in tabs


def test_the_key_of_drafts_is_one_persons_and_outlives_the_session(desk: Desk) -> None:
    def key() -> str:
        found = re.search(r'data-draft-key="([^"]+)"', desk.opens())
        assert found
        return found[1]

    first = key()
    assert len(base64.b64decode(first)) == 32
    desk.browser.logout()
    assert "data-draft-key" not in desk.opens(reverse("account_login"))
    desk.browser.force_login(desk.person)
    assert key() == first
    desk.browser.force_login(factories.person(desk.patient.centre))
    assert key() != first


def test_another_person_sees_nothing_of_it(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    answer = desk.sends(page, reference_set=TYPED)
    colleague = factories.person(desk.patient.centre)
    back = desk.signs_in(answer, colleague)
    assert "Tuesday" not in desk.opens(back.url)
    desk.browser.force_login(desk.person)
    assert "Tuesday" not in desk.opens(), "thrown away when the other signed in"


def test_it_is_kept_for_a_quarter_of_an_hour(desk: Desk, clock: Any) -> None:
    for minutes, there in ((14, True), (16, False)):
        page = desk.opens()
        desk.session_ends()
        answer = desk.sends(page, reference_set=TYPED)
        clock.shift(dt.timedelta(minutes=minutes))
        assert ("Tuesday" in desk.opens(desk.signs_in(answer).url)) is there


def test_where_it_waits_it_cannot_be_read(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    desk.sends(page, reference_set=TYPED)
    waiting = desk.browser.session
    assert "kept" in waiting
    assert "Tuesday" not in str(dict(waiting.items()))
    stored = Session.objects.get(session_key=waiting.session_key)
    assert "Tuesday" not in str(stored.get_decoded())
    assert "Tuesday" not in str(cache.get(f"django.contrib.sessions.cached_db{waiting.session_key}"))


def test_strangers_cannot_leave_anything_with_us(desk: Desk) -> None:
    stranger = Client()
    mark = kept.mark(desk.person.pk, desk.patient.centre_id)
    for forged in ("", mark, f"{mark}:xyz"):
        answer = stranger.post(desk.form, {"whose": forged, "reference_set": TYPED})
        assert answer.status_code == 302
        assert settings.SESSION_COOKIE_NAME not in stranger.cookies


def test_passwords_and_what_is_too_long_are_not_kept(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    desk.sends(page, reference_set=TYPED, old_password="hunter2")
    encrypted = desk.browser.session["kept"]
    assert b"hunter2" not in kept._cipher().decrypt(encrypted.encode())
    page = desk.opens(desk.signs_in(desk.sends(page, reference_set=TYPED)).url)
    desk.session_ends()
    desk.sends(page, reference_set="x" * kept.LARGEST)
    assert "kept" not in desk.browser.session


def test_a_button_without_a_page_of_its_own_shows_what_was_typed_and_can_send_it(desk: Desk) -> None:
    page = desk.opens()
    address = reverse("clinic:undo", args=[7])
    desk.session_ends()
    answer = desk.sends(page, address, referer=address, reason=TYPED)
    page = desk.opens(desk.signs_in(answer).url)
    assert "Send it now" in page
    assert f'action="{address}"' in page
    assert '<input type="hidden" name="reason" value="Tuesday&#x27;s set, ß &gt; µ">' in page


def test_a_form_older_than_the_last_signing_in_comes_back_filled(desk: Desk) -> None:
    """Signed in anew in another window: the form's token is out of date."""
    page = desk.opens()
    desk.session_ends()
    desk.signs_in(desk.browser.get(desk.form))
    answer = desk.sends(page, reference_set=TYPED)
    assert answer.status_code == 302
    assert answer.url == desk.form
    assert "Tuesday" in desk.opens()
    # And a colleague at the same window gets the refusal, not the text.
    page = desk.opens()
    desk.browser.logout()
    colleague = factories.person(desk.patient.centre)
    desk.signs_in(desk.browser.get(desk.form), colleague)
    refused = desk.sends(page, reference_set=TYPED)
    assert refused.status_code == 403
    assert "Tuesday" not in refused.content.decode() + desk.opens()


def test_a_part_of_a_page_never_becomes_the_sign_in_page(desk: Desk) -> None:
    page = desk.opens()
    desk.session_ends()
    part = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{desk.form}"}
    answer = desk.browser.get(desk.form, headers=part)
    assert answer.status_code == 401
    assert "HX-Redirect" not in answer.headers
    hidden = dict(re.findall(r'<input type="hidden" name="(whose|csrfmiddlewaretoken)" value="([^"]+)"', page))
    answer = desk.browser.post(desk.form, hidden | {"reference_set": TYPED}, headers=part)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == f"/login/login/?next={desk.form}"


def test_a_part_older_than_the_last_signing_in_never_becomes_a_page(desk: Desk) -> None:
    """Its page comes back filled, and does not appear in the middle of itself."""
    page = desk.opens()
    desk.session_ends()
    desk.signs_in(desk.browser.get(desk.form))
    hidden = dict(re.findall(r'<input type="hidden" name="(whose|csrfmiddlewaretoken)" value="([^"]+)"', page))
    part = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{desk.form}"}
    answer = desk.browser.post(desk.form, hidden | {"reference_set": TYPED}, headers=part)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, desk.form)
    assert "Tuesday" in desk.opens()


def test_nobody_is_sent_to_another_site(desk: Desk) -> None:
    """The page that held the form is named by the browser; a path with two slashes would lead away."""
    page = desk.opens()
    desk.session_ends()
    desk.signs_in(desk.browser.get(desk.form))
    assert desk.sends(page, referer="//elsewhere.example/", reference_set=TYPED).url == desk.form


def test_what_was_typed_at_another_centre_comes_back_there(desk: Desk) -> None:
    """Signed in anew one is at one's first centre: a patient must not be registered at the wrong one."""
    other = factories.centre()
    Membership.objects.create(user=desk.person, centre=other, role="clinician")
    desk.sends(desk.opens(), reverse("accounts:switch-centre"), centre=str(other.public_id))
    address = reverse("clinic:patient-new")
    page = desk.opens(address)
    desk.session_ends()
    back = desk.signs_in(desk.sends(page, address, referer=address, family_name=TYPED))
    answer = desk.browser.get(back.url)
    assert (answer.status_code, answer.url) == (302, address)
    answer = desk.browser.get(answer.url)
    assert answer.wsgi_request.centre == other
    assert "Tuesday&#x27;s set" in answer.content.decode()
    assert f"You are now at {other}." in answer.content.decode()
