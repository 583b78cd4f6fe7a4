"""The SQL that turns what a rule says into alerts. No writes happen here: alerts/actions/judging.py runs these.

They stand on the session-private tables of monitoring/asking.py: `asked` and `finding`. Each looks only at one rule and
centre, and at the patients of `scope`. A row that would not change is not written: asking twice leaves no trace.

The locks: an evaluation holds the advisory lock of its rule and centre, so no two of them interleave. People act on
alerts meanwhile, so every UPDATE asks again for what it rests on (`closed_at IS NULL`) and reads `state` from the row
it has locked; PostgreSQL re-checks both when it had to wait. Nothing but an evaluation changes a level.
"""

from __future__ import annotations

from monitoring.levels import Level

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('alerts.evaluate ' || %(centre)s || ' ' || %(rule)s, 0))"

# As pghistory.context does before every statement, here once for the transaction: the row history says what wrote it.
# Without one, the history trigger runs into an exception for every row, and PostgreSQL goes through all pending foreign
# key checks each time: opening ten thousand alerts took minutes.
CONTEXT = """
SELECT set_config('pghistory.context_id', %(context)s, true),
       set_config('pghistory.context_metadata', %(metadata)s, true)
"""

TABLES = """
CREATE TEMP TABLE IF NOT EXISTS open_alert (
    alert_id bigint PRIMARY KEY, patient_id bigint, subject text, level text, state text, evidence jsonb, as_of date,
    due_on date, rule_version int
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS closing (alert_id bigint PRIMARY KEY, because text) ON COMMIT DELETE ROWS;
CREATE INDEX IF NOT EXISTS finding_of_subject ON finding (patient_id, subject);
TRUNCATE open_alert, closing;
"""

# Where things stand, roughly: of the evidence nothing is to be known, and reading it takes long.
ANALYZE = (
    "SET LOCAL default_statistics_target = 25; ANALYZE finding (patient_id, subject, level, due_on, missing), "
    "open_alert (alert_id, patient_id, subject, level, state)"
)

NO_LONGER_ASKED = "No longer asked about"
NO_LONGER_FOUND = "The rule no longer finds it"


def rank(level: str) -> str:
    """0 for the worst level; as `Level.rank`."""
    words = ", ".join(f"'{word}'" for word in Level.values)
    return f"(array_position(ARRAY[{words}], {level}::text) - 1)"


def scope(alias: str) -> str:
    """Rows of this rule and centre, and of these patients where only some are asked about."""
    return (
        f"{alias}.centre_id = %(centre)s AND {alias}.rule = %(rule)s "
        f"AND (%(patients)s::bigint[] IS NULL OR {alias}.patient_id = ANY(%(patients)s::bigint[]))"
    )


OPEN = f"""
INSERT INTO open_alert
SELECT a.id, a.patient_id, a.subject, a.level, a.state, a.evidence, a.as_of, a.due_on, a.rule_version
FROM alerts_alert a WHERE a.closed_at IS NULL AND {scope("a")}
"""

COUNTS = """
SELECT (SELECT count(*) FROM finding WHERE level IS NOT NULL),
       (SELECT count(DISTINCT (patient_id, subject)) FROM finding WHERE cardinality(missing) > 0),
       (SELECT count(*) FROM open_alert),
       (SELECT count(*) FROM closing)
"""

FOUND = "SELECT 1 FROM finding f WHERE f.patient_id = o.patient_id AND f.subject = o.subject AND f.level IS NOT NULL"

# Whoever left the population: discharged, dead, excepted, or the rule was switched off. A rule finds nothing of those,
# and only the few of whom it finds nothing are looked up.
CLOSE_LEFT = f"""
INSERT INTO closing
SELECT o.alert_id, '{NO_LONGER_ASKED}' FROM open_alert o
WHERE NOT EXISTS ({FOUND}) AND NOT EXISTS (SELECT 1 FROM asked a WHERE a.patient_id = o.patient_id)
"""

# What cannot be judged for want of a fact is not known to be over, and stays open. Where the rule says so of the
# patient as a whole and found nothing else, that holds for each of the patient's subjects.
CLOSE_GONE = f"""
INSERT INTO closing
SELECT o.alert_id, '{NO_LONGER_FOUND}' FROM open_alert o
JOIN asked a ON a.patient_id = o.patient_id
WHERE NOT EXISTS ({FOUND})
  AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.patient_id = o.patient_id AND f.subject = o.subject
                  AND cardinality(f.missing) > 0)
  AND NOT (
      EXISTS (SELECT 1 FROM finding f WHERE f.patient_id = o.patient_id AND f.subject = 'patient'
              AND cardinality(f.missing) > 0)
      AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.patient_id = o.patient_id AND f.level IS NOT NULL)
  )
"""


