"""What was typed comes back into the boxes of a page, and nothing of the page changes beside."""

from __future__ import annotations

import re

from common.filling import fill

PAGE = """<!doctype html><html><body data-x="1 > 0"><svg viewBox="0 0 1 1"><linearGradient/></svg>
<form method="post" action="/search/"><input name="q" value="old"></form>
<form method="post" id="main" novalidate>
<input type="hidden" name="csrfmiddlewaretoken" value="new token"><input type="hidden" name="whose" value="new mark">
<input type="hidden" name="version" value="8">
<input name="ck" value="" data-value="3" aria-label="a value=7 &quot;b&quot;">
<input name="row" value="1"><input name="row" value="2">
<input type="checkbox" name="tick" value="a" checked><input type="checkbox" name="tick" value="b">
<input type="radio" name="one" value="x" checked><input type="radio" name="one" value="y">
<select name="unit"><option value="U/L" selected>U/L</option><option value="µkat/L">µkat/L</option></select>
<textarea name="note">
old &amp; gone</textarea><input type="file" name="scan">
<button name="next" value="1">Save</button></form><input name="outside" form="main"></body></html>"""


def put(**fields: list[str]) -> str:
    filled = fill(PAGE, fields, target="/p/enter/", page="/p/enter/", notice=lambda lost: f"[lost {lost}]")
    assert filled is not None
    return filled


def test_every_kind_of_box() -> None:
    page = put(
        ck=['5 > 4 "x"'], row=["9", "8"], tick=["b"], one=["y"], unit=["µkat/L"], note=["\n<b>new</b>"],
        version=["7"], outside=["there"], next=["1"],
    )  # fmt: skip
    assert 'name="ck" data-value="3" aria-label="a value=7 &quot;b&quot;" value="5 &gt; 4 &quot;x&quot;">' in page
    assert re.findall(r'name="row" value="(\d)"', page) == ["9", "8"]
    ticks = '<input type="checkbox" name="tick" value="a"><input type="checkbox" name="tick" value="b" checked="">'
    assert ticks in page
    assert '<input type="radio" name="one" value="x"><input type="radio" name="one" value="y" checked="">' in page
    assert '<option value="U/L">U/L</option><option value="µkat/L" selected="">' in page
    assert '<textarea name="note">\n\n&lt;b&gt;new&lt;/b&gt;</textarea>' in page
    assert 'name="version" value="7"' in page, "what changed meanwhile is found by the old version"
    assert '<input name="outside" form="main" value="there">' in page
    assert "[lost []]" in page


def test_what_belongs_to_the_new_page_stays() -> None:
    page = put(ck=["1"], csrfmiddlewaretoken=["old"], whose=["old"])
    assert 'value="new token"' in page
    assert 'value="new mark"' in page
    assert page.startswith('<!doctype html><html><body data-x="1 > 0"><svg viewBox="0 0 1 1"><linearGradient/></svg>')
    assert '<input name="q" value="old">' in page
    assert '<form method="post" id="main" novalidate data-filled="">[lost []]' in page


def test_what_has_no_box_is_named_and_the_empty_is_not_missed() -> None:
    page = put(ck=["1"], gone=["17"], unit=["mg/L"], never=[""])
    assert "[lost ['gone', 'unit']]" in page


def test_the_form_is_found_by_where_it_was_sent() -> None:
    page = fill(PAGE, {"q": ["Abara"]}, target="/search/", page="/p/enter/", notice=lambda lost: "[here]")
    assert page is not None
    assert '<form method="post" action="/search/" data-filled="">[here]<input name="q" value="Abara">' in page


def test_a_page_without_such_a_form_is_left_alone() -> None:
    assert fill(PAGE, {"dose": ["5"]}, target="/elsewhere/", page="/p/", notice=lambda lost: "") is None
    assert fill("<p>Nothing</p>", {"ck": ["5"]}, target="/p/", page="/p/", notice=lambda lost: "") is None
    get = '<form><input name="ck"></form>'
    assert fill(get, {"ck": ["5"]}, target="/p/", page="/p/", notice=lambda lost: "") is None


def test_unusual_breaks_of_lines_move_nothing() -> None:
    """A line separator or a vertical tab comes in with pasted text and stands on the page."""
    odd = "<p>one\u2028two\x0bthree\x85four</p>\r\n"
    form = '<form method="post" action="/x/">\n<input name="note" value="old"></form>\n<p>end</p>'
    filled = fill(odd + form, {"note": ["new"]}, target="/x/", page="/p/", notice=lambda lost: "")
    assert filled == odd + form.replace('/x/"', '/x/" data-filled=""').replace("old", "new")
