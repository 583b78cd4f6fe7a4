"""Pieces of SQL that several rules share, each in one place."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.rules.base import Question
from monitoring.sql import newest_first, uln

__all__ = ["known_ild", "named_by", "newest_first", "running_plans", "running_tapers", "uln"]


def named_by(columns: Mapping[str, str]) -> str:
    """Pairs for jsonb_build_object: {columns, with a space between: reasons, likewise}. Each is NULL unless one of its reasons
    is among the column `reasons`: what no reason names must make no other finding as it changes, or grows old.
    """
    return ", ".join(
        f"'{name}', CASE WHEN reasons && ARRAY[{', '.join(repr(reason) for reason in reasons.split())}] THEN {name} END"
        for names, reasons in columns.items()
        for name in names.split()
    )


def running_plans(question: Question, patients: str = "asked") -> str:
    """SELECT patient_id, plan_id of the steroid tapers of `patients` that run on `as_of`: from the day of a plan's first
    step until its last step is confirmed (that day is no longer part of it) or the plan ended (that day is). Also on
    hold.
    """
    return f"""SELECT s.patient_id, s.plan_id
        FROM {patients} who
        JOIN therapy_taperstep s ON s.patient_id = who.patient_id AND {question.known("s")}
        JOIN therapy_taperplan tp ON tp.id = s.plan_id AND {question.known("tp")}
        LEFT JOIN therapy_taperconfirmation c
            ON c.step_id = s.id AND {question.known("c")} AND c.confirmed_on <= %(as_of)s
        WHERE NOT EXISTS (SELECT 1 FROM therapy_taperend te
                          WHERE te.plan_id = s.plan_id AND {question.known("te")} AND te.ended_on < %(as_of)s)
        GROUP BY s.patient_id, s.plan_id
        HAVING min(s.step_on) <= %(as_of)s
           AND NOT (array_agg(c.id IS NOT NULL ORDER BY s.step_on DESC, s.id DESC))[1]"""


def running_tapers(question: Question, patients: str = "asked") -> str:
    """SELECT of the `patient_id` of `patients` in whom a steroid taper runs on `as_of`."""
    return f"SELECT DISTINCT patient_id FROM ({running_plans(question, patients)}) plan"


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
