"""Every write of the exchange: committing a file, and what a person does with the rows that were held."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Centre, User
from audit.attribution import action, job
from exchange import planning
from exchange.mapping import LABS, FileMapping, MappingProblem, read_mapping
from exchange.models import HeldRow, ImportBatch, PendingUpload
from exchange.planning import CORRECTED_BY_SOURCE, HELD, Plan, Progress, Verdict, nobody_asks
from exchange.reading import Decision, LabReading, Outcome, PatientReading, read_lab_row
from exchange.tables import Row
from monitoring.models import Result, Source
from patients.models import Patient

CHUNK = 2000
KEEP_UPLOADS = dt.timedelta(days=1)
COMMAND_LINE = "file-import"
NEW = (Outcome.IMPORTED, Outcome.CORRECTED)


class PlanChangedError(Exception):
    """Somebody changed the record since the file was judged. `plan` is how it stands now; nothing was written."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(_("The record has changed since this preview was made. Look at it again."))
        self.plan = plan


@job("exchange.forget_uploads")
def forget_uploads(*, now: dt.datetime) -> None:
    """Files that nobody has committed or dropped for a day: they hold names and results."""
    PendingUpload.objects.filter(uploaded_at__lt=now - KEEP_UPLOADS).delete()


@action("exchange.keep_upload", "file uploaded, waiting for its preview")
def keep_upload(
    *,
    centre: Centre,
    kind: str,
    content: bytes,
    file_name: str,
    mapping: FileMapping,
    by: User,
    now: dt.datetime,
    source_name: str = "",
) -> PendingUpload:
    """Put a file aside until it is committed or dropped. Files left lying for a day are removed on the way."""
    forget_uploads(now=now)
    upload = PendingUpload(
        centre=centre,
        kind=kind,
        source_name=source_name,
        file_name=file_name[:120],
        content=content,
        mapping=mapping.raw,
        uploaded_at=now,
        uploaded_by=by,
    )
    upload.full_clean(exclude=["content"])
    upload.save(force_insert=True)
    return upload


@action("exchange.begin_work", "work on an uploaded file begun")
def begin_work(*, upload: PendingUpload, state: str, by: User, now: dt.datetime) -> PendingUpload:
    """Ask a worker to read the file (READING) or to import it (IMPORTING). Refused while one is at it."""
    locked = _not_at_work(upload, now)
    locked.state, locked.begun_at = state, now
    locked.save(update_fields=["state", "begun_at"])
    return locked


@job("exchange.end_work")
def end_work(*, upload: PendingUpload, state: str, now: dt.datetime, preview: dict[str, Any] | None = None) -> None:
    """What a worker found: a preview to look at, or that it broke off."""
    found = {"preview": preview} if preview is not None else {}
    PendingUpload.objects.filter(pk=upload.pk).update(state=state, **found)


@action("exchange.drop_upload", "uploaded file dropped")
def drop_upload(*, upload: PendingUpload, by: User, now: dt.datetime) -> None:
    """Nothing of the file is written. Refused while a worker reads or imports it: that could no longer be said."""
    _not_at_work(upload, now).delete()


def _not_at_work(upload: PendingUpload, now: dt.datetime) -> PendingUpload:
    locked = PendingUpload.objects.select_for_update().defer("content").filter(pk=upload.pk).first()
    if locked is None:
        raise ValidationError(_("Somebody has imported or dropped this file in the meantime."))
    if locked.is_at_work(now):
        raise ValidationError(_("This file is being worked on. Wait until that is done."))
    return locked


