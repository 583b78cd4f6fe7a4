"""A patient with a bit of everything, for the pages that show one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from accounts.models import Centre, User
from alerts.models import Alert, AlertEvent, EventKind, NotEvaluable, Upcoming
from monitoring.models import Assessment, BodySize, Booking, Confounder, Imaging, LungFunction, Result, Screening
from patients.models import AntibodyResult, Consent, FollowUpStatus, Manifestation, Patient, RiskFactor, RuleException
from tests import factories
from tests.factories import fact
from therapy.models import (
    Course,
    CourseStop,
    Dose,
    Infusion,
    PhysioPlan,
    PhysioSession,
    SessionOutcome,
    TaperConfirmation,
    TaperPlan,
    TaperStep,
)

D = Decimal


def results(patient: Patient, as_of: dt.date, many: int, every_days: int = 14) -> None:
    """`many` results: five analytes on each sample day, back from 3 days ago."""
    rows = []
    table = (
        ("ck", 900, 190, 3),
        ("alt", 60, 45, 2),
        ("crp", 6, 5, 1),
        ("haemoglobin", 131, None, 0),
        ("creatinine", 62, 90, 0),
    )
    for number in range(many):
        code, level, uln, swing = table[number % 5]
        visit = number // 5
        value = D(level) * D(1 + swing * ((visit * 7) % 5) / 4 / 2).quantize(D("0.01"))
        rows.append(
            Result(
                patient=patient,
                analyte=code,
                value=value,
                uln=uln,
                low=120 if code == "haemoglobin" else None,
                value_received=str(value),
                unit_received="U/L",
                taken_on=as_of - dt.timedelta(days=3 + every_days * visit),
                laboratory="Central",
                recorded_at=factories.LONG_AGO,
                recorded_by=patient.created_by,
            )
        )
    Result.objects.bulk_create(rows)


def alert(patient: Patient, rule: str, level: str, as_of: dt.date, **fields: object) -> Alert:
    moment = dt.datetime.combine(as_of, dt.time(0), tzinfo=patient.centre.zone)  # never later than now
    made = Alert.objects.create(
        **{
            "centre": patient.centre,
            "patient": patient,
            "rule": rule,
            "rule_version": 1,
            "subject": "patient",
            "level": level,
            "audience": "clinician",
            "evidence": {},
            "as_of": as_of,
            "evidence_at": moment,
            "opened_at": moment,
            "level_since": moment,
            **fields,
        }
    )
    AlertEvent.objects.create(alert=made, kind=EventKind.OPENED, at=moment, level=level)
    return made


def full(at: Centre, by: User, as_of: dt.date, *, many: int = 30, every_days: int = 14, **fields: object) -> Patient:
    """Somebody treated for two years: prednisone tapered, methotrexate, azathioprine stopped, lung disease."""

    def ago(days: int) -> dt.date:
        return as_of - dt.timedelta(days=days)

    p = factories.patient(at, by, **{"onset_on": ago(800), "diagnosed_on": ago(730), **fields})
    results(p, as_of, many, every_days)
    fact(AntibodyResult, p, antibody="jo-1", result="positive", taken_on=ago(730), assay="line blot")
    fact(Manifestation, p, kind="ild", onset_on=ago(700))
    fact(Manifestation, p, kind="mechanics_hands", onset_on=ago(720))
    fact(RiskFactor, p, kind="diabetes", starts_on=ago(400))
    fact(Screening, p, kind="fracture_risk", done_on=ago(100), outcome="normal", score=D("7.5"))
    fact(FollowUpStatus, p, word="active", starts_on=ago(730))
    fact(Consent, p, scope="research", decision="given", decided_on=ago(700))
    fact(BodySize, p, measured_on=ago(20), weight_kg=D("68.5"), height_cm=D("171.0"))
    fact(Confounder, p, kind="statin", happened_on=ago(60), note="Atorvastatin 20 mg")
    fact(
        RuleException,
        p,
        rule="physio-review-due",
        reason="Reviewed by her own physiotherapist",
        starts_on=ago(10),
        ends_on=as_of,
    )

    prednisone = fact(Course, p, drug="prednisone", route="oral", indication="Myositis")
    for start, end, amount in ((170, 130, 60), (129, 90, 40), (89, 40, 20), (39, None, 12)):
        fact(Dose, p, course=prednisone, starts_on=ago(start), ends_on=ago(end) if end else None, amount=D(amount))
    methotrexate = fact(Course, p, drug="methotrexate", route="subcutaneous")
    fact(Dose, p, course=methotrexate, starts_on=ago(150), amount=D(15), times=1, every_days=7)
    azathioprine = fact(Course, p, drug="azathioprine", route="oral")
    fact(Dose, p, course=azathioprine, starts_on=ago(600), ends_on=ago(400), amount=D(100))
    fact(CourseStop, p, course=azathioprine, stopped_on=ago(400), reason="toxicity", note="Liver enzymes")
    ivig = fact(Course, p, drug="ivig", route="intravenous")
    fact(Infusion, p, course=ivig, given_on=ago(100), amount=D(137), reaction="mild")

    taper = fact(TaperPlan, p, note="Standard")
    for index, (day, mg) in enumerate(((-89, 20), (-39, 12), (14, 10), (42, 7))):
        step = fact(TaperStep, p, plan=taper, step_on=ago(-day), dose_pe_mg=D(mg))
        if index < 2:
            fact(TaperConfirmation, p, step=step, confirmed_on=ago(-day))
    for day, mmt8, haq, vas in (
        (172, 118, "1.750", "6.5"),
        (120, 126, "1.250", "4.8"),
        (60, 138, "0.875", "2.9"),
        (7, 141, "0.000", "1.8"),
    ):
        fact(
            Assessment, p, assessed_on=ago(day), mmt8_150=mmt8, haq_di=D(haq), physician_vas=D(vas), patient_vas=D(vas),
            extramuscular_vas=D("1.0"),
        )  # fmt: skip
    for day, fvc, dlco in ((700, "78.0", "66.0"), (350, "81.0", "70.5"), (90, "84.0", "71.0")):
        fact(
            LungFunction,
            p,
            tested_on=ago(day),
            fvc_l=D("2.91"),
            fvc_percent_predicted=D(fvc),
            dlco_percent_predicted=D(dlco),
        )
    fact(Imaging, p, modality="hrct", done_on=ago(698), ild="present")
    fact(Booking, p, kind="pft", booked_for=as_of + dt.timedelta(days=12))
    plan = fact(PhysioPlan, p, starts_on=ago(60), sessions_per_week=2, goal="Stairs without a rail")
    for day, word in ((14, "attended"), (10, "did_not_attend"), (7, "did_not_attend"), (3, "")):
        session = fact(PhysioSession, p, plan=plan, held_on=ago(day))
        if word:
            fact(SessionOutcome, p, session=session, word=word)

    alert(p, "ck-rising", "ACTION", ago(2))
    alert(p, "physio-missed", "TASK", ago(5), due_on=ago(1), audience="physiotherapist")
    alert(p, "taper-dose-raised", "INFO", ago(20))
    closed = dt.datetime.combine(ago(100), dt.time(9), tzinfo=dt.UTC)
    alert(p, "taper-step-overdue", "TASK", ago(110), state="closed", closed_at=closed, cleared_at=closed)
    Upcoming.objects.create(
        centre=at, patient=p, rule="taper-step-due", subject="plan:1", due_on=as_of + dt.timedelta(days=14), evidence={}
    )
    NotEvaluable.objects.create(
        centre=at, patient=p, rule="second-line-review", subject="patient",
        missing=["a core set at the beginning of treatment"],
        since=dt.datetime.combine(ago(9), dt.time(4), tzinfo=dt.UTC),
    )  # fmt: skip
    return p
