"""SQL that several rules share: what glucocorticoid a patient takes on each day, in courses and episodes; tapers.

Prednisone equivalent (PE) in mg a day, exact to 12 decimals. On any day the newest dose period of each drug and route
counts; different drugs or routes add; topical and inhaled ones do not count. An infusion is a dose of its day, and
stands above a dose period of the same drug and route. Nothing outlasts its course's stop.

A course is continuous while no gap is longer than `course_gap_days` days without a dose. Courses that are fewer than
`episode_gap_days` apart, last day to first day, are one episode.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from monitoring.rules.base import Prepared, Question, bounded
from therapy.formulary import FIRST_LINE
from therapy.models import StopReason
from therapy.prednisone_equivalent import EQUIVALENT_MG, REFERENCE_MG, SYSTEMIC_ROUTES

RECENT_DAYS = 180  # who took none in as many days has no present episode, whatever the numbers of a centre


@dataclass(frozen=True)
class Parameters:
    """Part of the parameters of every rule that asks about courses."""

    course_gap_days: int = 14
    episode_gap_days: int = bounded(90, 30, RECENT_DAYS)


@dataclass(frozen=True)
class Line:
    """A drug to follow: its amount a day times `multiply` / `divide` adds to the line `name`."""

    drug: str
    name: str
    multiply: Decimal = Decimal(1)
    divide: Decimal = Decimal(1)


PE = "pe"
GLUCOCORTICOIDS = tuple(Line(drug, PE, REFERENCE_MG, equivalent) for drug, equivalent in EQUIVALENT_MG.items())
# What second-line therapy asks about as well.
WITH_FIRST_LINE = (
    *GLUCOCORTICOIDS,
    Line("methotrexate", "methotrexate", multiply=Decimal(7)),  # mg a week
    Line("azathioprine", "azathioprine"),
    Line("mycophenolate-mofetil", "mycophenolate-mofetil"),
)
assert {line.name for line in WITH_FIRST_LINE} == FIRST_LINE | {PE}
PULSE_ROUTE = "intravenous"


def shown(amount: str) -> str:
    """SQL: an amount as the evidence keeps it. Doses are entered with three decimals."""
    return f"trim_scale(round({amount}, 3))"


def words(values: Iterable[str]) -> str:
    """A list of SQL strings. For codes of this project only, never for what somebody typed."""
    listed = sorted(values)
    assert all(value.replace("-", "").replace("_", "").isalnum() for value in listed), listed
    return ", ".join(f"'{value}'" for value in listed)


def _source(q: Question, lines: tuple[Line, ...], people: str) -> str:
    """FROM: courses `c` of `people` with these drugs by a route that counts, and their rate `r`."""
    return f"""FROM {people} a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")}
            AND c.drug IN ({words({line.drug for line in lines})}) AND c.route IN ({words(SYSTEMIC_ROUTES)})
        JOIN dose_rate r ON r.drug = c.drug"""


def _rates(lines: tuple[Line, ...]) -> str:
    rates = ", ".join(
        f"({nr}, '{line.drug}', '{line.name}', {line.multiply}, {line.divide})" for nr, line in enumerate(lines)
    )
    return f"dose_rate (nr, drug, line, multiply, divide) AS (VALUES {rates})"


def _amount() -> str:
    # the cast keeps enough decimals for sums to be exact where they are rounded
    return "(d.amount * d.times * r.multiply)::numeric(40, 20) / (d.every_days * r.divide)"


def taking(q: Question, at_least: str = "0", days_back: str = "0", recent: bool = False) -> str:
    """CTE `taking` (patient_id): whose doses in force on `as_of`, or up to `days_back` days before, add to so much PE
    or more if every period counted and no course was stopped. Nobody who takes that much is left out; most of those who
    take less are left behind here, cheaply. Needs `asked`.

    `recent` says that `days_back` is RECENT_DAYS at most: where answers are shared, who takes so much is read there.
    """
    earliest = f"%(as_of)s::date - ({days_back})::int"
    if recent and (table := q.shared(LEVELS)):
        return f"""taking AS (
        SELECT DISTINCT patient_id FROM {table}
        WHERE line = '{PE}' AND last_day >= {earliest} AND amount >= {at_least}
    )"""
    return f"""taking AS (
        WITH {_rates(GLUCOCORTICOIDS)}
        SELECT patient_id FROM (
            SELECT a.patient_id, {"0" if at_least == "0" else _amount()} AS amount
            {_source(q, GLUCOCORTICOIDS, "asked")}
            JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.starts_on <= %(as_of)s
                AND (d.ends_on IS NULL OR d.ends_on >= {earliest})
            UNION ALL
            SELECT a.patient_id, i.amount * r.multiply / r.divide
            {_source(q, GLUCOCORTICOIDS, "asked")}
            JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")}
                AND i.given_on BETWEEN {earliest} AND %(as_of)s
        ) in_force GROUP BY patient_id{"" if at_least == "0" else f" HAVING sum(amount) >= {at_least}"}
    )"""


def _before(kind: str) -> str:
    """SQL window: what of the same `kind` (line, stream) began before."""
    return f"""PARTITION BY patient_id, {kind} ORDER BY first_day, given, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"""


# SQL over the window w of `_before`: the period overlaps none of its kind.
ALONE = """COALESCE(first_day > max(last_day) OVER w, true)
                AND COALESCE(lead(first_day) OVER w > GREATEST(last_day, max(last_day) OVER w), true)"""


def _recent_levels(q: Question) -> str:
    return f"""
    WITH {taking(q, days_back=str(RECENT_DAYS))}, recent AS (
        SELECT patient_id FROM taking
        UNION
        SELECT a.patient_id
        FROM asked a
        JOIN therapy_course c ON c.patient_id = a.patient_id AND {q.known("c")} AND c.drug IN ({words(FIRST_LINE)})
        JOIN therapy_coursestop s ON s.course_id = c.id AND {q.known("s")} AND s.reason = '{StopReason.TOXICITY.value}'
    ), {levels(q, WITH_FIRST_LINE, "recent")}
    SELECT * FROM dose_level"""


def _recent_spans(q: Question) -> str:
    return f"WITH {_spans(q, people=RECENT, recent=True)} SELECT * FROM steroid_span"


# All days of those who had a glucocorticoid in the last RECENT_DAYS days, or stopped a first-line drug for its toxicity at
# any time.
RECENT = "everybody recent"
LEVELS = Prepared("dose_level", _recent_levels)
SPANS = Prepared("steroid_span", _recent_spans)


def _of(table: str, people: str) -> str:
    return (
        f"SELECT * FROM {table}" if people == RECENT else f"SELECT t.* FROM {table} t JOIN {people} USING (patient_id)"
    )


def levels(
    q: Question,
    lines: tuple[Line, ...] = GLUCOCORTICOIDS,
    people: str = "asked",
    since: str | None = None,
    recent: bool = False,
) -> str:
    """CTEs up to `dose_level` (patient_id, line, first_day, last_day, amount, steady): what was in force when.

    Only days with something in force, none after `as_of`. `steady` leaves out what is given into a vein (pulses).
    `people` is a table or CTE with patient_id, once each. With `since`, SQL for a day, what ended before that day is not
    read: levels and courses are right from that day on, and nothing is said of the days before.

    `recent` says that only those matter who had a glucocorticoid in the last RECENT_DAYS days, or stopped a first-line
    drug for its toxicity: where answers are shared, nothing is said of others.
    """
    if recent and (table := q.shared(LEVELS)):
        return f"dose_level AS ({_of(table, people)})"
    lasting = "" if since is None else f"AND (d.ends_on IS NULL OR d.ends_on >= {since})"
    given = "" if since is None else f"AND i.given_on >= {since}"
    routes = " ".join(f"WHEN '{route}' THEN {nr}" for nr, route in enumerate(sorted(SYSTEMIC_ROUTES)))
    # a drug by a route is a stream; a number sorts faster than two words
    stream = f"r.nr * {len(SYSTEMIC_ROUTES)} + CASE c.route {routes} END"
    return f"""
    {_rates(lines)},
    dose_period AS (
        SELECT a.patient_id, r.line, {stream} AS stream, c.route = '{PULSE_ROUTE}' AS is_pulse,
            d.starts_on AS first_day, LEAST(d.ends_on, s.stopped_on, %(as_of)s::date) AS last_day, 0 AS given, d.id,
            {_amount()} AS amount
        {_source(q, lines, people)}
        JOIN therapy_dose d ON d.course_id = c.id AND {q.known("d")} AND d.starts_on <= %(as_of)s {lasting}
        LEFT JOIN therapy_coursestop s ON s.course_id = c.id AND {q.known("s")}
        WHERE s.stopped_on IS NULL OR s.stopped_on >= d.starts_on
        UNION ALL
        SELECT a.patient_id, r.line, {stream}, true, i.given_on, i.given_on, 1, max(i.id),
            sum(i.amount * r.multiply)::numeric(40, 20) / max(r.divide)
        {_source(q, lines, people)}
        JOIN therapy_infusion i ON i.course_id = c.id AND {q.known("i")} AND i.given_on <= %(as_of)s {given}
        WHERE c.route = '{PULSE_ROUTE}'
        GROUP BY a.patient_id, r.line, r.nr, c.route, i.given_on
    ), dose_beside AS (
        -- Nearly every period of a line has its days to itself: its amount is then the level, and nothing has to be summed.
        SELECT *, {ALONE} AS alone FROM dose_period WINDOW w AS ({_before("line")})
    ), dose_cluster AS (
        -- of a stream, periods that overlap make a cluster; those that stand alone need no join
        SELECT *, sum(opens) OVER (PARTITION BY patient_id, stream ORDER BY first_day, given, id) AS cluster FROM (
            SELECT patient_id, line, stream, is_pulse, first_day, last_day, given, id, amount,
                CASE WHEN first_day <= max(last_day) OVER w THEN 0 ELSE 1 END AS opens, {ALONE} AS alone
            FROM dose_beside WHERE NOT alone WINDOW w AS ({_before("stream")})) opening
    ), dose_edge AS (
        SELECT patient_id, line, stream, is_pulse, cluster, day,
            lead(day) OVER (PARTITION BY patient_id, stream, cluster ORDER BY day) - 1 AS until
        FROM (SELECT DISTINCT c.patient_id, c.line, c.stream, c.is_pulse, c.cluster, e.day
              FROM dose_cluster c CROSS JOIN LATERAL (VALUES (c.first_day), (c.last_day + 1)) e (day)
              WHERE NOT c.alone) edges
    ), dose_counted AS (
        SELECT patient_id, line, is_pulse, first_day, last_day, amount FROM dose_cluster WHERE alone
        UNION ALL
        SELECT patient_id, line, is_pulse, day, until, amount FROM (
            SELECT DISTINCT ON (e.patient_id, e.stream, e.cluster, e.day)
                e.patient_id, e.line, e.is_pulse, e.day, e.until, c.amount
            FROM dose_edge e
            JOIN dose_cluster c ON c.patient_id = e.patient_id AND c.stream = e.stream AND c.cluster = e.cluster
                AND NOT c.alone AND e.day BETWEEN c.first_day AND c.last_day
            WHERE e.until IS NOT NULL
            ORDER BY e.patient_id, e.stream, e.cluster, e.day, c.first_day DESC, c.given DESC, c.id DESC
        ) newest
    ), dose_change AS (
        SELECT c.patient_id, c.line, e.day, sum(e.amount) AS amount,
            sum(e.amount) FILTER (WHERE NOT c.is_pulse) AS steady
        FROM dose_counted c
        CROSS JOIN LATERAL (VALUES (c.first_day, c.amount), (c.last_day + 1, -c.amount)) e (day, amount)
        GROUP BY c.patient_id, c.line, e.day
    ), dose_level AS (
        SELECT * FROM (
            SELECT patient_id, line, day AS first_day, lead(day) OVER w - 1 AS last_day,
                round(sum(amount) OVER w, 12) AS amount, round(COALESCE(sum(steady) OVER w, 0), 12) AS steady
            FROM dose_change WINDOW w AS (PARTITION BY patient_id, line ORDER BY day)
            UNION ALL
            SELECT patient_id, line, first_day, last_day, round(amount, 12),
                CASE WHEN is_pulse THEN 0 ELSE round(amount, 12) END
            FROM dose_beside WHERE alone
        ) summed WHERE amount > 0
    )"""


def courses(
    q: Question,
    lines: tuple[Line, ...] = GLUCOCORTICOIDS,
    people: str = "asked",
    since: str | None = None,
    recent: bool = False,
) -> str:
    """`levels`, arguments as there, and CTEs up to

    `steroid_span` (patient_id, first_day, last_day, pe, steady, course, episode, before_pe): days of one PE;
    `before_pe` is that of the day with a dose before it in the same course.
    `steroid_course` (patient_id, course, began_on, last_on, pe_today): pe_today is 0 where nothing is taken on `as_of`.
    """
    course = """steroid_course AS (
        SELECT patient_id, course, min(first_day) AS began_on, max(last_day) AS last_on,
            COALESCE(max(pe) FILTER (WHERE last_day = %(as_of)s), 0) AS pe_today
        FROM steroid_span GROUP BY patient_id, course
    )"""
    if recent and people != RECENT and (table := q.shared(SPANS)):
        return f"{levels(q, lines, people, recent=True)}, steroid_span AS ({_of(table, people)}), {course}"
    return f"{_spans(q, lines, people, since, recent)}, {course}"


def _spans(
    q: Question,
    lines: tuple[Line, ...] = GLUCOCORTICOIDS,
    people: str = "asked",
    since: str | None = None,
    recent: bool = False,
) -> str:
    """CTEs up to `steroid_span` from the record itself; arguments as `levels`."""
    return f"""{levels(q, lines, people, since, recent)}, steroid_dosed AS (
        SELECT patient_id, first_day, last_day, amount AS pe, steady, lag(last_day) OVER w AS before_last,
            lag(amount) OVER w AS last_pe
        FROM dose_level WHERE line = '{PE}' WINDOW w AS (PARTITION BY patient_id ORDER BY first_day)
    ), steroid_span AS (
        SELECT patient_id, first_day, last_day, pe, steady,
            count(*) FILTER (WHERE first_day - before_last - 1 > %(course_gap_days)s) OVER w AS course,
            count(*) FILTER (WHERE first_day - before_last >= %(episode_gap_days)s) OVER w AS episode,
            CASE WHEN first_day - before_last - 1 <= %(course_gap_days)s THEN last_pe END AS before_pe
        FROM steroid_dosed WINDOW w AS (PARTITION BY patient_id ORDER BY first_day)
    )"""


def episodes() -> str:
    """CTE `steroid_episode` (patient_id, episode, day0, last_on, pe_today): the present one, which lasts until
    `episode_gap_days` after its last dose. Patients without one have no row. Needs `courses`.
    """
    return """steroid_episode AS (
        SELECT DISTINCT ON (patient_id) * FROM (
            SELECT patient_id, episode, min(first_day) AS day0, max(last_day) AS last_on,
                COALESCE(max(pe) FILTER (WHERE last_day = %(as_of)s), 0) AS pe_today
            FROM steroid_span GROUP BY patient_id, episode
        ) every_one
        WHERE %(as_of)s::date - last_on <= %(episode_gap_days)s
        ORDER BY patient_id, episode DESC
    )"""


def tapers(q: Question) -> str:
    """CTE `taper_run` (patient_id, plan_id, runs_from, runs_until): from the day of a plan's first step until its last
    step is confirmed (that day is no longer part of it) or the plan ended (that day is); NULL while it runs. Holds do
    not matter. Says of `as_of` what `sql.running_tapers` says. Needs `asked`.
    """
    return f"""taper_step AS (
        SELECT a.patient_id, s.plan_id, s.step_on, o.confirmed_on,
            row_number() OVER (PARTITION BY s.plan_id ORDER BY s.step_on DESC, s.id DESC) AS from_the_end
        FROM asked a
        JOIN therapy_taperstep s ON s.patient_id = a.patient_id AND {q.known("s")}
        JOIN therapy_taperplan p ON p.id = s.plan_id AND {q.known("p")}
        LEFT JOIN therapy_taperconfirmation o ON o.step_id = s.id AND {q.known("o")} AND o.confirmed_on <= %(as_of)s
    ), taper_run AS (
        SELECT t.patient_id, t.plan_id, min(t.step_on) AS runs_from,
            LEAST(max(t.confirmed_on) FILTER (WHERE t.from_the_end = 1) - 1, min(e.ended_on)) AS runs_until
        FROM taper_step t
        LEFT JOIN therapy_taperend e ON e.plan_id = t.plan_id AND {q.known("e")}
        GROUP BY t.patient_id, t.plan_id
    )"""
