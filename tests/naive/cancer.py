"""`cancer-screening`, from one change of a fact to the next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from monitoring.scores.cancer_tier import RED_FLAGS, Facts, Tier, add_months, tier
from tests.naive.record import (
    POSITIVE,
    AntibodyResult,
    Course,
    CourseStop,
    EscalationDecision,
    Manifestation,
    Record,
    RiskFactor,
    Said,
    Screening,
    days,
    in_force,
)
from therapy.formulary import FORMULARY, Kind

HORIZON = 28
ORDER = [Tier.STANDARD, Tier.MODERATE, Tier.HIGH]
TREATMENT = {
    Kind.GLUCOCORTICOID, Kind.CONVENTIONAL, Kind.CALCINEURIN, Kind.BIOLOGIC, Kind.IMMUNOGLOBULIN, Kind.JAK,
}  # fmt: skip


@dataclass(frozen=True)
class Due:
    panel: str
    on: dt.date
    done_from: dt.date
    closes: dt.date  # in time until then


def age_at(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def severe(m: Manifestation) -> bool:
    return m.kind == "dysphagia" and m.severity in ("moderate", "severe")


def failures(record: Record) -> list[dt.date]:
    """Days that tell of activity despite immunosuppression."""
    drug = {c.id: c.drug for c in record[Course]}
    return [d.decided_on for d in record[EscalationDecision] if d.option != "no_change"] + [
        s.stopped_on
        for s in record[CourseStop]
        if s.reason == "ineffective" and s.course_id in drug and FORMULARY[drug[s.course_id]].kind in TREATMENT
    ]


def tiering(record: Record, day: dt.date, subtype: str, sex: str):
    return tier(
        Facts(
            subtype=subtype,
            antibodies={a.antibody for a in record[AntibodyResult] if a.result in POSITIVE and a.taken_on <= day},
            age_at_onset=age_at(record.born_on, record.onset_on),
            sex=sex,
            persistent_activity=any(on <= day for on in failures(record)),
            dysphagia=any(severe(m) and in_force(day, m.onset_on, m.ended_on) for m in record[Manifestation]),
            necrosis=any(m.kind == "necrosis" and in_force(day, m.onset_on, m.ended_on) for m in record[Manifestation]),
        )
    )


def fell_due(record: Record, as_of: dt.date, subtype: str, sex: str) -> list[Due]:
    """Everything that fell due up to `as_of`, and what will within the horizon if nothing changes."""
    diagnosed, stop = record.diagnosed_on, add_months(record.onset_on, 36)
    changes = {diagnosed}
    changes |= {a.taken_on for a in record[AntibodyResult]} | set(failures(record))
    for m in record[Manifestation]:
        changes |= {m.onset_on} | ({m.ended_on + days(1)} if m.ended_on else set())
    years = [add_months(diagnosed, 12 * k) for k in (1, 2, 3)]
    changes |= set(years)
    rank = {
        day: ORDER.index(tiering(record, day, subtype, sex).tier)
        for day in sorted(changes)
        if diagnosed <= day <= as_of
    }
    at_diagnosis = (diagnosed - days(90), diagnosed + days(60))
    found = [Due("basic", diagnosed, *at_diagnosis)]
    raised = [day for day in rank if rank[day] >= 1]
    if raised:
        first = raised[0]
        found.append(
            Due("enhanced", first, diagnosed - days(90), at_diagnosis[1] if first == diagnosed else first - days(1))
        )
    now_high = ORDER.index(tiering(record, as_of, subtype, sex).tier) == 2
    for year in years:
        high = [day for day in rank if rank[day] == 2 and day >= year]
        if high:
            closes = year + days(60) if high[0] == year else high[0] - days(1)
            found.append(Due("basic", high[0], year - days(30), closes))
        elif year > as_of and now_high:
            found.append(Due("basic", year, year - days(30), year + days(60)))
    for flag in record[RiskFactor]:
        if flag.kind in RED_FLAGS and flag.starts_on <= as_of and (flag.ends_on is None or flag.ends_on >= diagnosed):
            on = max(diagnosed, flag.starts_on)
            window = at_diagnosis if on == diagnosed else (on - days(30), on - days(1))
            found += [Due(panel, on, *window) for panel in ("basic", "enhanced")]
    return [due for due in found if due.on <= stop]


def screening(record: Record, as_of: dt.date) -> list[Said]:
    onset, diagnosed = record.onset_on, record.diagnosed_on
    if record.subtype == "juvenile":
        return []
    # Without the day of the first symptom: it was not after the diagnosis.
    counted_from = onset or diagnosed
    if counted_from is not None and as_of > add_months(counted_from, 36):
        return []
    if onset is None or diagnosed is None:
        return [Said("patient", missing=True)]
    if age_at(record.born_on, onset) < 18:
        return []

    def still_open(subtype: str, sex: str) -> list[Due]:
        alone = tiering(record, as_of, subtype, sex).pet_ct_alone
        kinds = {"basic": {"cancer_basic"}, "enhanced": {"cancer_enhanced"} | ({"pet_ct"} if alone else set())}
        return [
            due
            for due in fell_due(record, as_of, subtype, sex)
            if not any(s.kind in kinds[due.panel] and due.done_from <= s.done_on <= as_of for s in record[Screening])
        ]

    listed = still_open(record.subtype, record.sex)
    now = [due for due in listed if due.on <= as_of]
    if now:
        late = any(as_of > due.closes for due in now)
        return [Said("patient", "TASK" if late else "INFO", min(due.on for due in now))]
    worst = (
        ("dermatomyositis" if record.subtype == "unknown" else record.subtype),
        (record.sex if record.sex in ("male", "female") else "male"),
    )
    rank = [ORDER.index(tiering(record, as_of, *who).tier) for who in ((record.subtype, record.sex), worst)]
    unknown = rank[1] > rank[0]  # what is not known could raise the tier
    ahead = [due.on for due in listed if due.on <= as_of + days(HORIZON)]
    if ahead or unknown:
        return [Said("patient", None, min(ahead, default=None), unknown)]
    return []