@action("exchange.commit_import", "file imported")
def commit_import(
    *,
    plan: Plan,
    by: User,
    now: dt.datetime,
    upload: PendingUpload | None = None,
    digest: str = "",
    progress: Progress = nobody_asks,
) -> ImportBatch:
    """Do what the plan says, all of it or nothing, and return the receipt.

    The file is judged again under a lock of the centre. PlanChangedError if any row would fare differently from
    `plan`, or from the preview with this `digest`. `upload`, if the file was waiting in one, is removed,
    and the receipt has its public id: who waited for the one finds the other.
    """
    _lock(plan.centre)
    fresh = planning.decide(plan)
    if fresh.digest != (digest or plan.digest):
        raise PlanChangedError(fresh)
    source = None
    if plan.kind == LABS:
        source = Source.objects.get_or_create(centre=plan.centre, name=plan.source_name)[0]
    report = fresh.report
    batch = ImportBatch.objects.create(
        public_id=upload.public_id if upload is not None else uuid.uuid4(),
        centre=plan.centre,
        kind=plan.kind,
        source=source,
        file_name=plan.file_name,
        sha256=plan.sha256,
        mapping=plan.mapping.raw,
        committed_at=now,
        committed_by=by,
        rows=report.rows,
        imported=report.imported,
        corrected=report.corrected,
        unchanged=report.unchanged,
        quarantined=report.quarantined,
        rejected=report.rejected,
        notes=list(report.notes),
    )
    if source is not None:
        _write_results(fresh.verdicts, source=source, by=by, now=now, progress=progress)
    else:
        _write_patients(fresh.verdicts, centre=plan.centre, by=by, now=now)
    _hold(batch, fresh.verdicts)
    _release_waiting(fresh.verdicts, by=by, now=now)
    if upload is not None:
        upload.delete()
    return batch


@action("exchange.place_held_row", "row of a file placed by a person")
def place_held_row(
    *,
    held: HeldRow,
    by: User,
    now: dt.datetime,
    patient: Patient | None = None,
    analyte: str = "",
    unit: str = "",
    value: str = "",
    as_received: bool = False,
    accept_key: bool = False,
    reason: str = "",
    alike: bool = False,
) -> int:
    """Make a held row of a laboratory's file a result, with what a person decided where the row itself does not say.

    Returns how many rows were placed: this one, and with `alike` those others of the batch that wait with the same
    unknown patient number, test or unit and are complete with the same answer. A value is never carried over.
    ValidationError by the field of the mapping where the row still cannot be placed; then nothing is written.
    """
    batch = ImportBatch.objects.select_related("centre", "source").get(pk=held.batch_id)
    if batch.kind != LABS or batch.source is None:
        raise ValidationError(_("A row of a file of patients is settled on the patient's page, then discarded here."))
    if patient is not None and patient.centre_id != batch.centre_id:
        raise ValidationError({"patient_number": _("This patient does not belong to the centre.")})
    _lock(batch.centre)
    held = _waiting(held)
    if held.kind != HeldRow.Kind.QUARANTINED:
        raise ValidationError(_("A row that cannot be read has to be sent again; discard this one."))
    try:
        mapping = read_mapping(batch.mapping, LABS)
    except MappingProblem:
        raise ValidationError(
            _("The mapping of this file is out of date. Send the file again with a new one.")
        ) from None
    decision = Decision(
        patient_number=patient.record_number if patient else "",
        analyte=analyte,
        unit=unit,
        value=value,
        as_received=as_received,
        accept_key=accept_key,
    )
    verdict = _judge([(held, decision)], batch=batch, mapping=mapping, now=now)[0]
    if verdict.problems:
        errors: dict[str, list[str]] = {}
        for problem in verdict.problems:
            errors.setdefault(problem.field, []).append(problem.message)
        raise ValidationError(errors)
    placed = [(held, verdict)]
    if alike:
        placed += _alike(held, decision, batch=batch, mapping=mapping, now=now)
    results = _write_results([v for _, v in placed], source=batch.source, by=by, now=now)
    for row, verdict in placed:
        assert isinstance(verdict.reading, LabReading)
        row.result_id = results.get(verdict.reading.source_key, verdict.existing)
    _resolve([row for row, _ in placed], HeldRow.Resolution.PLACED, by=by, now=now, reason=reason)
    return len(placed)


