"""The Total Improvement Score in SQL, for the whole clinic at once.

Every number comes from monitoring/scores/tis.py; a test proves that both say the same. Comparisons multiply instead of
dividing, so that a value on the end of a band keeps its band.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from monitoring.scores.tis import BANDS, ENZYME_RANGES, HAQ_RANGE, MMT_BANDS, POINTS, VAS_RANGE, Measure

# Columns a visit must have under the aliases given to `points` and `interval`.
VISIT = ("physician_vas", "patient_vas", "haq_di", "mmt8_150", "mmt8_80", "extramuscular_vas")
NAMES = {
    Measure.PHYSICIAN_VAS: "physician global activity",
    Measure.PATIENT_VAS: "patient global activity",
    Measure.MMT: "MMT8",
    Measure.HAQ_DI: "HAQ-DI",
    Measure.ENZYME: "muscle enzyme",
    Measure.EXTRAMUSCULAR_VAS: "extramuscular activity",
}


def enzyme_order(analyte: str) -> str:
    """SQL: which enzyme comes first where multiples of the ULN are equal."""
    return f"array_position(ARRAY[{', '.join(repr(name) for name in ENZYME_RANGES)}], {analyte}::text)"


def points(before: str, after: str) -> dict[Measure, str]:
    """SQL for the points of each measure between two visits, NULL where it is missing.

    `before` and `after` are aliases of rows with the columns of VISIT and `enzyme`, `enzyme_value`, `enzyme_uln`.
    Strength is compared on 0-150 where both visits have it, else on 0-80. Another enzyme than before is missing.
    """
    b, f = before, after
    found = {}
    for measure in (Measure.PHYSICIAN_VAS, Measure.PATIENT_VAS, Measure.EXTRAMUSCULAR_VAS, Measure.HAQ_DI):
        scale = HAQ_RANGE if measure is Measure.HAQ_DI else VAS_RANGE
        found[measure] = _banded(measure, f"{b}.{measure.value} - {f}.{measure.value}", str(scale), BANDS)
    both = _banded(Measure.MMT, f"{f}.mmt8_150 - {b}.mmt8_150", "150", MMT_BANDS)
    one = _banded(Measure.MMT, f"{f}.mmt8_80 - {b}.mmt8_80", "80", MMT_BANDS)
    found[Measure.MMT] = f"COALESCE({both}, {one})"
    ranges = " ".join(f"WHEN '{name}' THEN {scale}" for name, scale in ENZYME_RANGES.items())
    fall = f"{b}.enzyme_value * {f}.enzyme_uln - {f}.enzyme_value * {b}.enzyme_uln"
    scale_sql = f"(CASE {b}.enzyme {ranges} END * {b}.enzyme_uln * {f}.enzyme_uln)"
    banded = _banded(Measure.ENZYME, fall, scale_sql, BANDS)
    known = f"{b}.enzyme = {f}.enzyme AND {b}.enzyme_uln > 0 AND {f}.enzyme_uln > 0"
    found[Measure.ENZYME] = f"CASE WHEN {known} THEN {banded} END"
    return found


def lowest(points_of: str) -> str:
    """SQL: the total with missing measures as 0. `points_of` is an alias with one column of points for each measure."""
    return "(" + " + ".join(f"COALESCE({points_of}.{measure.value}, 0)" for measure in Measure) + ")"


def highest(points_of: str) -> str:
    """SQL: the total with missing measures at all their points."""
    return "(" + " + ".join(f"COALESCE({points_of}.{m.value}, {POINTS[m][-1]})" for m in Measure) + ")"


def _banded(measure: Measure, improvement: str, scale: str, bands: Sequence[Decimal]) -> str:
    """Points for `improvement` on `scale`: bands are open below and closed above."""
    values = POINTS[measure]
    steps = " ".join(
        f"WHEN ({improvement}) * 100 > {upper} * {scale} THEN {worth}"
        for upper, worth in reversed(list(zip(bands, values[1:], strict=True)))
    )
    return f"CASE WHEN ({improvement}) IS NULL THEN NULL {steps} ELSE {values[0]} END"