def close_by(query: str) -> str:
    """Closing by a rule's own condition. What the rule finds today is not closed, or it would open again at once."""
    return f"""
INSERT INTO closing
SELECT DISTINCT o.alert_id, '{NO_LONGER_FOUND}' FROM open_alert o
JOIN asked a ON a.patient_id = o.patient_id
JOIN ({query}) c ON c.patient_id = o.patient_id AND c.subject = o.subject
WHERE NOT EXISTS ({FOUND})
"""


EVENT = "INSERT INTO alerts_alertevent (alert_id, kind, at, by_id, reason, text, until, level, evidence)"

CLOSE = f"""
WITH done AS (
    UPDATE alerts_alert a SET state = 'closed', closed_at = %(now)s, cleared_at = %(now)s, snoozed_until = NULL
    FROM closing c WHERE a.id = c.alert_id AND a.closed_at IS NULL
    RETURNING a.id, a.level, c.because
)
{EVENT} SELECT id, 'closed', %(now)s, %(by)s::bigint, '', because, NULL, level, NULL FROM done
"""

WORSE = f"{rank('f.level')} < {rank('a.level')}"

# Gives (alerts changed, ids of the events that raised one to URGENT).
CHANGE = f"""
WITH changed AS (
    UPDATE alerts_alert a SET
        level = f.level, evidence = f.evidence, due_on = f.due_on, rule_version = %(version)s,
        as_of = %(as_of)s, evidence_at = %(now)s,
        level_since = CASE WHEN f.level = a.level THEN a.level_since ELSE %(now)s END,
        state = CASE WHEN {WORSE} THEN 'open' ELSE a.state END,
        acknowledged_at = CASE WHEN {WORSE} THEN NULL ELSE a.acknowledged_at END,
        snoozed_until = CASE WHEN {WORSE} THEN NULL ELSE a.snoozed_until END,
        escalated_at = CASE WHEN {WORSE} THEN NULL ELSE a.escalated_at END
    FROM finding f JOIN open_alert o ON o.patient_id = f.patient_id AND o.subject = f.subject
    -- Said of the copy and of the alert itself: of most nothing has changed, and their alerts are not read again.
    WHERE (o.level, o.evidence, o.due_on, o.rule_version) IS DISTINCT FROM (f.level, f.evidence, f.due_on, %(version)s)
      AND a.id = o.alert_id AND a.closed_at IS NULL AND f.level IS NOT NULL
      AND (a.level, a.evidence, a.due_on, a.rule_version)
          IS DISTINCT FROM (f.level, f.evidence, f.due_on, %(version)s)
    RETURNING a.id, a.level, a.evidence, o.level AS was, o.state AS was_state
), event AS (
    {EVENT}
    SELECT id, CASE WHEN {rank("level")} < {rank("was")} THEN 'raised' ELSE 'lowered' END,
        %(now)s, %(by)s::bigint, '', '', NULL::date, level, evidence
    FROM changed WHERE level <> was
    UNION ALL
    SELECT id, 'woke', %(now)s, %(by)s::bigint, '', '', NULL, level, NULL
    FROM changed WHERE was_state = 'snoozed' AND {rank("level")} < {rank("was")}
    RETURNING id, kind, level
)
SELECT (SELECT count(*) FROM changed),
       ARRAY(SELECT id FROM event WHERE kind = 'raised' AND level = 'URGENT' ORDER BY id)
"""

# A snooze has run out, and the rule still finds it (what it no longer finds is closed by now). One made at this moment
# has not run out.
WAKE = f"""
WITH woken AS (
    UPDATE alerts_alert a SET state = 'open', snoozed_until = NULL, acknowledged_at = NULL, escalated_at = NULL,
        level_since = %(now)s
    FROM open_alert o
    WHERE a.id = o.alert_id AND o.state = 'snoozed' AND a.closed_at IS NULL AND a.state = 'snoozed'
      AND a.snoozed_until < %(as_of)s
    RETURNING a.id, a.level
)
{EVENT} SELECT id, 'woke', %(now)s, %(by)s::bigint, '', 'The snooze has ended', NULL, level, NULL FROM woken
"""

# What a person closed and the rule finds unchanged ever since is not a new finding; a worse one or other evidence is.
# A day that has passed, or a value shown beside it, is no other evidence.
SAME_AS_CLOSED = f"""
c.patient_id = f.patient_id AND c.subject = f.subject AND f.level IS NOT NULL
AND {rank("c.level")} <= {rank("f.level")}
AND c.evidence - %(aside)s::text[] = f.evidence - %(aside)s::text[]
"""

