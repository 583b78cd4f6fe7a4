"""SQL of the one blood-test schedule of a patient: what is due when, for which drugs. The rule, the patient's page and
the calendar all ask it (the pages through monitoring/lab_schedule.py).

Every monitored drug in force asks for its tests by how long its dose has not been raised:

    every `start_interval` days until it has been the same, or lower, for `stable_days`; then every `monthly_interval`
    until `monthly_until`; then every `usual_interval`; never more seldom than the drug allows.

The clock of a drug starts at its `anchor`: its first day, a day its dose rose, or its first day after more than
`hold_days` without it. A lower dose does not start it again. The interval is the one in force on the day of the latest
test, so that a due day moves only when a test is done. A test on the anchor's own day is the baseline: the next is due
`start_interval` days later, as where there is none at all.

An infusion counts as the drug of `infusion_days` days. Which drugs, and how seldom at most: therapy/formulary.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.analytes import BLOOD_COUNT, LIVER, RENAL
from monitoring.rules import steroid
from monitoring.rules.base import Prepared, Question
from therapy.formulary import FORMULARY, MONITORED, Kind


@dataclass(frozen=True)
class Parameters:
    start_interval: int = 14
    stable_days: int = 42  # until the dose has not been raised for so long
    monthly_interval: int = 28
    monthly_until: int = 126  # so many days since the dose was raised
    usual_interval: int = 84
    start_grace: int = 3  # days after the due day, where the interval is `start_interval` or shorter
    monthly_grace: int = 7  # where it is `monthly_interval` or shorter
    usual_grace: int = 14
    severe_intervals: int = 2  # so many intervals after its due day a test is severely overdue
    hold_days: int = 28  # a longer time without the drug makes what follows a new start
    infusion_days: int = 28  # an infusion counts as the drug of so many days
    extra_tests: bool = True  # those that only some drugs ask for: potassium, glucose, blood pressure


@dataclass(frozen=True)
class Test:
    """One line of the schedule. Done on a day on which `every` one, or any, of its analytes was measured."""

    name: str
    analytes: tuple[str, ...]
    every: bool = False


USUAL = (
    Test("blood count", BLOOD_COUNT, every=True),
    Test("renal function", RENAL),
    Test("liver enzymes", LIVER),
    Test("albumin", ("albumin",)),
)
EXTRA = (
    Test("potassium", ("potassium",)),
    Test("glucose", ("glucose", "glucose-fasting")),
    Test("blood pressure", ("systolic", "diastolic"), every=True),
)
TESTS = USUAL + EXTRA
# Kinds of drugs that ask for more than the usual.
EXTRA_OF = {Kind.CALCINEURIN: tuple(test.name for test in EXTRA)}
ANALYTES = tuple(code for test in TESTS for code in test.analytes)

LINES = tuple(steroid.Line(drug, drug) for drug in sorted(MONITORED))


def _bit(analyte: str) -> int:
    return 1 << ANALYTES.index(analyte)


def _bits() -> str:
    return "CASE r.analyte " + " ".join(f"WHEN '{code}' THEN {_bit(code)}" for code in ANALYTES) + " END"


def _done(test: Test) -> str:
    """SQL: the analytes of a day, as bits, make this test."""
    mask = sum(_bit(code) for code in test.analytes)
    return f"bits & {mask} = {mask}" if test.every else f"bits & {mask} <> 0"


def _column(test: Test) -> str:
    return test.name.replace(" ", "_") + "_on"


def drugs() -> str:
    """VALUES (drug, name, longest, extras) of the monitored drugs: `longest` is the interval it never exceeds, NULL where it has
    no limit of its own; `extras` the tests that only some drugs ask for.
    """
    rows = []
    for code in sorted(MONITORED):
        drug = FORMULARY[code]
        longest = "NULL::int" if drug.monitoring_max_days is None else str(drug.monitoring_max_days)
        extras = ", ".join(f"'{name}'" for name in EXTRA_OF.get(drug.kind, ()))
        rows.append(f"('{code}', '{drug.name}', {longest}, ARRAY[{extras}]::text[])")
    return f"VALUES {', '.join(rows)}"


def _interval(last: str) -> str:
    """SQL: the interval in force on the day of the latest test."""
    return f"""LEAST(CASE
            WHEN {last} IS NULL OR {last} - anchor < %(stable_days)s THEN %(start_interval)s
            WHEN {last} - anchor < %(monthly_until)s THEN %(monthly_interval)s
            ELSE %(usual_interval)s END, longest)"""


def _due(last: str) -> str:
    return f"GREATEST(anchor, {last}) + {_interval(last)}"  # GREATEST ignores a NULL


def _spans(q: Question) -> str:
    return f"""
    WITH {steroid.levels(q, LINES)}
    -- Infusions are compared with infusions, and lasting doses with lasting doses. Where infusions are prescribed, too, as an
    -- amount in so many days, each is a day of its own above it: of those days one is compared with the one before.
    SELECT patient_id, line AS drug, first_day, until, amount,
        CASE WHEN is_day THEN lag(amount) OVER days ELSE lag(amount) OVER w END AS before,
        CASE WHEN is_day THEN lag(until) OVER days ELSE lag(until) OVER w END AS before_until
    FROM (SELECT *, steady = 0 AS is_infused, steady = 0 AND first_day = last_day AS is_day,
            CASE WHEN steady = 0 THEN last_day + (%(infusion_days)s::int - 1) ELSE last_day END AS until
          FROM dose_level) lasting
    WINDOW w AS (PARTITION BY patient_id, line, is_infused ORDER BY first_day),
        days AS (PARTITION BY patient_id, line, is_infused, is_day ORDER BY first_day)"""


SPANS = Prepared("monitored_span", _spans)


def monitored_spans(q: Question) -> str:
    """CTE `monitored_span` (patient_id, drug, first_day, until, amount, before, before_until): the monitored drugs patients of
    `asked` ever had, in spans of one dose; `until` is `as_of` or later while the drug goes on; `before` the amount of the
    span before it. Needs `infusion_days` of the parameters.
    """
    table = q.shared(SPANS)
    return f"""monitored_span AS (
        {f"SELECT t.* FROM {table} t JOIN asked USING (patient_id)" if table else _spans(q)}
    )"""


def schedule(q: Question, until: str = "%(as_of)s::date + %(horizon)s::int") -> str:
    """CTEs up to

    `monitored` (patient_id, drug, name, anchor, longest, extras): the monitored drugs in force on `as_of`;
    `test_due` (patient_id, test, nr, drug, name, anchor, last_on, interval, due_on, grace, is_overdue, is_severe): a row
        for each test of each of these drugs, of the patients of whom something is due by the day `until`. `last_on` is
        NULL where the test was never done; `nr` keeps the tests in their order.

    Needs `asked`. A result counts whatever its unit: the sample was taken.
    """
    long_ago = {
        name: ", ".join(f"COALESCE({_column(test)}, '-infinity')" for test in some)
        for name, some in (("usual", USUAL), ("every", TESTS))
    }
    days = ",\n            ".join(f"max(taken_on) FILTER (WHERE {_done(test)}) AS {_column(test)}" for test in TESTS)
    columns = ", ".join(_column(test) for test in TESTS)
    # A sweep reads of everybody: what is done in those who take no such drug matters to nothing that follows.
    of_these = "" if q.is_sweep else "JOIN (SELECT DISTINCT patient_id FROM monitored) m ON m.patient_id = r.patient_id"
    tests = ", ".join(
        f"({nr}, '{test.name}', {_column(test)}, {test in EXTRA}, {sum(_bit(c) for c in test.analytes)}, "
        f"{test.every}, ARRAY[{', '.join(repr(c) for c in test.analytes)}])"
        for nr, test in enumerate(TESTS)
    )
    return f"""
    {monitored_spans(q)}, monitored_drug (drug, name, longest, extras) AS (
        {drugs()}
    ), monitored AS MATERIALIZED (
        SELECT u.patient_id, u.drug, d.name, d.longest, u.anchor,
            CASE WHEN %(extra_tests)s THEN d.extras ELSE '{{}}' END AS extras
        FROM (
            SELECT patient_id, drug, max(first_day) FILTER (
                WHERE before IS NULL OR amount > before OR first_day - before_until - 1 > %(hold_days)s) AS anchor
            FROM monitored_span GROUP BY patient_id, drug HAVING max(until) >= %(as_of)s
        ) u JOIN monitored_drug d ON d.drug = u.drug
    ), sampled AS (
        -- Of most people everything was done so lately that nothing is due, and this is all that is read of them.
        SELECT r.patient_id, r.taken_on, bit_or({_bits()}) AS bits
        FROM monitoring_result r {of_these}
        WHERE {q.known("r")} AND r.analyte IN ({steroid.words(ANALYTES)})
          AND r.taken_on > ({until}) - %(usual_interval)s AND r.taken_on <= %(as_of)s
        GROUP BY r.patient_id, r.taken_on
    ), done AS (
        SELECT patient_id,
            {days}
        FROM sampled GROUP BY patient_id
    ), wanted AS MATERIALIZED (
        -- Of two tests the one done longer ago is due no later: who has none due by then is left behind here.
        SELECT m.*, {columns}
        FROM monitored m LEFT JOIN done d ON d.patient_id = m.patient_id
        CROSS JOIN LATERAL (
            SELECT NULLIF(CASE WHEN cardinality(m.extras) > 0 THEN LEAST({long_ago["every"]})
                               ELSE LEAST({long_ago["usual"]}) END, '-infinity') AS on_day
        ) first_test
        WHERE {_due("first_test.on_day")} <= {until}
    ), test_due AS (
        SELECT *, {_due("last_on")} AS due_on,
            CASE WHEN {_interval("last_on")} <= %(start_interval)s THEN %(start_grace)s
                 WHEN {_interval("last_on")} <= %(monthly_interval)s THEN %(monthly_grace)s
                 ELSE %(usual_grace)s END AS grace,
            {_interval("last_on")} AS interval
        FROM (
            SELECT w.patient_id, t.test, t.nr, w.drug, w.name, w.anchor, w.longest, COALESCE(t.last_on, e.taken_on) AS last_on
            FROM wanted w
            CROSS JOIN LATERAL (VALUES {tests}) t (nr, test, last_on, is_extra, mask, every_one, analytes)
            LEFT JOIN LATERAL (
                SELECT r.taken_on
                FROM monitoring_result r
                WHERE t.last_on IS NULL AND r.patient_id = w.patient_id AND r.analyte = ANY(t.analytes) AND {q.known("r")}
                  AND r.taken_on <= %(as_of)s
                GROUP BY r.taken_on
                HAVING NOT t.every_one OR bit_or({_bits()}) = t.mask
                ORDER BY r.taken_on DESC LIMIT 1
            ) e ON true
            WHERE NOT t.is_extra OR t.test = ANY(w.extras)
        ) dated
    )"""


def judged() -> str:
    """CTE `test_judged`: `test_due`, and whether it is overdue (`is_overdue`) and severely so (`is_severe`)."""
    return """test_judged AS (
        SELECT *, %(as_of)s > due_on + grace AS is_overdue,
            %(as_of)s > due_on + %(severe_intervals)s * interval AS is_severe
        FROM test_due
    )"""


def listed(q: Question, people: str, until: str) -> str:
    """SELECT for pages: the schedule of `people`, a SELECT of the columns of `asked`, of whom something is due by `until`."""
    return f"""
    WITH asked (patient_id, centre_id, time_zone, sex, subtype, born_on, onset_on, diagnosed_on) AS MATERIALIZED (
        {people}
    ), {schedule(q, until)}, {judged()}
    SELECT patient_id, test, last_on, due_on, interval, is_overdue, is_severe, name, anchor
    FROM test_judged ORDER BY patient_id, nr, due_on, name"""
