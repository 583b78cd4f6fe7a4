"""Invented patients, dense round the thresholds of the rules.

One set of building blocks and two sources of chance: `random.Random` makes thousands in seconds, and hypothesis draws
the same blocks so that a disagreement shrinks to a small patient. Each patient is made of a few themes; within a theme
most choices are the ones that make a rule speak, and some are one step beside them.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from tests.naive.record import (
    LONG_AGO,
    AntibodyResult,
    Assessment,
    BodySize,
    Booking,
    Centre,
    Confounder,
    Course,
    CourseStop,
    Dose,
    EscalationDecision,
    Fact,
    FollowUpStatus,
    FunctionalTest,
    Imaging,
    Infusion,
    LungFunction,
    Manifestation,
    PersonalBaseline,
    PhysioDecline,
    PhysioEnd,
    PhysioPause,
    PhysioPlan,
    PhysioSession,
    Range,
    Record,
    Result,
    RiskFactor,
    RuleException,
    Screening,
    SessionOutcome,
    TaperConfirmation,
    TaperEnd,
    TaperHold,
    TaperPlan,
    TaperStep,
    Waiver,
)

AS_OF = dt.date(2025, 6, 15)
KNOWN_AT = dt.datetime(2025, 6, 15, 22, 0, tzinfo=dt.UTC)  # the end of that day in Berlin
BEFORE, AFTER = KNOWN_AT - dt.timedelta(days=5), KNOWN_AT + dt.timedelta(days=5)
MOMENTS = [LONG_AGO, BEFORE, KNOWN_AT, AFTER]
OLD = dt.date(2010, 1, 1)
CENTRES = (
    Centre(),
    Centre(
        ranges=(
            Range("ck", OLD, uln=Decimal(250)),
            Range("ck", AS_OF - dt.timedelta(300), AS_OF - dt.timedelta(61), uln=Decimal(150)),
            Range("ck", OLD, sex="male", uln=Decimal(300)),
            Range("ast", OLD, uln=Decimal(40)),
            Range("ggt", OLD, uln=Decimal(55)),
            Range("bilirubin", OLD, uln=Decimal(21)),
            Range("alt", OLD, sex="female", uln=Decimal(35)),
        ),
    ),
    Centre(zone="America/Los_Angeles"),
)

T = TypeVar("T")


class Chance(Protocol):
    def pick(self, options: Sequence[T]) -> T: ...

    def percent(self, share: int) -> bool: ...


class Dice:
    """Chance from a seeded generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.random() * len(options))]

    def percent(self, share: int) -> bool:
        return self.rng.random() * 100 < share


