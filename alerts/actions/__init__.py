"""From finding to person: every write of alerts, by subject.

`judging` makes the alerts of a rule agree with what it finds, `touched` and `sweeps` say when it is asked, `life` is
what becomes of one alert, and `outbox` tells people. What a person does is an `action`, what the system does by itself
a `job` (see audit/attribution.py). Every job may be run twice, late, or by several workers at once: what must happen
once is claimed by a unique row or under a lock.
"""