@action("exchange.discard_held_row", "row of a file discarded")
def discard_held_row(*, held: HeldRow, by: User, now: dt.datetime, reason: str, alike: bool = False) -> int:
    """Close a held row without making anything of it. Returns how many: with `alike`, all of the batch that wait with
    the same faults in the same texts (the same unknown test, say). ValidationError without a reason."""
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is discarded.")})
    batch = ImportBatch.objects.select_related("centre").get(pk=held.batch_id)
    _lock(batch.centre)
    held = _waiting(held)
    rows = [held]
    if alike:
        mapping = read_mapping(batch.mapping, batch.kind)
        faults = _faults(held, mapping)
        rows += [row for row in _others(held) if _faults(row, mapping) == faults]
    _resolve(rows, HeldRow.Resolution.DISCARDED, by=by, now=now, reason=reason.strip()[:200])
    return len(rows)


@action("exchange.command_line_user", "author of imports from the command line created")
def command_line_user(*, by: User | None, now: dt.datetime) -> User:
    """The author of imports nobody is named for: an account that cannot sign in."""
    user, created = User.objects.get_or_create(
        username=COMMAND_LINE,
        defaults={
            "email": f"{COMMAND_LINE}@localhost",
            "full_name": "File import",
            "is_active": False,
            "date_joined": now,
        },
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


# ------------------------------------------------------------------------------------------------------------- facts


def _lock(centre: Centre) -> None:
    """One import of a centre at a time: two files with the same new key must not both find it new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"exchange.import.{centre.pk}"])


def _write_results(
    verdicts: Iterable[Verdict], *, source: Source, by: User, now: dt.datetime, progress: Progress = nobody_asks
) -> dict[str, int]:
    """Retire what is corrected, then append. Returns the new results' ids by their source key."""
    new = [v for v in verdicts if v.outcome in NEW]
    replaced = [v.replaces for v in new if v.replaces is not None]
    if replaced:
        retired = Result.objects.filter(pk__in=replaced, retired_at__isnull=True).update(retired_at=now, retired_by=by)
        if retired != len(replaced):
            raise ValidationError(
                _("Somebody has corrected or withdrawn a result in the meantime. Nothing was changed.")
            )
    results = [_result(v, source=source, by=by, now=now) for v in new]
    created: list[Result] = []
    for start in range(0, len(results), CHUNK):
        progress(start, len(results))
        created += Result.objects.bulk_create(results[start : start + CHUNK])
    return {result.source_key: result.pk for result in created}


def _result(verdict: Verdict, *, source: Source, by: User, now: dt.datetime) -> Result:
    reading = verdict.reading
    assert isinstance(reading, LabReading)
    assert verdict.patient_id is not None
    assert reading.taken_on is not None
    return Result(
        patient_id=verdict.patient_id,
        status="amended" if verdict.replaces else "final",
        supersedes_id=verdict.replaces,
        change_reason=CORRECTED_BY_SOURCE if verdict.replaces else "",
        recorded_at=now,
        recorded_by=by,
        analyte=reading.analyte,
        value=reading.value,
        comparator=reading.comparator,
        low=reading.low,
        uln=reading.uln,
        value_received=reading.value_received,
        unit_received=reading.unit_received,
        low_received=reading.low_received,
        uln_received=reading.uln_received,
        taken_on=reading.taken_on,
        taken_at=reading.taken_at,
        reported_at=reading.reported_at,
        laboratory=reading.laboratory,
        source=source,
        source_key=reading.source_key,
    )


def _write_patients(verdicts: Iterable[Verdict], *, centre: Centre, by: User, now: dt.datetime) -> None:
    people = []
    for verdict in verdicts:
        reading = verdict.reading
        if verdict.outcome is not Outcome.IMPORTED or not isinstance(reading, PatientReading):
            continue
        assert reading.born_on is not None
        people.append(
            Patient(
                centre=centre,
                record_number=reading.patient_number,
                given_name=reading.given_name,
                family_name=reading.family_name,
                born_on=reading.born_on,
                sex=reading.sex,
                subtype=reading.subtype,
                onset_on=reading.onset_on,
                diagnosed_on=reading.diagnosed_on,
                created_at=now,
                created_by=by,
            )
        )
    Patient.objects.bulk_create(people, batch_size=CHUNK)


# --------------------------------------------------------------------------------------------------------- held rows


def _hold(batch: ImportBatch, verdicts: Iterable[Verdict]) -> None:
    HeldRow.objects.bulk_create(
        [
            HeldRow(
                batch=batch,
                kind=str(v.outcome),
                row_number=v.row.number,
                problems=[p.as_json() for p in v.problems],
                data=v.row.data,
                fingerprint=v.fingerprint,
            )
            for v in verdicts
            if v.outcome in HELD and not v.waits_already
        ],
        batch_size=CHUNK,
    )


def _release_waiting(verdicts: Iterable[Verdict], *, by: User, now: dt.datetime) -> None:
    """A row that waited and now came in by a better mapping, or with its patient registered, waits no longer."""
    settled = {v.fingerprint for v in verdicts if v.outcome not in HELD}
    rows = HeldRow.objects.filter(planning.is_any_of("fingerprint", settled), resolution="")
    rows.update(
        resolution=HeldRow.Resolution.PLACED,
        resolved_at=now,
        resolved_by=by,
        resolution_reason="Came in with a later file",
    )


def _waiting(held: HeldRow) -> HeldRow:
    locked = HeldRow.objects.select_for_update().get(pk=held.pk)
    if locked.resolution:
        raise ValidationError(_("Somebody has settled this row in the meantime. Nothing was changed."))
    return locked


def _others(held: HeldRow) -> list[HeldRow]:
    rows = HeldRow.objects.select_for_update().filter(batch_id=held.batch_id, kind=held.kind, resolution="")
    return list(rows.exclude(pk=held.pk).order_by("row_number"))


def _judge(
    rows: list[tuple[HeldRow, Decision]], *, batch: ImportBatch, mapping: FileMapping, now: dt.datetime
) -> list[Verdict]:
    """The same reading and the same judgement as for a file; all `rows` share the decision about the key."""
    assert batch.source is not None
    readings = [
        read_lab_row(Row(held.row_number, held.data), mapping, zone=batch.centre.zone, now=now, decision=decision)
        for held, decision in rows
    ]
    return planning.decide_labs(
        readings, centre=batch.centre, source_name=batch.source.name, decision=rows[0][1], held=True
    )


def _alike(
    held: HeldRow, decision: Decision, *, batch: ImportBatch, mapping: FileMapping, now: dt.datetime
) -> list[tuple[HeldRow, Verdict]]:
    """The other waiting rows that the same answer completes."""

    def said(row: HeldRow, name: str) -> str:
        return mapping.text(name, row.data)

    rows = []
    for other in _others(held):
        same_test = said(other, "test") == said(held, "test")
        answer = Decision(
            patient_number=decision.patient_number
            if said(other, "patient_number") == said(held, "patient_number")
            else "",
            analyte=decision.analyte if same_test else "",
            unit=decision.unit if same_test and said(other, "unit") == said(held, "unit") else "",
        )
        if answer != Decision():
            rows.append((other, answer))
    if not rows:
        return []
    verdicts = _judge(rows, batch=batch, mapping=mapping, now=now)
    key = mapping.text("id", held.data)
    return [
        (other, verdict)
        for (other, _), verdict in zip(rows, verdicts, strict=True)
        if not verdict.problems and mapping.text("id", other.data) != key
    ]


def _faults(held: HeldRow, mapping: FileMapping) -> Any:
    """What is wrong with a row and in which text: two rows alike in this deserve the same decision."""
    return sorted((p["field"], p["code"], mapping.text(p["field"], held.data)) for p in held.problems)


def _resolve(rows: list[HeldRow], resolution: str, *, by: User, now: dt.datetime, reason: str) -> None:
    for row in rows:
        row.resolution, row.resolved_at, row.resolved_by, row.resolution_reason = resolution, now, by, reason[:200]
    HeldRow.objects.bulk_update(
        rows, ["resolution", "resolved_at", "resolved_by", "resolution_reason", "result"], batch_size=CHUNK
    )