class Drawn:
    """Chance from hypothesis. The first option and "no" are the simplest, towards which it shrinks."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def pick(self, options: Sequence[T]) -> T:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def percent(self, share: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) >= 100 - share)


class Maker:
    def __init__(self, chance: Chance, first_id: int) -> None:
        self.c = chance
        self.next_id = first_id
        self.record = Record(centre=CENTRES[0])

    # ------------------------------------------------------------------------------------------------ small blocks

    def day(self, offset: int) -> dt.date:
        return AS_OF + dt.timedelta(days=offset)

    def ago(self, *numbers: int) -> int:
        """One of these many days ago, or a day beside it; as an offset."""
        return -self.c.pick(numbers) + self.c.pick([0, 0, 1, -1])

    def number(self, *words: str | int) -> Decimal:
        return Decimal(self.c.pick(words))

    def add(self, of: type[Fact], /, *, hidden: int = 8, **fields: Any) -> int:
        """A fact; a few were recorded late, or retired since."""
        recorded_at, retired_at = LONG_AGO, None
        if self.c.percent(hidden):
            recorded_at = self.c.pick(MOMENTS)
            retired_at = self.c.pick([None, *(m for m in MOMENTS if m >= recorded_at and m != LONG_AGO)])
        return self.put(of, recorded_at=recorded_at, retired_at=retired_at, **fields)

    def once(self, of: type[Fact], old: dict[str, Any] | None = None, /, **fields: Any) -> int:
        """A fact of which its parent has one at a time: alone, or in place of an older version (`old`)."""
        if old is not None and self.c.percent(6):
            at = self.c.pick([BEFORE, KNOWN_AT, AFTER])
            self.put(of, retired_at=at, **(fields | old))
            return self.put(of, recorded_at=at, **fields)
        return self.add(of, hidden=5, **fields)

    def put(self, of: type[Fact], /, **fields: Any) -> int:
        self.next_id += 1
        if fields.get("retired_at") is not None:
            fields["retired_at"] = max(fields["retired_at"], fields.get("recorded_at", LONG_AGO))
        self.record.facts.setdefault(of, []).append(of(id=self.next_id, **fields))
        return self.next_id

    # ------------------------------------------------------------------------------------------------------ themes

    def person(self) -> None:
        c, r = self.c, self.record
        r.centre = c.pick([CENTRES[0]] * 6 + [CENTRES[1]] * 3 + [CENTRES[2]])
        r.sex = c.pick(["female", "female", "male", "unknown"])
        r.subtype = c.pick(
            ["dermatomyositis"] * 6
            + ["polymyositis", "amyopathic", "overlap", "unknown", "juvenile"]
            + ["antisynthetase"] * 2
            + ["necrotising"] * 3
            + ["inclusion_body"] * 3
        )
        diagnosed = c.pick([42, 84, 100, 200, 365, 730, 900, 1095, 1461, 2000])
        r.diagnosed_on = None if c.percent(4) else self.day(self.ago(diagnosed))
        if c.percent(3):
            r.diagnosed_on = self.day(c.pick([0, 1]))
        r.onset_on = (
            None if c.percent(10) else (r.diagnosed_on or self.day(-400)) - dt.timedelta(days=c.pick([0, 30, 365, 700]))
        )
        if c.percent(15) and r.onset_on:
            r.onset_on = self.day(self.ago(1095, 1096))
        if c.percent(2):
            r.created_at = c.pick([KNOWN_AT, AFTER])
        if c.percent(5):
            for n in range(c.pick([1, 2])):
                self.once(
                    FollowUpStatus,
                    starts_on=self.day(self.ago(0, 100) - 3 * n),
                    word=c.pick(["discharged", "dead", "transferred", "withdrawn", "active"]),
                )
        if c.percent(4):
            starts = self.ago(0, 30)
            self.add(
                RuleException,
                rule=c.pick(["*", "ck-rising", "physio-missed", "second-line-review", "labs-overdue"]),
                starts_on=self.day(starts),
                ends_on=self.day(max(starts, c.pick([-1, 0, 1, 60]))),
            )
        antibodies = [
            "mda5",
            "jo-1",
            "ku",
            "ro52",
            "hmgcr",
            "srp",
            "tif1-gamma",
            "nxp2",
            "mi-2",
            "sae1",
            "cn-1a",
            "pl-7",
        ]
        for _ in range(c.pick([0, 0, 1, 1, 2])):
            self.add(
                AntibodyResult,
                antibody=c.pick(antibodies),
                result=c.pick(["positive", "positive", "strong", "weak", "negative"]),
                taken_on=self.day(self.ago(400, 100, 30, 0)),
            )

    def ck(self) -> None:
        c = self.c
        values = [
            100,
            150,
            200,
            220,
            250,
            300,
            330,
            340,
            375,
            400,
            500,
            600,
            1000,
            2000,
            3000,
            4000,
            5000,
            5001,
            6000,
            0,
        ]
        days = [0, 1, 2, 10, 20, 40, 60, 89, 90, 91, 120, 179, 180, 181, 200, 269, 270, 271, 400, 900]
        for _ in range(c.pick([2, 3, 4, 5, 7])):
            on = self.day(-c.pick(days) + (1 if c.percent(10) else 0))
            hour = c.pick([None, None, 8, 16])
            value = None if c.percent(4) else Decimal(c.pick(values))
            uln = c.pick([200, 200, 200, 150, 300, 600, 0, None])
            self.add(
                Result,
                analyte="ck",
                value=value,
                value_received="12" if value is None else str(value),
                uln=None if uln is None else Decimal(uln),
                taken_on=on,
                taken_at=None if hour is None else dt.datetime.combine(on, dt.time(hour, tzinfo=dt.UTC)),
            )
        if c.percent(25):
            self.add(
                PersonalBaseline,
                analyte=c.pick(["ck", "ck", "ck", "ldh"]),
                value=Decimal(c.pick(values[:9])),
                set_on=self.day(-c.pick(days)),
            )
        for _ in range(c.pick([0, 0, 1, 2])):
            kind = c.pick(["exercise", "injection", "surgery", "statin", "colchicine", "emg"])
            back = c.pick([0, 1, 6, 7, 8, 14, 15, 90, 91])
            self.add(Confounder, kind=kind, happened_on=self.day(-c.pick(days[:6]) - back))

    def physio(self) -> None:
        c = self.c
        for _ in range(c.pick([0, 1, 1, 1, 1, 2])):
            starts = self.ago(20, 28, 28, 56, 60, 84, 200, 0)
            plan = self.add(PhysioPlan, hidden=3, starts_on=self.day(starts))
            likely = c.pick(
                [["attended", "home_done", "attended_remote"], ["did_not_attend"], ["cancelled_by_patient"]]
            )
            words = [*likely, *likely, "attended", "did_not_attend", "cancelled_by_patient", "cancelled_by_clinic",
                     "excused", None, None]  # fmt: skip
            held = c.pick([
                [-14, -7], [-21, -14, -7], [-50, -40, -20, -2], [-15, -1], [-28, -3], [-20, -4], [-56, -40, -16, -5],
                [-40], [-60, -50, -44, -36, -30, -28, -22, -13, -8, -2], [-29, 2],
            ])  # fmt: skip
            used: set[int] = set()
            for at in held:
                at += c.pick([0, 0, 1, -1])
                if at in used:
                    continue
                used.add(at)
                booked = self.day(c.pick([at - 30, at - 30, at - 1, at - 4, at - 6, at - 8, at - 13, at - 14, at - 15]))
                session = self.put(
                    PhysioSession,
                    plan_id=plan,
                    held_on=self.day(at),
                    recorded_at=dt.datetime.combine(booked, dt.time(c.pick([12, 12, 1, 23]), tzinfo=dt.UTC)),
                    retired_at=c.pick([BEFORE, AFTER]) if c.percent(3) and at > -5 else None,
                )
                word = c.pick(words)
                if word is not None and (at <= 0 or c.percent(10)):
                    told = dt.datetime.combine(self.day(at + c.pick([0, 0, 2, 10])), dt.time(13, tzinfo=dt.UTC))
                    self.put(SessionOutcome, session_id=session, word=word, recorded_at=told,
                             retired_at=told + dt.timedelta(days=1) if c.percent(4) else None)  # fmt: skip
            if c.percent(10):
                pause = self.ago(5, 0, 30)
                until = None if c.percent(30) else self.day(max(pause, c.pick([-1, 0, 1])))
                self.add(PhysioPause, plan_id=plan, starts_on=self.day(pause), ends_on=until)
            if c.percent(20):
                self.once(
                    PhysioEnd, {"ended_on": self.day(-10)}, plan_id=plan, ended_on=self.day(self.ago(0, 365, 366))
                )
        if c.percent(10):
            declined = self.ago(183, 30, 0)
            until = None if c.percent(50) else self.day(max(declined, c.pick([-1, 0, 1])))
            self.add(PhysioDecline, declined_on=self.day(declined), ends_on=until)
        for _ in range(c.pick([0, 0, 1, 1, 2])):
            at = self.day(self.ago(83, 84, 56, 30))
            if c.percent(50):
                scale = c.pick([{"mmt8_150": 120}, {"mmt8_80": 60}, {"mmt8_150": 0}, {"patient_vas": Decimal(2)}])
                self.add(Assessment, assessed_on=at, **scale)
            else:
                instrument = c.pick(["fi2", "fi3", "walk_6min", "ibmfrs"])
                self.add(FunctionalTest, tested_on=at, instrument=instrument, is_complete=not c.percent(20))

    def lungs(self) -> None:
        c, r = self.c, self.record
        since = (AS_OF - (r.diagnosed_on or self.day(-700))).days
        if c.percent(50):
            kind = c.pick(["ild", "ild", "ild", "mechanics_hands", "arthritis", "ulceration", "gottron"])
            onset = self.ago(since, 365, 100, 500, 0)
            ended = self.day(onset + 20) if c.percent(15) else None
            self.add(Manifestation, kind=kind, onset_on=self.day(onset), ended_on=ended)
        full = {"fvc_l": Decimal("3.10"), "dlco_percent_predicted": Decimal(80)}
        parts = [
            {"fvc_l": Decimal("3.10")},
            {"fvc_percent_predicted": Decimal(82)},
            {"dlco_percent_predicted": Decimal(80)},
        ]
        for _ in range(c.pick([0, 1, 1, 2])):
            at = self.ago(
                183, 365, since + 180, since, 155, 183 + 90, 183 + 14, max(since - 365, 0), 365 + 90, 365 + 14
            )
            if c.percent(75):
                self.add(LungFunction, tested_on=self.day(at), **full)
            else:
                self.add(LungFunction, tested_on=self.day(at), **c.pick(parts))
                self.add(LungFunction, tested_on=self.day(at + c.pick([-7, -8, -6, 0, 7, 8, 3])), **c.pick(parts))
        for _ in range(c.pick([0, 1, 1, 1, 2])):
            at = self.ago(since - 30, since + 180, 100)
            modality = c.pick(["hrct", "hrct", "hrct", "hrct", "chest_xray", "ct_chest"])
            ild = c.pick(["absent", "absent", "absent", "present", "indeterminate", "not_reported", "not_applicable"])
            self.add(Imaging, modality=modality, done_on=self.day(at), ild=ild)
        for _ in range(c.pick([0, 0, 1, 2])):
            self.add(
                Booking,
                kind=c.pick(["pft", "hrct", "pft", "hrct", "visit"]),
                booked_for=self.day(c.pick([-1, 0, 10, 29, 30, 31, 60])),
            )
        if c.percent(20):
            test = c.pick(["pft", "hrct"])
            starts = c.pick([-364, -30, -10, 0, 1])
            ends = max(starts, c.pick([-1, 0, 1, 40]))
            if ends - starts < 365:
                self.add(Waiver, test=test, starts_on=self.day(starts), ends_on=self.day(ends))

    def course(self, drug: str, route: str) -> int:
        return self.add(Course, hidden=2, drug=drug, route=route)

    def dose(self, course: int, starts: int, ends: int | None, amount: Decimal, **rhythm: int) -> None:
        self.add(
            Dose, hidden=3, course_id=course, starts_on=self.day(starts),
            ends_on=None if ends is None else self.day(ends), amount=amount, **rhythm,
        )  # fmt: skip

    def stop(self, course: int, at: int, reason: str = "completed") -> None:
        self.once(CourseStop, {"reason": "other"}, course_id=course, stopped_on=self.day(at), reason=reason)

    def steroid(self) -> int:
        """Doses of a glucocorticoid, taking turns; returns the day they began."""
        c = self.c
        began = at = self.ago(84, 84, 168, 168, 100, 56, 200, 300, 365, 180, 28, 90)
        drug, route, factor = c.pick([("prednisone", "oral", Decimal(1))] * 5 + [
            ("prednisolone", "oral", Decimal(1)), ("methylprednisolone", "oral", Decimal("0.8")),
            ("dexamethasone", "oral", Decimal("0.15")), ("deflazacort", "oral", Decimal("1.2")),
        ])  # fmt: skip
        course = self.course(drug, route)
        amounts = c.pick([
            ["40", "20"], ["35", "20"], ["34.999", "20.001"], ["40"], ["60", "40", "25"], ["40", "10"],
            ["40", "10.001"], ["40", "7.5"], ["40", "7.501", "5"], ["5", "7.5", "10"], ["20", "22.5", "25"], ["2.5"],
            ["2.499"], ["40", "0", "20"],
            ["20", "19.999"], ["15", "20"], ["10", "12.5", "9", "11.5"],
        ])  # fmt: skip
        end: int | None = None
        for n, amount in enumerate(amounts):
            length = c.pick([28, 27, 29, 28, 40, 14, 56, 57, 60])
            is_last = n == len(amounts) - 1
            end = None if is_last and c.percent(75) else at + length - 1
            rhythm = c.pick([{}, {}, {}, {}, {"times": 2}, {"every_days": 2}])
            scale = Decimal(rhythm.get("every_days", 1)) / rhythm.get("times", 1)
            self.dose(course, at, end, (Decimal(amount) * factor * scale).quantize(Decimal("0.001")), **rhythm)
            if end is None:
                break
            at = end + 1 + (c.pick([14, 15, 13, 89, 90, 88, 1]) if c.percent(15) else 0)
        if c.percent(10):
            self.stop(course, self.ago(0, 20, 90))
        if c.percent(15):
            other = self.course(c.pick(["prednisone", "hydrocortisone", "dexamethasone", "betamethasone"]),
                                c.pick(["oral", "oral", "topical", "inhaled", "intramuscular"]))  # fmt: skip
            starts = self.ago(30, 10, 31, 0, 100)
            self.dose(
                other, starts, None if c.percent(50) else starts + c.pick([0, 7, 30]), self.number(5, "0.75", 10, 20)
            )
        if c.percent(15):
            pulse = self.course("methylprednisolone", "intravenous")
            for n in range(c.pick([1, 3])):
                at = began + c.pick([-14, -15, -1, 0, 30, 60, -began]) + n
                self.add(Infusion, hidden=3, course_id=pulse, given_on=self.day(at), amount=self.number(500, 1000))
        return began

    def agent(self, began: int) -> None:
        c = self.c
        drug, amounts, rhythm = c.pick([
            ("methotrexate", ["15", "15", "14.999", "20", "7.5"], {"every_days": 7}),
            ("methotrexate", ["15", "15", "14.999", "20", "7.5"], {"every_days": 7}),
            ("azathioprine", ["70", "69.999", "100", "140", "50"], {}),
            ("mycophenolate-mofetil", ["1000", "999.999", "1000", "1500", "500"], {"times": 2}),
        ])  # fmt: skip
        route = c.pick(["oral", "subcutaneous"]) if drug == "methotrexate" else "oral"
        course = self.course(drug, route)
        at = c.pick([began, began, began, self.ago(55, 56), began - 10])
        if c.percent(15):
            self.dose(course, at, at + 13, Decimal(amounts[4]), **rhythm)
            at += 14
        ends = at + c.pick([55, 54, 56]) if c.percent(15) else None
        self.dose(course, at, ends, self.number(*amounts), **rhythm)
        if c.percent(20):
            stopped = c.pick([self.ago(0, 180, 181), at + 54, at + 55])
            self.stop(course, max(stopped, at), c.pick(["toxicity", "toxicity", "ineffective"]))
        if c.percent(8):
            other = self.course(drug, "intravenous" if drug != "methotrexate" else "intramuscular")
            self.dose(other, at, None, Decimal(amounts[4]), **rhythm)

    def visit(self, at: int, **changes: Decimal | int | None) -> None:
        values: dict[str, Any] = {
            "physician_vas": Decimal(6), "patient_vas": Decimal(5), "extramuscular_vas": Decimal(2),
            "haq_di": Decimal("1.5"), "mmt8_150": 120,
        } | changes  # fmt: skip
        if self.c.percent(8):
            values[self.c.pick(list(values))] = None
        if self.c.percent(12):
            values["mmt8_80"] = 64
        self.add(Assessment, hidden=4, assessed_on=self.day(at), **values)

    def course_of_visits(self, began: int) -> None:
        c = self.c
        if not c.percent(12):
            self.visit(began + c.pick([0, 0, 0, -28, -29, 14, 15]))
        kind = c.pick(["same", "same", "better", "worse", "worse"])
        days = c.pick(
            [[-5], [-84], [-85], [-40, -5], [-60, -30], [-20, -5], [began + 42], [began + 41], [began + 15, -5]]
        )
        for at in days:
            if kind == "better":
                self.visit(at, physician_vas=self.number(1, 3, 4), mmt8_150=c.pick([138, 123, 124, 135, 150]),
                           patient_vas=self.number(4, 5, 1), extramuscular_vas=self.number("1", "1.5", 0))  # fmt: skip
            elif kind == "worse":
                self.visit(at, **c.pick([
                    {"extramuscular_vas": Decimal(4)}, {"extramuscular_vas": Decimal("3.9")},
                    {"physician_vas": Decimal(8), "mmt8_150": 96}, {"physician_vas": Decimal(8), "mmt8_150": 97},
                    {"physician_vas": Decimal("7.8"), "patient_vas": Decimal("6.5"), "haq_di": Decimal("1.95")},
                    {"physician_vas": Decimal("7.8"), "patient_vas": Decimal("6.5"), "haq_di": Decimal("1.949")},
                ]))  # fmt: skip
            else:
                self.visit(at, physician_vas=self.number(6, 6, 3, 1))
        for at in (began, days[-1]):
            if c.percent(85):
                for analyte in c.pick([["ck"], ["ck"], ["ck", "ldh"], ["alt", "ast"], ["ldh"]]):
                    value, uln = c.pick(
                        [("1000", "200"), ("1000", "200"), ("400", "200"), ("900", "250"), ("100", "40")]
                    )
                    self.result(
                        analyte, at + c.pick([0, 0, 0, 28, -28, 29, -29, 3]), value, None if c.percent(8) else uln
                    )

    def result(self, analyte: str, at: int, value: str | None, uln: str | None = None, low: str | None = None) -> None:
        hour = self.c.pick([None, None, None, 8])
        on = self.day(at)
        self.add(
            Result, hidden=4, analyte=analyte, value=None if value is None else Decimal(value),
            value_received="12" if value is None else str(value), uln=None if uln is None else Decimal(uln),
            low=None if low is None else Decimal(low),
            taken_on=on, taken_at=None if hour is None else dt.datetime.combine(on, dt.time(hour, tzinfo=dt.UTC)),
        )  # fmt: skip

    def treatment(self) -> None:
        c = self.c
        began = self.steroid()
        if not c.percent(15):
            self.agent(began)
        if not c.percent(12):
            self.weight(began + c.pick([0, 0, 0, -90, -91, 90, 91]))
        if c.percent(10):
            self.weight(began + c.pick([-5, 5, 10]))
        if not c.percent(10):
            self.course_of_visits(began)
        if c.percent(12):
            self.infusions(began)
        if c.percent(35):
            self.taper()

    def weight(self, at: int) -> None:
        if self.c.percent(5):
            self.add(BodySize, measured_on=self.day(at), height_cm=Decimal(170))
        else:
            self.add(BodySize, measured_on=self.day(at), weight_kg=self.number(70, 70, 70, 60, 90))

    def infusions(self, began: int) -> None:
        c = self.c
        if c.percent(50):
            course = self.course("rituximab", "intravenous")
            first = self.ago(168, 167, 180, 20)
            for at in [first, first + c.pick([14, 28, 29])][: c.pick([1, 2])]:
                self.add(Infusion, course_id=course, given_on=self.day(at), amount=Decimal(1000))
        else:
            course = self.course("ivig", "intravenous")
            for at in [self.ago(112, 111), self.ago(1, began * -1)][: c.pick([1, 2])]:
                self.add(Infusion, course_id=course, given_on=self.day(at), amount=Decimal(70))

    def taper(self) -> None:
        c = self.c
        plan = self.add(TaperPlan, hidden=3)
        starts = c.pick([[-40, -7, 3], [0, 14], [-8, 10], [-60, -30, -3], [4, 20], [28], [-100, -50]])
        shift = c.pick([0, 0, 1, -1])
        for n, at in enumerate(starts):
            step = self.once(TaperStep, {"dose_pe_mg": Decimal(50)}, plan_id=plan, step_on=self.day(at + shift),
                             dose_pe_mg=Decimal(40 - 5 * n))  # fmt: skip
            if (at < -7 and not c.percent(20)) or c.percent(15):
                confirmed = self.day(min(at + shift, 0) + c.pick([0, 0, 1, 5]))
                self.once(TaperConfirmation, {"confirmed_on": self.day(-1)}, step_id=step, confirmed_on=confirmed)
        if c.percent(15):
            held = self.ago(5, 0)
            until = None if c.percent(40) else self.day(max(held, c.pick([-1, 0, 1])))
            self.add(TaperHold, plan_id=plan, starts_on=self.day(held), ends_on=until)
        if c.percent(12):
            self.once(TaperEnd, {"ended_on": self.day(-20)}, plan_id=plan, ended_on=self.day(self.ago(0, 10, 30)))

    def safety(self) -> None:
        """Statins, methotrexate with lung disease."""
        c = self.c
        if c.percent(60):
            self.add(
                AntibodyResult,
                antibody="hmgcr",
                result=c.pick(["positive", "positive", "strong", "weak", "negative"]),
                taken_on=self.day(self.ago(30, 0)),
            )
        drug = c.pick(["atorvastatin", "simvastatin", "pravastatin", "methotrexate", "methotrexate", "azathioprine"])
        course = self.course(drug, "oral")
        rhythm = {"every_days": 7} if drug == "methotrexate" else {}
        starts = self.ago(100, 30, 0)
        end = c.pick([None, None, None, -1, 0, 1, 20])
        end = None if end is None else max(end, starts)
        self.dose(course, starts, end, self.number(20, 20, 20, 10, 0), **rhythm)
        if end is not None and c.percent(30):
            self.dose(course, end + c.pick([1, 5, 20]), None, Decimal(10), **rhythm)
        if c.percent(15):
            self.stop(course, max(starts, c.pick([-1, 0, 1])), "toxicity")
        if c.percent(60):
            if c.percent(50):
                self.add(Manifestation, kind="ild", onset_on=self.day(self.ago(200, 0)))
            else:
                self.add(Imaging, modality=c.pick(["hrct", "hrct", "chest_xray"]), done_on=self.day(self.ago(20, 200)),
                         ild=c.pick(["present", "present", "absent"]))  # fmt: skip

    def organs(self) -> None:
        """Swallowing, and lungs that get worse."""
        c = self.c
        for kind in ("ild", "dyspnoea", "cough", "oxygen", "aspiration", "dysphagia"):
            if c.percent(55 if kind == "ild" else 14):
                onset = self.ago(90, 365, 0, 20) if kind != "ild" else self.ago(900, 400, 90)
                ended = self.day(max(onset, c.pick([-1, 0, 1]))) if c.percent(20) and kind != "ild" else None
                severity = c.pick(["", "mild", "moderate", "severe"]) if kind == "dysphagia" else ""
                self.add(Manifestation, kind=kind, onset_on=self.day(onset), ended_on=ended, severity=severity)
        newest = self.ago(5, 90, 365)
        earlier = newest - c.pick([90, 89, 91, 365, 364, 366, 200, 30])
        alike = c.percent(85)
        fallen = c.pick([
            ("90", "85", "80", "80"), ("90", "85.1", "80", "80"), ("90", "90", "80", "70"), ("90", "90", "80", "70.1"),
            ("90", "90", "80", "68"), ("90", "90", "80", "68.1"), ("90", "90", "40", "34"), ("90", "81", "80", "80"),
            ("90", "90", "80", "80"), ("90", "90", "80", "80"), ("0", "0", "0", "0"), ("90", "85", "80", "70"),
        ])  # fmt: skip
        litres = c.pick(
            [("3.00", "2.70"), ("3.00", "2.71"), ("11.01", "9.91"), ("3.00", "3.00"), (None, "2.70"), (None, None)]
        )
        for n, at in enumerate((earlier, newest)):
            values: dict[str, Any] = {
                "fvc_percent_predicted": Decimal(fallen[n]), "dlco_percent_predicted": Decimal(fallen[2 + n]),
                "fvc_l": None if litres[n] is None else Decimal(litres[n]),
            }  # fmt: skip
            if c.percent(12):
                values[c.pick(["dlco_percent_predicted", "fvc_percent_predicted"])] = None
            if any(v is not None for v in values.values()) and not c.percent(8):
                sets = ["GLI-2012", "gli-2012"] if alike else ["GLI-2012", "GLI-2022"]
                hb = "yes" if alike else c.pick(["yes", "no", "unknown"])
                self.add(LungFunction, tested_on=self.day(at), reference_set=sets[n], dlco_hb_corrected=hb, **values)
        if c.percent(25):
            self.add(LungFunction, tested_on=self.day(c.pick([newest - 10, newest + 3, newest])),
                     reference_set="GLI-2012", **c.pick([
                         {"fvc_percent_predicted": Decimal(88)}, {"fvc_l": Decimal("2.9")},
                         {"dlco_percent_predicted": Decimal(75), "dlco_hb_corrected": "yes"},
                     ]))  # fmt: skip
        for _ in range(c.pick([0, 0, 1, 2])):
            self.add(
                Imaging,
                modality=c.pick(["hrct", "ct_chest", "mri_muscle"]),
                done_on=self.day(self.ago(365, 100, 9)),
                ild="present",
                progression=c.pick(["yes", "yes", "no", "not_stated"]),
            )
        if c.percent(35):
            at = self.ago(5, 30)
            before = at - c.pick([29, 30, 31, 10])
            self.result("spo2", before, c.pick(["98", "98", "95", None]))
            self.result("spo2", at, c.pick(["94", "94.01", "90", "89.99", "97", None]))
        if c.percent(30):
            self.add(AntibodyResult, antibody="mda5", result=c.pick(["positive", "positive", "weak"]),
                     taken_on=self.day(self.ago(300, 0)))  # fmt: skip
            for analyte, low, high in (
                ("ferritin", ["150", "0", "100"], ["300", "299", "500", "499.99", "200", "199.99", None]),
                ("kl6", ["400", "200", "0"], ["600", "599", "1000", "1000.01", "500", "500.01", None]),
            ):
                if c.percent(60):
                    at = self.ago(5, 90)
                    if c.percent(70):
                        self.result(analyte, at - c.pick([89, 90, 91, 30]), c.pick(low))
                    self.result(analyte, at, c.pick(high))
        for _ in range(c.pick([0, 1, 1, 2])):
            self.add(Screening, kind=c.pick(["swallow", "swallow", "swallow", "eye"]),
                     done_on=self.day(self.ago(183, 91, 14, 5, 154, 900)),
                     outcome=c.pick(["normal", "normal", "abnormal", "indeterminate", "not_stated"]),
                     score=c.pick([None, None, None, Decimal(3), Decimal("2.99"), Decimal(0)]))  # fmt: skip
        if c.percent(50):
            self.add(
                Assessment,
                assessed_on=self.day(self.ago(91, 274, 275, 150)),
                physician_vas=c.pick([Decimal(2), Decimal("1.9"), Decimal(5), None]),
                patient_vas=Decimal(3),
            )
        if c.percent(35):
            at = self.ago(5, 90)
            heavy, light = c.pick([("80", "76"), ("80", "76.1"), ("100", "95.1"), ("200.1", "190.1"), ("80", "70")])
            self.add(BodySize, measured_on=self.day(at - c.pick([30, 89, 90, 91])), weight_kg=Decimal(heavy))
            self.add(BodySize, measured_on=self.day(at), weight_kg=Decimal(light))
        if self.record.subtype == "inclusion_body" and c.percent(70):
            self.add(
                FunctionalTest,
                tested_on=self.day(self.ago(182, 154, 10)),
                instrument=c.pick(["ibmfrs", "ibmfrs", "fi3"]),
                is_complete=not c.percent(20),
            )
        if c.percent(70):
            self.visit(self.ago(84, 182, 56, 154))

    def steroid_long(self) -> None:
        """How long at how much, taken and planned."""
        c = self.c
        course = self.course(c.pick(["prednisone", "prednisone", "prednisolone"]), "oral")
        at = self.ago(28, 27, 10, 90, 62, 0, -28, -5)
        for _ in range(c.pick([1, 1, 2, 3])):
            amount = c.pick(["20", "20", "19.999", "40", "2.5", "2.499", "5", "10", "20.001"])
            length = c.pick([27, 28, 29, 10, 60, 90])
            end = None if c.percent(45) else at + length - 1
            self.dose(course, at, end, Decimal(amount))
            if end is None:
                break
            at = end + 1 + (c.pick([1, 5]) if c.percent(15) else 0)
        if c.percent(10):
            self.stop(course, self.ago(0, -17, 20))
        if c.percent(15):
            pulse = self.course("methylprednisolone", "intravenous")
            self.add(Infusion, course_id=pulse, given_on=self.day(self.ago(0, 10, 28)), amount=Decimal(500))
        if c.percent(15):
            other = self.course("methylprednisolone", "oral")
            starts = self.ago(9, 30)
            self.dose(other, starts, c.pick([None, 10, 17]), self.number(8, 2))
        if c.percent(35):
            plan = self.add(TaperPlan, hidden=2)
            for n, (on, mg) in enumerate(
                c.pick(
                    [
                        [(-10, "40"), (17, "19.5")],
                        [(-10, "40"), (18, "19.5")],
                        [(-20, "60"), (-2, "10")],
                        [(-10, "10"), (5, "20")],
                        [(1, "10")],
                        [(0, "20")],
                        [(-10, "40"), (5, "30"), (18, "10")],
                    ]
                )
            ):
                step = self.add(
                    TaperStep, hidden=2, plan_id=plan, step_on=self.day(on + c.pick([0, 0, 0])), dose_pe_mg=Decimal(mg)
                )
                if n == 0 and c.percent(60) and on <= 0:
                    self.add(TaperConfirmation, hidden=2, step_id=step, confirmed_on=self.day(on))
            if c.percent(15):
                self.add(TaperEnd, hidden=2, plan_id=plan, ended_on=self.day(self.ago(0)))
        if c.percent(30):
            other = self.course("co-trimoxazole", "oral")
            starts = self.ago(30, 0, -28)
            end = c.pick([None, None, -1, 0, 1])
            self.dose(other, starts, None if end is None else max(end, starts), self.number(480, 480, 0))
            if c.percent(10):
                self.stop(other, c.pick([-1, 0]))
        if c.percent(40):
            self.add(Screening, kind=c.pick(["fracture_risk", "fracture_risk", "dxa"]),
                     done_on=self.day(self.ago(730, 731, 702, 100, 0)), outcome="normal")  # fmt: skip

    def monitored(self) -> None:
        """Drugs that ask for blood tests, and the tests."""
        c = self.c
        for drug in c.pick(
            [
                ["methotrexate"],
                ["methotrexate"],
                ["methotrexate", "azathioprine"],
                ["ciclosporin"],
                ["tacrolimus"],
                ["mycophenolate-mofetil"],
                ["tofacitinib"],
                ["cyclophosphamide"],
                [],
            ]
        ):
            if drug == "cyclophosphamide":
                course = self.course(drug, "intravenous")
                for at in c.pick([[-27], [-28], [-112, -84, -56, -28, 0], [-76, -20], [-77, -20], [-117], [-118]]):
                    self.add(Infusion, hidden=2, course_id=course, given_on=self.day(at), amount=Decimal(750))
                continue
            route = c.pick(["oral"] * 6 + ["topical"]) if drug == "tacrolimus" else "oral"
            course = self.course(drug, route)
            if c.percent(4):
                continue
            rhythm = {"every_days": 7} if drug == "methotrexate" else {}
            starts = self.ago(400, 400, 18, 14, 42, 60, 90, 126, 140, 161, 162, 59, 0)
            if c.percent(35) and starts < -60:
                turn = self.ago(18, 42, 126, 60) if c.percent(90) else -1
                turn = max(turn, starts + 2)
                gap = c.pick([0, 0, 0, 28, 29, 27])
                end = max(starts, turn - gap - 1)
                self.dose(course, starts, end, Decimal(15), **rhythm)
                starts, amount = turn, c.pick(["15", "20", "10", "15.001"])
            else:
                amount = "15"
            end = c.pick([None] * 6 + [-1, 0, -90, -91])
            self.dose(course, starts, None if end is None else max(end, starts), Decimal(amount), **rhythm)
            if c.percent(12):
                self.stop(course, max(starts, c.pick([-90, -91, -1, 0, 1])))
        units = {"ck": "200", "ggt": "60", "bilirubin": "21", "alt": "40", "ast": "40"}
        normal = {
            "haemoglobin": "140", "wbc": "6", "neutrophils": "4", "platelets": "250", "creatinine": "100", "alt": "30",
            "albumin": "40", "potassium": "4", "glucose": "5", "systolic": "120", "diastolic": "80",
        }  # fmt: skip
        odd = {
            "wbc": ["3.5", "3.49", "2", "1.99", None], "neutrophils": ["1.6", "1.59", "1", "0.99"],
            "platelets": ["140", "139.99", "50", "49.99"], "albumin": ["30", "29.99"], "systolic": ["140", "140.01"],
            "diastolic": ["90", "90.01"], "creatinine": ["130", "130.1", "150", "149.9", "0", None],
            "alt": ["100", "100.01", "140", "150", "150.01", "200", "200.01", "300"],
        }  # fmt: skip
        panels = sorted(
            {self.ago(18, 20, 35, 36, 56, 84, 85, 98, 99, 252, 253, 5, 90) for _ in range(c.pick([0, 1, 2, 2, 3]))}
        )
        for at in panels:
            full = c.percent(70)
            for analyte, value in normal.items():
                if (full and not c.percent(3)) or c.percent(55):
                    given = c.pick(odd[analyte]) if analyte in odd and c.percent(14) else value
                    self.result(
                        analyte, at + (1 if c.percent(2) else 0), given, units.get(analyte) if c.percent(90) else None
                    )
            if c.percent(30):
                self.result("ast", at, c.pick(["100", "100.01", "140", "30"]), "40")
                for analyte, values in (
                    ("ck", ["3000", "100", "1129.77", "5000", "200", "200.01", "300"]),
                    ("ggt", ["20", "60", "60.01", None]),
                    ("bilirubin", ["10", "21", "21.01", "30"]),
                ):
                    if c.percent(80):
                        self.result(analyte, at, c.pick(values), units[analyte] if c.percent(92) else None)
            if c.percent(12):
                analyte, values = c.pick(
                    [
                        ("egfr", ["60", "59.99"]),
                        ("mcv", ["105", "105.01"]),
                        ("egfr-mdrd", ["59", "61"]),
                        ("eosinophils", ["0.5", "0.501"]),
                        ("lymphocytes", ["0.1"]),
                    ]
                )
                self.result(analyte, at, c.pick(values))
        if c.percent(30) and panels:
            self.result(
                "creatinine", panels[-1] - c.pick([6, 7, 8, 100, 364, 365, 366]), c.pick(["100", "100", "0", "66.7"])
            )

    def infused(self) -> None:
        """Courses of immunoglobulin and cycles of rituximab, with what is looked at beside them."""
        c = self.c
        if c.percent(55):
            course = self.course("ivig", "intravenous")
            newest = self.ago(20, 21, 28, 35, 4, 5, 0, 1)
            begins = [newest - c.pick([20, 21, 28, 35, 36, 10, 11])] * (1 if c.percent(50) else 0) + [newest]
            for began in begins:
                for at in c.pick([[0, 1], [0, 1], [0, 1], [0], [0, 4], [0, 5], [0, 0]]):
                    amount = c.pick(["70", "70", "70", "66.5", "66.499", "73.5", "73.501", "140"])
                    rate = c.pick([None, "168", "168.1", "126", "126.1", "140"])
                    self.add(
                        Infusion,
                        hidden=2,
                        course_id=course,
                        given_on=self.day(began + at),
                        amount=Decimal(amount),
                        max_rate_ml_per_hour=None if rate is None else Decimal(rate),
                    )
            if not c.percent(10):
                self.weight(newest + c.pick([0, -10, -90, -91, 5]))
            if c.percent(35):
                starts = newest + c.pick([-90, -1, 0, 1, 2])
                ended = c.pick([None, None, newest - 1, newest, newest + 1])
                self.add(
                    RiskFactor,
                    kind=c.pick(["renal", "diabetes", "sepsis", "smoking"]),
                    starts_on=self.day(starts),
                    ends_on=None if ended is None else self.day(max(ended, starts)),
                )
            if c.percent(10):
                self.add(Manifestation, kind="thrombosis", onset_on=self.day(newest + c.pick([-900, 1, 2])))
            if c.percent(25):
                self.record.born_on = dt.date(1960, 6, 15) + dt.timedelta(days=newest + c.pick([-1, 0, 1]))
        else:
            course = self.course("rituximab", "intravenous")
            newest = self.ago(14, 17, 18, 28, 29, 11, 168, 167, 34, 0)
            before = [newest - c.pick([167, 168, 169, 28, 29, 42])] * (1 if c.percent(30) else 0)
            for began in [*before, newest]:
                for at in c.pick(
                    [[0], [0], [0, 14], [0, 14], [0, 10], [0, 11], [0, 17], [0, 18], [0, 14, 20], [0, 28]]
                ):
                    amount = c.pick(["1000", "1000", "1000", "1000", "1000", "999.99", "500"])
                    self.add(
                        Infusion, hidden=2, course_id=course, given_on=self.day(began + at), amount=Decimal(amount)
                    )
            if c.percent(70):
                self.result("igg", self.ago(28, 183, 20, 5), c.pick(["9", "6", "5.99", "4", "3.99", None]))
            if c.percent(70):
                at = self.ago(200, 30)
                for analyte in c.pick([["hbsag", "anti-hbc"], ["hbsag", "anti-hbc"], ["hbsag"]]):
                    self.word(analyte, at, c.pick(["negative", "negative", "negative", "positive", "indeterminate"]))
            if c.percent(25):
                self.add(
                    Screening,
                    kind=c.pick(["hepatitis_b", "igg"]),
                    done_on=self.day(self.ago(200, 30, 28)),
                    outcome=c.pick(["normal", "abnormal", "not_stated"]),
                    note=c.pick(["", "", "entecavir"]),
                )
        if c.percent(60):
            self.result("creatinine", self.ago(14, 5), c.pick(["80", "80", None]))
        if c.percent(60):
            self.result("iga", self.ago(300, 20), c.pick(["2", "0.07", "0.069", None]))
        elif c.percent(30):
            self.add(Screening, kind="iga", done_on=self.day(-300), outcome=c.pick(["normal", "abnormal"]))
        if c.percent(20):
            self.stop(course, max(newest, c.pick([-1, 0, 1, 7, 8])))
        if c.percent(20):
            starts = newest - 30
            end = c.pick([None, newest - 1, newest, newest + 27, newest + 28, newest + 13, newest + 14])
            self.dose(course, starts, end, Decimal(70), every_days=28)
        if c.percent(50):
            self.add(
                Booking,
                kind=c.pick(["infusion", "infusion", "infusion", "visit"]),
                booked_for=self.day(c.pick([-1, 0, 14, 15])),
            )
        if c.percent(15):
            other = self.course(c.pick(["ivig", "rituximab"]), "intravenous")
            if c.percent(60):
                at = self.ago(9, 1, 35)
                self.add(Infusion, course_id=other, given_on=self.day(at), amount=Decimal(1000))

    def word(self, analyte: str, at: int, answer: str) -> None:
        self.add(Result, hidden=3, analyte=analyte, value=None, value_received=answer, taken_on=self.day(at))

    def dosed(self) -> None:
        """Doses round the ends of their usual ranges, at 70 kg and 170 cm."""
        c = self.c
        for _ in range(c.pick([1, 1, 2])):
            drug, route, amounts, rhythms = c.pick(
                [
                    (
                        "methotrexate",
                        "oral",
                        ["15", "14.999", "25", "25.001", "30", "10"],
                        [{"every_days": 7}, {"every_days": 14, "times": 2}],
                    ),
                    ("azathioprine", "oral", ["70", "69.999", "140", "140.001", "210", "210.001", "50"], [{}]),
                    ("mycophenolate-mofetil", "oral", ["1000", "999.999", "1500", "1500.001"], [{"times": 2}]),
                    ("prednisone", "oral", ["70", "70.001", "80", "80.001", "5", "60"], [{}, {"every_days": 2}]),
                    ("methylprednisolone", "intravenous", ["1000", "1000.001", "250"], [{}]),
                    ("methylprednisolone", "oral", ["1000"], [{}]),
                    ("ivig", "intravenous", ["66.5", "66.499", "73.5", "73.501"], [{"times": 2, "every_days": 28}]),
                    ("rituximab", "intravenous", ["1000", "999.999", "500", "1000.001"], [{"every_days": 14}]),
                    (
                        "cyclophosphamide",
                        "intravenous",
                        ["500", "499", "501", "1818.1", "1818.2", "1000"],
                        [{"every_days": 28}],
                    ),
                    ("abatacept", "intravenous", ["750", "525", "524", "876"], [{"every_days": 28}]),
                    ("tacrolimus", "oral", ["1.75", "1.749", "3.5", "3.501"], [{"times": 2}]),
                    ("tacrolimus", "topical", ["100"], [{}]),
                    ("hydroxychloroquine", "oral", ["350", "350.001", "200"], [{}]),
                    ("folic-acid", "oral", ["5", "7", "8", "4"], [{"every_days": 7}]),
                    ("tofacitinib", "oral", ["5", "5.5", "5.501", "4.999"], [{"times": 2}]),
                    ("atorvastatin", "oral", ["400"], [{}]),
                ]
            )
            course = self.course(drug, route)
            starts = self.ago(100, 100, 55, 56, 9, 0)
            if c.percent(20) and starts < -30:
                self.dose(course, starts, -20, self.number(*amounts), **c.pick(rhythms))
                starts = -19
            end = c.pick([None, None, None, None, -1, 0])
            self.add(
                Dose,
                hidden=3,
                course_id=course,
                starts_on=self.day(starts),
                amount=self.number(*amounts),
                ends_on=None if end is None else self.day(max(end, starts)),
                out_of_range_reason=c.pick(["", "", "as agreed"]),
                **c.pick(rhythms),
            )
            if c.percent(10):
                self.stop(course, max(starts, c.pick([-1, 0])))
        if not c.percent(15):
            self.add(BodySize, measured_on=self.day(self.ago(5, 90)), weight_kg=Decimal(70))
        if c.percent(50):
            self.add(BodySize, measured_on=self.day(-900), height_cm=Decimal(170))

    def begun(self) -> None:
        """A drug just begun, or about to be, and most of what it needs first."""
        c = self.c
        drug, route, needs = c.pick([
            ("methotrexate", "oral", "panel hbv hcv chest pregnancy"), ("azathioprine", "oral", "panel hbv tpmt"),
            ("mycophenolate-mofetil", "oral", "panel hbv pregnancy2"), ("tofacitinib", "oral", "panel hbv hcv tb"),
            ("tacrolimus", "oral", "panel hbv pressure glucose ecg"), ("tacrolimus", "topical", ""),
            ("ivig", "intravenous", "panel hbv hcv iga"), ("hydroxychloroquine", "oral", "eye"),
            ("rituximab", "intravenous", "hbv hcv iga igg igm varicella chest vaccination"),
        ])  # fmt: skip
        # All is there but a word about pregnancy.
        tidy = c.percent(25)
        if tidy:
            drug, route, needs = c.pick(
                [("methotrexate", "oral", "panel hbv hcv chest"), ("mycophenolate-mofetil", "oral", "panel hbv")]
            )
            self.record.sex = c.pick(["female", "female", "unknown"])
            self.record.born_on = dt.date(1995, 1, 1)
        course = self.course(drug, route)
        starts = self.ago(10, 10, 180, 0, -14, -28, 10)
        rhythm = {"every_days": 7} if drug == "methotrexate" else {}
        infused = drug in ("ivig", "rituximab")
        if c.percent(25) and not infused:
            earlier = self.course(drug, route)
            self.dose(earlier, starts - 200, starts - c.pick([28, 29, 30, 1]), Decimal(15), **rhythm)
            if c.percent(50):
                course = earlier
        if infused:
            for at in c.pick([[0], [0, 14], [-28, 0], [-29, 0]]):
                self.add(Infusion, hidden=2, course_id=course, given_on=self.day(starts + at), amount=Decimal(100))
        else:
            self.dose(course, starts, c.pick([None, None, starts + 5]), self.number(15, 15, 15, 15, 0), **rhythm)
        if c.percent(15):
            self.stop(course, max(starts, c.pick([-1, 0])))
        if c.percent(60) and not tidy:
            kind = c.pick(["childbearing", "childbearing", "no_childbearing", "diabetes"])
            ended = c.pick([None, None, None, -1, 0])
            self.add(RiskFactor, kind=kind, starts_on=self.day(self.ago(400, 0)) if ended is None else self.day(-400),
                     ends_on=None if ended is None else self.day(ended))  # fmt: skip
            if c.percent(15):
                self.add(RiskFactor, kind="no_childbearing", starts_on=self.day(c.pick([-200, -600, 1])))
        if c.percent(40) and not tidy:
            age = c.pick([11, 12, 30, 30, 54, 55])
            self.record.born_on = dt.date(AS_OF.year - age, 6, 15) + dt.timedelta(days=c.pick([-1, 0, 1, 100]))
        for need in needs.split():
            if c.percent(10) and not tidy:
                continue
            late = tidy or c.percent(85)
            if need == "panel":
                at = starts - (10 if late else c.pick([90, 91, -5]))
                for analyte in ("haemoglobin", "wbc", "neutrophils", "platelets", c.pick(["alt", "ast"]),
                                c.pick(["creatinine", "egfr"])):  # fmt: skip
                    if not c.percent(2):
                        self.result(analyte, at, "100")
            elif need in ("hbv", "hcv", "tb"):
                at = starts - (20 if late else c.pick([364, 365, 366]))
                kind = {"hbv": "hepatitis_b", "hcv": "hepatitis_c", "tb": "tuberculosis"}[need]
                if c.percent(25):
                    self.add(Screening, hidden=3, kind=kind, done_on=self.day(at),
                             outcome=c.pick(["normal", "not_stated", "indeterminate"]))  # fmt: skip
                else:
                    for analyte in {"hbv": ["hbsag", "anti-hbc"], "hcv": ["hcv-ab"], "tb": ["igra"]}[need]:
                        self.word(analyte, at, c.pick(["negative"] * 5 + ["positive", "indeterminate"]))
            elif need in ("tpmt", "iga", "igg", "igm"):
                if c.percent(20) and need != "igm":
                    self.add(
                        Screening, kind=need, done_on=self.day(starts - 20), outcome=c.pick(["normal", "indeterminate"])
                    )
                else:
                    self.result(need, starts - (20 if late else c.pick([4000, 91, 90])), c.pick(["9", "9", "9", None]))
            elif need == "chest":
                at = starts - (20 if late else c.pick([365, 366]))
                self.add(
                    Imaging,
                    hidden=3,
                    modality=c.pick(["chest_xray", "hrct", "ct_chest", "chest_xray", "mri_muscle"]),
                    done_on=self.day(at),
                    ild="absent",
                )
            elif need.startswith("pregnancy"):
                last = starts - c.pick([2, 2, 18, 19, 28, 29])
                for at in [last - c.pick([7, 8, 10, 11, 9]), last] if need.endswith("2") else [last]:
                    self.add(Screening, hidden=3, kind="pregnancy_test", done_on=self.day(at),
                             outcome=c.pick(["normal", "normal", "normal", "indeterminate"]))  # fmt: skip
            elif need in ("pressure", "glucose"):
                for analyte in ("systolic", "diastolic") if need == "pressure" else (c.pick(["glucose", "hba1c"]),):
                    self.result(analyte, starts - (20 if late else c.pick([90, 91])), "80")
            else:
                self.add(Screening, hidden=3, kind=need, outcome="normal",
                         done_on=self.day(starts - (20 if late else c.pick([365, 366, 900]))))  # fmt: skip

    def drift(self) -> None:
        """A monitored drug, and a test that falls from sample to sample."""
        c = self.c
        course = self.course("azathioprine", "oral")
        self.dose(course, -400, c.pick([None, None, None, -90, -91]), Decimal(100))
        for _ in range(c.pick([1, 1, 2])):
            analyte, values = c.pick(
                [
                    ("wbc", ["8", "7", "6.5", "6"]),
                    ("platelets", ["400", "350", "320", "300"]),
                    ("wbc", ["8", "7", "6.5", "6.01"]),
                    ("egfr", ["100", "90", "80", "75"]),
                    ("albumin", ["48", "44", "40", "36"]),
                    ("wbc", ["8", "7", "7", "6"]),
                    ("wbc", ["5", "4.5", "4", "3.5"]),
                    ("wbc", ["5", "4.5", "4", "3.49"]),
                    ("neutrophils", ["4", "3.5", "3.2", "3"]),
                    ("alt", ["90", "70", "50", "20"]),
                ]
            )
            last = self.ago(5, 5, 90)
            first = c.pick([last - 90, last - 90, -365, -366, -364])
            for value, at in zip(values, [first, last - 60, last - 30, last], strict=True):
                self.result(analyte, at, c.pick([value] * 15 + [None]))
            if c.percent(10):
                self.result(analyte, last + c.pick([1, -30, -45]), c.pick([*values, None]))

    def cancer(self) -> None:
        """Facts that set the tier, and panels done."""
        c, r = self.c, self.record
        diagnosed = self.ago(345, 338, 90, 60, 61, 365, 395, 425, 426, 800, 1096, 30)
        onset = diagnosed - c.pick([0, 10, 10, 30, 200, 600])
        if c.percent(15):
            onset = -c.pick([1095, 1096, 1097])
            diagnosed = max(diagnosed, onset)
        r.diagnosed_on, r.onset_on = self.day(diagnosed), self.day(onset)
        age = c.pick([30, 35, 55, 55, 55, 41, 40, 18, 17])
        r.born_on = dt.date(r.onset_on.year - age, r.onset_on.month, min(r.onset_on.day, 28)) + dt.timedelta(
            days=c.pick([-100, 0, 1])
        )
        if c.percent(60):
            antibody = c.pick(["tif1-gamma", "nxp2", "mi-2", "sae1", "jo-1"])
            self.add(AntibodyResult, antibody=antibody, result=c.pick(["positive", "strong", "weak"]),
                     taken_on=self.day(c.pick([diagnosed, diagnosed, -5, 0, 1])))  # fmt: skip
        if c.percent(35):
            starts = c.pick([diagnosed - 5, diagnosed, -20, -80])
            ended = c.pick([None, None, diagnosed - 1, diagnosed, diagnosed + 364, diagnosed + 365, -10])
            self.add(Manifestation, kind=c.pick(["necrosis", "dysphagia", "dysphagia"]), onset_on=self.day(starts),
                     severity=c.pick(["", "mild", "moderate", "severe"]),
                     ended_on=None if ended is None else self.day(max(ended, starts)))  # fmt: skip
        if c.percent(20):
            starts = c.pick([-5000, -20, -60, diagnosed, 1])
            ended = c.pick([None, None, diagnosed - 1, diagnosed, -10])
            self.add(
                RiskFactor,
                kind=c.pick(["smoking", "weight_loss", "fever", "diabetes"]),
                starts_on=self.day(starts),
                ends_on=None if ended is None else self.day(max(ended, starts)),
            )
        if c.percent(12):
            option = c.pick(["rituximab", "ivig", "no_change"])
            self.add(EscalationDecision, decided_on=self.day(c.pick([-20, -200])), option=option)
        if c.percent(12):
            course = self.course("azathioprine", "oral")
            self.dose(course, -300, None, Decimal(150))
            self.stop(course, c.pick([-30, -100]), c.pick(["ineffective", "toxicity"]))
        done = c.pick(
            [
                [],
                [diagnosed + 10],
                [diagnosed + 10],
                [diagnosed - 90],
                [diagnosed - 91],
                [diagnosed + 10, diagnosed + 335],
                [diagnosed + 10, diagnosed + 334],
                [diagnosed + 10, diagnosed + 400],
                [diagnosed + 10, -20],
                [-10],
            ]
        )
        for at in done:
            if at <= 0 and not c.percent(5):
                self.add(Screening, hidden=3, kind="cancer_basic", done_on=self.day(at), outcome="normal")
            if at <= 0 and c.percent(75):
                kind = c.pick(["cancer_enhanced", "cancer_enhanced", "cancer_enhanced", "pet_ct"])
                self.add(Screening, hidden=3, kind=kind, done_on=self.day(at), outcome="normal")

    def jump(self) -> None:
        """A CK that cannot be true."""
        c = self.c
        last = self.ago(5, 90)
        before = last - c.pick([179, 180, 181, 30])
        low, high = c.pick([("200", "4000"), ("200", "3999.99"), ("4000", "200"), ("0", "4000"), ("200", "5000")])
        self.result("ck", before, low, "200")
        self.result("ck", last, high, c.pick(["200", "200", None]))
        for analyte in c.pick([["ldh"], ["ldh", "alt"], ["crp"], []]):
            first, second = c.pick([("250", "250"), ("250", "374"), ("250", "375"), ("375", "250"), ("40", "300")])
            self.result(analyte, before, first, "250")
            self.result(analyte, last, second, "250")
        if c.percent(30):
            analyte = c.pick(["ferritin", "wbc", "hba1c", "mcv"])
            self.result(analyte, self.ago(90, 5), None)
        if c.percent(40):
            course = self.course(c.pick(["azathioprine", "hydroxychloroquine", "methotrexate", "prednisone"]), "oral")
            self.dose(course, -300, c.pick([None, -1, 0]), Decimal(15), every_days=7)
            self.weight(self.ago(90, 5))
        elif c.percent(30):
            course = self.course("ivig", "intravenous")
            self.add(Infusion, course_id=course, given_on=self.day(self.ago(34, 35)), amount=Decimal(140))


THEMES = (
    "ck", "physio", "lungs", "treatment", "treatment", "taper", "safety", "organs", "steroid_long", "monitored",
    "monitored", "infused", "dosed", "begun", "drift",
    "cancer", "jump",
)  # fmt: skip


def make(chance: Chance, first_id: int, themes: Sequence[str] = THEMES) -> Record:
    """One patient, of one to three themes; facts get ids from `first_id` on, in order of entry."""
    maker = Maker(chance, first_id)
    maker.person()
    for theme in dict.fromkeys(chance.pick(themes) for _ in range(chance.pick([1, 2, 2, 3]))):
        getattr(maker, theme)()
    return maker.record


def many(count: int, seed: int, themes: Sequence[str] = THEMES) -> list[Record]:
    return [make(Dice(random.Random(f"{seed}/{n}")), (n + 1) * 1000, themes) for n in range(count)]


@st.composite
def histories(draw: Any, themes: Sequence[str] = THEMES) -> Record:
    return make(Drawn(draw), 1000, themes)