# Gives (alerts opened, ids of the events of the urgent ones).
OPEN_NEW = f"""
WITH opened AS (
    INSERT INTO alerts_alert (centre_id, patient_id, rule, rule_version, subject, level, audience, due_on, evidence,
                              as_of, evidence_at, opened_at, level_since)
    SELECT %(centre)s, f.patient_id, %(rule)s, %(version)s, f.subject, f.level, %(audience)s, f.due_on, f.evidence,
           %(as_of)s, %(now)s, %(now)s, %(now)s
    FROM finding f
    WHERE f.level IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM open_alert o WHERE o.patient_id = f.patient_id AND o.subject = f.subject)
      AND NOT EXISTS (SELECT 1 FROM alerts_alert c WHERE {scope("c")} AND c.closed_at IS NOT NULL
                      AND c.cleared_at IS NULL AND {SAME_AS_CLOSED})
    ORDER BY f.patient_id, f.subject
    -- Somebody may undo a closing at this moment: then the old alert is the open one.
    ON CONFLICT (rule, patient_id, subject) WHERE closed_at IS NULL DO NOTHING
    RETURNING id, level, evidence
), event AS (
    {EVENT} SELECT id, 'opened', %(now)s, %(by)s::bigint, '', '', NULL, level, evidence FROM opened ORDER BY id
    RETURNING id, level
)
SELECT (SELECT count(*) FROM opened), ARRAY(SELECT id FROM event WHERE level = 'URGENT' ORDER BY id)
"""

CLEAR = f"""
UPDATE alerts_alert c SET cleared_at = %(now)s
WHERE {scope("c")} AND c.closed_at IS NOT NULL AND c.cleared_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM finding f WHERE {SAME_AS_CLOSED})
  AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.patient_id = c.patient_id AND f.subject = c.subject
                  AND f.level IS NULL AND cardinality(f.missing) > 0)
"""

MISSING = "SELECT f.patient_id, f.subject, m FROM finding f, unnest(f.missing) m"

NOT_EVALUABLE_GONE = f"""
DELETE FROM alerts_notevaluable n WHERE {scope("n")} AND NOT EXISTS (
    SELECT 1 FROM finding f WHERE f.patient_id = n.patient_id AND f.subject = n.subject AND cardinality(f.missing) > 0)
"""
NOT_EVALUABLE = f"""
INSERT INTO alerts_notevaluable AS n (centre_id, patient_id, rule, subject, missing, since)
SELECT %(centre)s, patient_id, %(rule)s, subject, jsonb_agg(DISTINCT m ORDER BY m), %(now)s
FROM ({MISSING}) x GROUP BY patient_id, subject
ON CONFLICT (rule, patient_id, subject) DO UPDATE SET missing = EXCLUDED.missing, centre_id = EXCLUDED.centre_id
WHERE (n.missing, n.centre_id) IS DISTINCT FROM (EXCLUDED.missing, EXCLUDED.centre_id)
"""

COMING = "f.level IS NULL AND f.missing IS NULL AND f.due_on IS NOT NULL"

UPCOMING_GONE = f"""
DELETE FROM alerts_upcoming u WHERE {scope("u")} AND NOT EXISTS (
    SELECT 1 FROM finding f WHERE f.patient_id = u.patient_id AND f.subject = u.subject AND {COMING})
"""
UPCOMING = f"""
INSERT INTO alerts_upcoming AS u (centre_id, patient_id, rule, subject, due_on, evidence)
SELECT %(centre)s, c.patient_id, %(rule)s, c.subject, c.due_on, c.evidence
FROM (
    SELECT DISTINCT ON (f.patient_id, f.subject)
        f.patient_id, f.subject, f.due_on, COALESCE(f.evidence, '{{}}') AS evidence
    FROM finding f WHERE {COMING} ORDER BY f.patient_id, f.subject, f.due_on
) c
-- A row that conflicts is locked, which is written, even where nothing changes.
WHERE NOT EXISTS (SELECT 1 FROM alerts_upcoming u WHERE {scope("u")} AND u.patient_id = c.patient_id
                  AND u.subject = c.subject AND u.due_on = c.due_on AND u.evidence = c.evidence)
ON CONFLICT (rule, patient_id, subject)
DO UPDATE SET due_on = EXCLUDED.due_on, evidence = EXCLUDED.evidence, centre_id = EXCLUDED.centre_id
WHERE (u.due_on, u.evidence, u.centre_id) IS DISTINCT FROM (EXCLUDED.due_on, EXCLUDED.evidence, EXCLUDED.centre_id)
"""

TELL = """
INSERT INTO alerts_delivery (centre_id, person_id, kind, key, created_at, next_try_at, attempts, error)
SELECT %(centre)s, person, %(kind)s, key, %(now)s, %(now)s, 0, ''
FROM unnest(%(people)s::bigint[]) person CROSS JOIN unnest(%(keys)s::text[]) key
ON CONFLICT (person_id, kind, key) DO NOTHING
"""
