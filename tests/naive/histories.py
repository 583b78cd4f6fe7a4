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
    RuleException,
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
                value_received=str(value),
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
            value_received=str(value), uln=None if uln is None else Decimal(uln),
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


THEMES = ("ck", "physio", "lungs", "treatment", "taper")


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
