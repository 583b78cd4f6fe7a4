"""The story of a patient, and its drawing on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from monitoring import charts
from monitoring.story import (
    AlertMark,
    Band,
    CkPoint,
    PlannedDose,
    Point,
    Series,
    SteroidDose,
    Story,
    Treatment,
    span,
    variation_band,
)

AS_OF = date(2026, 6, 1)
START = date(2025, 1, 1)
END = date(2026, 9, 1)


def full_story() -> Story:
    return Story(
        as_of=AS_OF,
        start=START,
        end=END,
        treatments=(
            Treatment("Mycophenolate", date(2025, 9, 1), None, "conventional", "2 g/day"),
            Treatment("Methotrexate", date(2025, 1, 10), date(2025, 8, 20), "conventional", "20 mg/week"),
            Treatment("IVIG", date(2025, 10, 1), date(2025, 10, 1), "infusion", "2 g/kg"),
        ),
        steroid=(
            SteroidDose(date(2025, 3, 1), date(2025, 4, 30), Decimal(20)),
            SteroidDose(date(2025, 1, 2), date(2025, 2, 28), Decimal(60)),
            SteroidDose(date(2025, 6, 1), None, Decimal("7.5")),
        ),
        steroid_plan=(PlannedDose(date(2026, 7, 1), Decimal(5)),),
        ck=(
            CkPoint(date(2025, 4, 1), Decimal("410.5"), None),
            CkPoint(date(2025, 1, 3), Decimal(5200), Decimal(200), ">"),
            CkPoint(date(2026, 5, 1), Decimal(0), Decimal(0)),
        ),
        ck_bands=(variation_band(Decimal(200), date(2025, 10, 1), date(2026, 3, 1)),),
        strength=(
            Series("mmt8", "MMT8", "/150", Decimal(150), (Point(date(2025, 2, 1), Decimal(120)),)),
            Series("haq_di", "HAQ-DI", "", Decimal(3), (Point(date(2025, 2, 1), Decimal("1.125")),), "right"),
        ),
        scores=(Series("tis", "TIS", "/100", Decimal(100), (Point(date(2025, 6, 1), Decimal(0)),)),),
        lung=(Series("fvc", "FVC", "% predicted", Decimal(120), (Point(date(2025, 2, 1), Decimal(81)),)),),
        alerts=(
            AlertMark(date(2026, 5, 2), "URGENT", "CK is rising", "/alerts/1/"),
            AlertMark(date(2025, 5, 2), "TASK", "Bloods overdue", "", date(2025, 5, 9)),
        ),
    )


def texts(svg: bytes) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def axes_by_name(story: Story) -> dict[str, Axes]:
    return {str(axes.get_label()): axes for axes in charts.draw(story).axes}


def test_the_object_has_exactly_the_documented_shape_and_is_plain_json() -> None:
    told = full_story().as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert list(told) == [
        "version",
        "as_of",
        "start",
        "end",
        "treatments",
        "steroid",
        "steroid_plan",
        "ck",
        "strength",
        "scores",
        "lung",
        "alerts",
    ]
    assert told["as_of"] == "2026-06-01"
    assert told["treatments"][0] == {
        "drug": "Methotrexate",
        "kind": "conventional",
        "start": "2025-01-10",
        "end": "2025-08-20",
        "ongoing": False,
        "dose": "20 mg/week",
    }
    assert told["treatments"][1]["ongoing"] is True
    assert [s["mg_per_day"] for s in told["steroid"]] == [60, 20, 7.5]
    assert told["strength"][1]["axis"] == "right"
    assert told["alerts"][0] == {
        "day": "2025-05-02",
        "level": "TASK",
        "title": "Bloods overdue",
        "url": "",
        "closed_on": "2025-05-09",
    }


def test_zero_is_a_value_and_an_unknown_limit_is_null() -> None:
    points = full_story().as_dict()["ck"]["points"]
    assert points == [
        {"day": "2025-01-03", "value": 5200, "comparator": ">", "uln": 200},
        {"day": "2025-04-01", "value": 410.5, "comparator": "", "uln": None},
        {"day": "2026-05-01", "value": 0, "comparator": "", "uln": None},
    ]
    assert full_story().as_dict()["scores"][0]["points"] == [{"day": "2025-06-01", "value": 0, "note": ""}]


def test_multiples_of_the_limit_need_a_limit() -> None:
    assert CkPoint(AS_OF, Decimal(500), Decimal(200)).times_uln == Decimal("2.5")
    assert CkPoint(AS_OF, Decimal(0), Decimal(200)).times_uln == 0
    assert CkPoint(AS_OF, Decimal(500), None).times_uln is None
    assert CkPoint(AS_OF, Decimal(500), Decimal(0)).times_uln is None


def test_the_usual_variation_of_ck() -> None:
    assert variation_band(Decimal(100), START, END) == Band(START, END, Decimal("59.00"), Decimal("170.00"))
    with pytest.raises(ValueError, match="above 0"):
        variation_band(Decimal(0), START, END)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Treatment("X", START, kind="tablet"), "kind of treatment"),
        (lambda: Treatment("X", START, START - timedelta(days=1)), "on or after"),
        (lambda: Series("tis", "TIS", "", Decimal(100), axis="top"), "left or right"),
        (lambda: AlertMark(START, "RED", "x"), "level must be"),
        (lambda: Story(AS_OF, END, START), "axis ends"),
        (lambda: SteroidDose(START, None, Decimal("NaN")).as_dict(), "finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_the_axis_holds_every_day_and_is_never_too_narrow() -> None:
    assert span([date(2025, 1, 1), date(2026, 8, 1)], AS_OF) == (date(2025, 1, 1), date(2026, 8, 1))
    assert span([], AS_OF, shortest=90) == (AS_OF - timedelta(days=90), AS_OF)
    assert span([AS_OF - timedelta(days=89)], AS_OF, shortest=90) == (AS_OF - timedelta(days=90), AS_OF)
    assert span([AS_OF - timedelta(days=91)], AS_OF, shortest=90) == (AS_OF - timedelta(days=91), AS_OF)


def test_every_lane_is_drawn_with_what_is_in_it() -> None:
    svg = texts(charts.to_svg(charts.draw(full_story())))
    for title in charts.LANES[:-1]:
        assert title in svg
    assert "Lung function, % predicted" in svg
    for name in ("Methotrexate 20 mg/week", "Mycophenolate 2 g/day", "IVIG", "MMT8", "HAQ-DI (right)", "TIS", "FVC"):
        assert name in svg
    assert charts.NOTHING not in svg


def test_all_lanes_share_one_time_axis() -> None:
    limits = {axes.get_xlim() for axes in charts.draw(full_story()).axes}
    assert len(limits) == 1


def test_ck_stands_on_a_log_axis_with_zero_on_its_edge() -> None:
    lane = axes_by_name(full_story())["CK"]
    assert lane.get_yscale() == "log"
    low, high = lane.get_ylim()
    assert 0 < low < 118
    assert high > 5200
    drawn = lane.lines[-1].get_ydata()
    assert np.asarray(drawn).tolist() == [5200, 410.5, low]


def test_the_dose_falls_to_zero_in_a_gap_and_holds_through_the_last_day() -> None:
    days, mgs = charts._corners(full_story().steroid, AS_OF)
    corners = list(zip([day - charts._num(START) for day in days], mgs, strict=True))
    assert corners == [
        (1, 0),
        (1, 60),
        (59, 60),  # 2 January to 28 February, both included
        (59, 20),
        (120, 20),
        (120, 0),  # to 30 April, then nothing
        (151, 0),
        (151, 7.5),
        (517, 7.5),  # from 1 June, still going on
    ]


def test_an_empty_story_says_so_in_every_lane() -> None:
    empty = Story(AS_OF, START, AS_OF)
    assert empty.is_empty
    assert not full_story().is_empty
    svg = texts(charts.to_svg(charts.draw(empty)))
    assert svg.count(charts.NOTHING) == len(charts.LANES)
    assert charts.to_png(charts.draw(empty)).startswith(b"\x89PNG")


def test_a_series_without_points_is_nothing_recorded() -> None:
    story = Story(AS_OF, START, AS_OF, scores=(Series("tis", "TIS", "/100", Decimal(100)),))
    assert story.is_empty
    assert texts(charts.to_svg(charts.draw(story))).count(charts.NOTHING) == len(charts.LANES)


def test_the_same_story_gives_the_same_bytes() -> None:
    first, second = full_story(), full_story()
    assert charts.to_svg(charts.draw(first)) == charts.to_svg(charts.draw(second))
    assert charts.to_png(charts.draw(first)) == charts.to_png(charts.draw(second))
    figure = charts.draw(first)
    charts.to_png(figure)
    assert charts.to_svg(figure) == charts.to_svg(charts.draw(first)), "drawing one format must not change the other"


def test_a_changed_value_changes_the_drawing() -> None:
    story = full_story()
    changed = Story(**{name: getattr(story, name) for name in story.__slots__ if name != "ck"}, ck=story.ck[:2])
    assert charts.to_svg(charts.draw(story)) != charts.to_svg(charts.draw(changed))


def test_markup_in_a_title_is_only_text() -> None:
    story = Story(AS_OF, START, AS_OF, treatments=(Treatment("<b>&$x$", START, None, "other"),))
    svg = charts.to_svg(charts.draw(story))
    assert b"<b>" not in svg
    assert b"&lt;b&gt;&amp;$x$" in svg


@settings(max_examples=15, deadline=None)
@given(
    days=st.lists(st.integers(0, 4000), max_size=8),
    values=st.lists(st.decimals(0, 100000, places=1), min_size=8, max_size=8),
)
def test_any_history_can_be_drawn(days: list[int], values: list[Decimal]) -> None:
    known = [AS_OF - timedelta(days=day) for day in days]
    start, end = span(known, AS_OF)
    story = Story(
        AS_OF,
        start,
        end,
        steroid=tuple(SteroidDose(day, day, value) for day, value in zip(sorted(set(known)), values, strict=False)),
        ck=tuple(CkPoint(day, value, value) for day, value in zip(known, values, strict=False)),
    )
    assert charts.to_svg(charts.draw(story)).rstrip().endswith(b"</svg>")
