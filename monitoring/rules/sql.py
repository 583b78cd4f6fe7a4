"""Pieces of SQL that several rules share, each in one place."""

from __future__ import annotations

from monitoring.rules.base import Question


def uln(result: str, patient: str = "a") -> str:
    """The upper limit of normal of a result: as the laboratory printed it, else the centre's range for that analyte,
    sex and day, else NULL. A limit of 0 is unknown. `result` has analyte, taken_on, uln; `patient` is `asked`.
    """
    return f"""COALESCE(NULLIF({result}.uln, 0), (
        SELECT NULLIF(rr.uln, 0) FROM monitoring_referencerange rr
        WHERE rr.centre_id = {patient}.centre_id AND rr.analyte = {result}.analyte
          AND rr.sex IN ('', {patient}.sex)
          AND rr.starts_on <= {result}.taken_on AND (rr.ends_on IS NULL OR rr.ends_on >= {result}.taken_on)
        ORDER BY rr.sex = '', rr.starts_on DESC LIMIT 1))"""


def newest_first(alias: str, day: str = "taken_on") -> str:
    """Latest: by the day, then the time (a result without one sorts before those with one), then the id."""
    return f"{alias}.{day} DESC, {alias}.taken_at DESC NULLS LAST, {alias}.id DESC"


def diagnosis_missing(question: Question) -> str:
    """SELECT of the asked patients whose day of diagnosis is not recorded, as not evaluable."""
    return """SELECT a.patient_id, 'patient'::text AS subject, NULL::text AS level, NULL::date AS due_on,
        NULL::jsonb AS evidence, ARRAY['the day of diagnosis'] AS missing
        FROM asked a WHERE a.diagnosed_on IS NULL"""


def running_tapers(question: Question, patients: str = "asked") -> str:
    """SELECT of the `patient_id` of `patients` in whom a steroid taper runs on `as_of`: from the day of a plan's first
    step until its last step is confirmed (that day is no longer part of it) or the plan ended (that day is). Also on
    hold.
    """
    return f"""SELECT DISTINCT plan.patient_id FROM (
        SELECT s.patient_id
        FROM {patients} who
        JOIN therapy_taperstep s ON s.patient_id = who.patient_id AND {question.known("s")}
        JOIN therapy_taperplan tp ON tp.id = s.plan_id AND {question.known("tp")}
        LEFT JOIN therapy_taperconfirmation c
            ON c.step_id = s.id AND {question.known("c")} AND c.confirmed_on <= %(as_of)s
        WHERE NOT EXISTS (SELECT 1 FROM therapy_taperend te
                          WHERE te.plan_id = s.plan_id AND {question.known("te")} AND te.ended_on < %(as_of)s)
        GROUP BY s.patient_id, s.plan_id
        HAVING min(s.step_on) <= %(as_of)s
           AND NOT (array_agg(c.id IS NOT NULL ORDER BY s.step_on DESC, s.id DESC))[1]
    ) plan"""


def known_ild(question: Question) -> str:
    """SELECT patient_id, ild_on of the asked patients with known interstitial lung disease: the day it was first
    recorded as diagnosed or seen on HRCT. Once known, known: lung disease that was none is withdrawn from the record.
    """
    return f"""SELECT patient_id, min(ild_on) AS ild_on FROM (
        SELECT im.patient_id, im.onset_on AS ild_on
        FROM asked who JOIN patients_manifestation im ON im.patient_id = who.patient_id AND {question.known("im")}
        WHERE im.kind = 'ild' AND im.onset_on <= %(as_of)s
        UNION ALL
        SELECT ig.patient_id, ig.done_on
        FROM asked who JOIN monitoring_imaging ig ON ig.patient_id = who.patient_id AND {question.known("ig")}
        WHERE ig.modality = 'hrct' AND ig.ild = 'present' AND ig.done_on <= %(as_of)s
    ) seen GROUP BY patient_id"""
