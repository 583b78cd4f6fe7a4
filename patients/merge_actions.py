"""Making two records of one person one, and taking that back."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import User
from audit import facts
from audit.attribution import action
from patients import merging, selectors
from patients.models import Merge, Patient, Touched


@action("patients.merge", "two records made one")
def merge_patients(
    *, kept: Patient, absorbed: Patient, versions: tuple[int, int], reason: str, by: User, now: dt.datetime
) -> Merge:
    """`kept` takes in everything of `absorbed`, which from then on is on no list, in no rule and in no search; its
    number and its address lead to `kept`.

    `versions` of both (`selectors.version`) are those of the comparison a person saw; where one has changed since,
    nothing is done (code "conflict"). What can stand once only, and `kept` has of its own, stays behind.
    """
    _check_reason(reason, _("Say why these two are one person."))
    if kept.pk == absorbed.pk:
        raise ValidationError(_("Choose two different records."))
    rows = _locked(kept, absorbed)
    kept, absorbed = rows[kept.pk], rows[absorbed.pk]
    if kept.centre_id != absorbed.centre_id:
        raise ValidationError(_("Records of two centres are not merged."))
    if kept.merged_into_id or absorbed.merged_into_id:
        raise ValidationError(_("One of the two was merged in the meantime. Nothing was changed."))
    if (selectors.version(kept), selectors.version(absorbed)) != versions:
        message = _("Somebody has changed one of the two in the meantime. Look at them again, then merge.")
        raise ValidationError(message, code="conflict")
    moved: dict[str, list[int]] = {}
    with facts.refusals_in_plain_words(), _moving():
        for column in merging.columns():
            ids = merging.moving_ids(column, kept=kept, absorbed=absorbed)
            if ids:
                column.rows(pk__in=ids).update(**{column.name: kept})
                moved[column.key] = ids
        filled = {}
        for name, value in merging.to_fill(kept, absorbed).items():
            filled[name] = [_plain(getattr(kept, name)), _plain(value)]
            setattr(kept, name, value)
        if filled:
            kept.save(update_fields=[*filled])
        absorbed.merged_into = kept
        absorbed.save(update_fields=["merged_into"])
        _touch(kept, absorbed, now=now)
    return Merge.objects.create(
        kept=kept, absorbed=absorbed, moved=moved, filled=filled, reason=reason.strip(), merged_at=now, merged_by=by
    )


@action("patients.take_back_merge", "merging of two records taken back")
def take_back_merge(*, merge: Merge, reason: str, by: User, now: dt.datetime) -> Merge:
    """The two records are two again. The rows that changed sides go back, and with them whatever was built upon them
    since (a correction, a dose of a course); everything else recorded since stays with the kept record.

    Merges of one record are taken back in their order, the newest first.
    """
    _check_reason(reason, _("Say why these are two people."))
    merge = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    if merge.taken_back_at is not None:
        raise ValidationError(_("This has been taken back already."))
    rows = _locked(merge.kept, merge.absorbed)
    kept, absorbed = rows[merge.kept_id], rows[merge.absorbed_id]
    if kept.merged_into_id is not None:
        raise ValidationError(_("The record that was kept was itself merged since. Take that back first."))
    with facts.refusals_in_plain_words(), _moving():
        absorbed.merged_into = None
        absorbed.save(update_fields=["merged_into"])
        for column, ids in merging.going_back(merge.moved, kept).items():
            if ids:
                column.rows(pk__in=ids).update(**{column.name: absorbed})
        given_back = [name for name, (_was, now_is) in merge.filled.items() if _plain(getattr(kept, name)) == now_is]
        for name in given_back:
            field: Any = Patient._meta.get_field(name.removesuffix("_id"))
            setattr(kept, name, field.to_python(merge.filled[name][0]))
        if given_back:
            kept.save(update_fields=given_back)
        _touch(kept, absorbed, now=now)
    merge.taken_back_at, merge.taken_back_by, merge.taken_back_reason = now, by, reason.strip()
    merge.save(update_fields=["taken_back_at", "taken_back_by", "taken_back_reason"])
    return merge


def _check_reason(reason: str, ask: str) -> None:
    longest = Merge._meta.get_field("reason").max_length or 0
    if not reason.strip():
        raise ValidationError({"reason": ask})
    if len(reason) > longest:
        raise ValidationError({"reason": _("At most %(n)s characters.") % {"n": longest}})


def _locked(one: Patient, other: Patient) -> dict[int, Patient]:
    """Both rows, locked in one order for everybody. Whatever is being recorded about them is waited for, and what comes
    after waits (see the trigger of Touched).
    """
    found = Patient.everybody.select_for_update(of=("self",)).filter(pk__in=[one.pk, other.pk]).order_by("pk")
    return {patient.pk: patient for patient in found}


@contextlib.contextmanager
def _moving() -> Iterator[None]:
    """Inside, rows of a merged record may be written (see the trigger of Touched). An error ends the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('patients.merging', 'on', true)")
        yield
        cursor.execute("SELECT set_config('patients.merging', 'off', true)")


def _touch(*patients: Patient, now: dt.datetime) -> None:
    """The rules are asked about both: what they found about the one that is gone closes."""
    Touched.objects.bulk_create([Touched(patient=patient, touched_at=now) for patient in patients])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
