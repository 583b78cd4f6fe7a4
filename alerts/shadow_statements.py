"""The SQL of a rule in the shadow: what it finds is kept for those who decide about the rule, and becomes nothing else.

Runs on the session-private tables of monitoring/asking.py, like alerts/statements.py, before any of that. Afterwards
`finding` is empty: all that follows sees a rule that found nothing.
"""

from __future__ import annotations

from alerts.statements import scope

# Left: found no more, or the rule is in the shadow no more (then `finding` does not count).
GONE = f"""
UPDATE alerts_shadowfinding s SET gone_on = GREATEST(%(as_of)s::date, s.first_on)
WHERE {scope("s")} AND s.gone_on IS NULL
  AND NOT (%(in_shadow)s AND EXISTS (
      SELECT 1 FROM finding f WHERE f.patient_id = s.patient_id AND f.subject = s.subject AND f.level IS NOT NULL))
"""

FOUND = """
INSERT INTO alerts_shadowfinding AS s
    (centre_id, patient_id, rule, rule_version, subject, level, evidence, first_on, last_on)
SELECT %(centre)s, f.patient_id, %(rule)s, %(version)s, f.subject, f.level, f.evidence, %(as_of)s, %(as_of)s
FROM finding f WHERE f.level IS NOT NULL
ON CONFLICT (rule, patient_id, subject) WHERE gone_on IS NULL
DO UPDATE SET level = EXCLUDED.level, evidence = EXCLUDED.evidence, rule_version = EXCLUDED.rule_version,
    last_on = GREATEST(s.last_on, EXCLUDED.last_on), centre_id = EXCLUDED.centre_id
WHERE (s.level, s.evidence, s.rule_version, s.last_on, s.centre_id)
    IS DISTINCT FROM (EXCLUDED.level, EXCLUDED.evidence, EXCLUDED.rule_version, EXCLUDED.last_on, EXCLUDED.centre_id)
"""

# (found, could not be judged)
COUNTS = """
SELECT (SELECT count(*) FROM finding WHERE level IS NOT NULL),
       (SELECT count(DISTINCT (patient_id, subject)) FROM finding WHERE cardinality(missing) > 0)
"""

NOTHING_FOUND = "TRUNCATE finding"

# Instead of the other ways of closing.
CLOSE_ALL = "INSERT INTO closing SELECT o.alert_id, 'The rule was put in the shadow' FROM open_alert o"
