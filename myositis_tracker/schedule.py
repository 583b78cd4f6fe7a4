"""The one schedule. Beat only ticks; what a tick leads to is decided, and claimed once, in PostgreSQL.

A lost, doubled or late tick is therefore harmless, and this file is all there is to read to know what runs when.
Clinical timing (the nightly sweep at a centre's local time, the daily digest) is decided by `alerts.tasks.tick`.
"""

SCHEDULE = {
    # Every minute: ask the database which periodic work is due (sweeps, digests, escalation) and claim it.
    # A tick nobody took within its minute is worthless, hence `expires`.
    "tick": {"task": "alerts.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
    # Every ten minutes, of which the first after a centre's nightly check does it: the overview's numbers over time.
    "figures": {"task": "clinic.tasks.figures", "schedule": 600.0, "options": {"expires": 590}},
    # Every ten minutes, so that "a day at most" means a day also where beat was restarted meanwhile.
    "uploads": {"task": "exchange.tasks.forget_uploads", "schedule": 600.0, "options": {"expires": 590}},
}
