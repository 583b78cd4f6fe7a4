"""Pieces of SQL about results that rules and pages share, each in one place."""

from __future__ import annotations


def uln(result: str, patient: str = "a") -> str:
    """The upper limit of normal of a result: as the laboratory printed it, else the centre's range for that analyte,
    sex and day, else NULL. A limit of 0 is unknown. `result` has analyte, taken_on, uln; `patient` is `asked`, or
    anything else with centre_id and sex.
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
