"""What is particular about each patient of the demo."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

from patients.models import Subtype


@dataclasses.dataclass(frozen=True)
class Case:
    """What is particular about a patient. Days are counted back from the day of the demo."""

    subtype: str
    diagnosed: int
    antibody: str = ""
    ck: str = "settled"  # settled, rising, surging, creeping, confounded, high-stable
    response: str = "good"  # good, poor, incomplete
    taper: str = ""  # due, overdue, held, on-track
    steroid: str = "tapered"  # tapered, high, raised, none
    drug: str = "methotrexate"
    drug_days: int = 0  # 0: since two weeks after the diagnosis
    physio: str = "good"  # good, missed-1, missed-2, missed-3, unreviewed, none, declined
    lungs: str = "good"  # good, never, overdue, booked, waived
    ild: bool = False
    ivig: bool = False
    rituximab: bool = False
    status: str = "active"
    signs: tuple[str, ...] = ()
    story: str = ""  # what was missed, found or given besides; see `also`
    calm: bool = False  # activity goes down to nothing, and seldom comes back
    seen: bool = True  # False: nobody has written down an assessment for more than a year


D, P, N, A, I, O, M = (  # noqa: E741 - the initials clinics use
    Subtype.DERMATOMYOSITIS,
    Subtype.POLYMYOSITIS,
    Subtype.NECROTISING,
    Subtype.ANTISYNTHETASE,
    Subtype.INCLUSION_BODY,
    Subtype.OVERLAP,
    Subtype.AMYOPATHIC,
)
TOLD = (
    Case(D, 420, "mi-2", ck="rising", taper="due"),
    Case(N, 510, "hmgcr", ck="rising", drug="mycophenolate-mofetil"),
    Case(N, 380, "srp", ck="surging", ivig=True, response="poor"),
    Case(P, 640, ck="creeping", physio="missed-1"),
    Case(D, 300, "tif1-gamma", ck="confounded", taper="on-track"),
    Case(A, 560, "jo-1", ck="rising", ild=True, drug="azathioprine"),
    Case(D, 200, "mi-2", response="poor", steroid="high", taper="overdue"),
    Case(P, 190, response="poor", steroid="high"),
    Case(N, 130, "hmgcr", response="poor", drug_days=110),
    Case(D, 205, "nxp2", response="incomplete", steroid="high"),
    Case(P, 196, response="incomplete"),
    Case(D, 110, "mi-2", taper="due", steroid="high"),
    Case(O, 150, "pm-scl", taper="due"),
    Case(D, 160, "sae1", taper="due", physio="missed-2"),
    Case(D, 140, "mi-2", taper="overdue"),
    Case(P, 170, taper="overdue", physio="missed-3"),
    Case(A, 150, "pl-7", taper="held", ild=True, drug="mycophenolate-mofetil"),
    Case(D, 240, "nxp2", steroid="raised", taper="on-track"),
    Case(P, 260, steroid="raised"),
    Case(D, 420, "mi-2", steroid="high"),
    Case(A, 700, "pl-12", lungs="overdue", ild=True, drug="mycophenolate-mofetil"),
    Case(M, 170, "mda5", lungs="never", drug="azathioprine"),
    Case(A, 330, "jo-1", lungs="overdue", signs=("mechanics_hands", "arthritis")),
    Case(D, 150, "ro52", lungs="never", physio="missed-2"),
    Case(A, 420, "ej", lungs="booked", ild=True, drug="azathioprine"),
    Case(O, 800, "ku", lungs="waived"),
    Case(D, 60, "mi-2", physio="none", lungs="booked"),
    Case(P, 75, physio="none", lungs="never"),
    Case(D, 90, physio="declined"),
    Case(D, 900, physio="missed-3"),
    Case(D, 480, "mi-2", physio="unreviewed"),
    Case(P, 610, physio="unreviewed", drug="azathioprine"),
    Case(I, 1500, "cn-1a", ck="high-stable", steroid="none", drug="", physio="missed-2"),
    Case(I, 1100, ck="high-stable", steroid="none", drug=""),
    Case(I, 800, ck="creeping", steroid="none", drug="", physio="none"),
    Case(N, 900, "srp", rituximab=True, drug="azathioprine"),
    Case(D, 700, "tif1-gamma", ivig=True, signs=("dysphagia", "heliotrope", "gottron")),
    # One of each thing that goes unnoticed elsewhere.
    Case(D, 420, "mi-2", story="bloods-lapsed"),
    Case(P, 700, story="bloods-long-lapsed", drug="azathioprine"),
    Case(D, 520, "mi-2", story="neutropenia", drug="azathioprine"),
    Case(N, 610, "hmgcr", story="muscle-alt"),
    Case(P, 560, story="liver"),
    Case(D, 640, story="falling-counts"),
    Case(P, 480, story="old-weight", drug="azathioprine"),
    Case(D, 330, "sae1", story="too-much"),
    Case(D, 100, "mi-2", story="not-checked", drug="azathioprine", drug_days=10),
    Case(P, 95, story="no-prophylaxis", steroid="high"),
    Case(D, 400, story="no-bone"),
    Case(N, 450, "hmgcr", story="statin", drug="mycophenolate-mofetil"),
    Case(A, 500, "jo-1", story="methotrexate-lungs", ild=True),
    Case(A, 620, "pl-12", story="lungs-worse", ild=True, drug="mycophenolate-mofetil"),
    Case(M, 130, "mda5", story="lungs-fast", drug="mycophenolate-mofetil"),
    Case(D, 350, "mi-2", story="worse"),
    Case(P, 540, story="worse-twice"),
    Case(D, 480, "mi-2", story="infusion-due", drug="mycophenolate-mofetil"),
    Case(N, 520, "srp", story="infusion-unusual", drug="azathioprine"),
    Case(D, 260, "nxp2", story="swallowing"),
    Case(D, 190, "tif1-gamma", story="no-cancer-screening"),
    Case(I, 900, "cn-1a", ck="high-stable", steroid="none", drug="", story="no-ibmfrs"),
    Case(D, 230, "mi-2", story="no-core-set"),
    Case(D, 1200, status="discharged"),
    Case(P, 1400, status="transferred", ck="rising"),
    Case(I, 2000, ck="high-stable", steroid="none", drug="", status="dead"),
)
ORDINARY = "ordinary"  # now and then a sample is missed, or found beyond a limit
TWICE = "twice"  # the first of the ordinary ones again, under another number


def cases(dice: random.Random, how_many: int) -> Iterator[Case]:
    """The told cases, then ordinary ones of every kind; the last is somebody who was registered before."""
    yield from TOLD[:how_many]
    kinds = ((D, "mi-2"), (D, ""), (P, ""), (N, "hmgcr"), (A, "jo-1"), (O, "pm-scl"), (D, "sae1"), (M, ""), (I, ""),
             (N, "srp"))  # fmt: skip
    ordinary = how_many - len(TOLD)
    for n in range(ordinary):
        subtype, antibody = kinds[n % len(kinds)]
        if n > 0 and n == ordinary - 1:
            yield Case(kinds[0][0], 34, story=TWICE)
            return
        untreated = subtype == Subtype.INCLUSION_BODY
        yield Case(
            subtype,
            dice.randint(250, 1700),
            antibody,
            ck="high-stable" if untreated else dice.choice(["settled"] * 9 + ["creeping"]),
            steroid="none" if untreated else "tapered",
            drug="" if untreated else dice.choice(["methotrexate", "azathioprine", "mycophenolate-mofetil"]),
            physio=dice.choice(["good"] * 8 + ["missed-1", "missed-2"]),
            lungs=dice.choice(["good"] * 12 + ["overdue"]),
            ild=subtype == Subtype.ANTISYNTHETASE and dice.random() < 0.6,
            story=ORDINARY,
            calm=n % 3 > 0,
            seen=n % 14 != 1,
        )
