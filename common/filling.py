"""Puts what somebody typed back into the boxes of a page. Plain Python on the text of the page: forms need not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

# What a form carries for itself; what stood there before belongs to the page that is gone.
OWN = frozenset({"csrfmiddlewaretoken", "whose"})
_PRESSED = {"submit", "button", "image", "reset"}


@dataclass
class _Box:
    tag: str
    name: str
    kind: str  # the type of an input
    attrs: list[tuple[str, str | None]]
    start: int
    end: int  # of the start tag
    inner_end: int = 0  # of what a textarea holds
    options: list[_Box] = field(default_factory=list)

    @property
    def value(self) -> str:
        return dict(self.attrs).get("value") or ""


@dataclass
class _Form:
    id: str
    method: str
    action: str
    attrs: list[tuple[str, str | None]]
    start: int
    end: int
    boxes: list[_Box] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self._elsewhere: list[tuple[str, _Box]] = []  # boxes that name their form by its id
        self._form: _Form | None = None
        self._select: _Box | None = None
        self._textarea: _Box | None = None
        self._lines = [0]
        for line in page.split("\n"):  # as HTMLParser counts them: other breaks of lines are text to it
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.feed(page)
        self.close()
        for id_, box in self._elsewhere:
            for form in self.forms:
                if form.id == id_:
                    form.boxes.append(box)

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._here()
        end = start + len(self.get_starttag_text() or "")
        given = dict(attrs)
        if tag == "form":
            action = given.get("action") or given.get("hx-post") or ""
            method = "post" if "hx-post" in given else (given.get("method") or "get").lower()
            self._form = _Form(given.get("id") or "", method, action, attrs, start, end)
            self.forms.append(self._form)
        elif tag == "option" and self._select is not None:
            self._select.options.append(_Box(tag, "", "", attrs, start, end))
        elif tag in ("input", "select", "textarea", "button"):
            kind = (given.get("type") or ("submit" if tag == "button" else "text")).lower()
            box = _Box(tag, given.get("name") or "", kind, attrs, start, end)
            if tag == "select":
                self._select = box
            elif tag == "textarea":
                self._textarea = box
            if given.get("form"):
                self._elsewhere.append((given["form"] or "", box))
            elif self._form is not None:
                self._form.boxes.append(box)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._textarea is not None:
            self._textarea.inner_end = self._here()
            self._textarea = None


def _tag(tag: str, attrs: list[tuple[str, str | None]], changed: dict[str, str | None], drop: set[str]) -> str:
    kept = [(name, value) for name, value in attrs if name not in drop and name not in changed]
    text = "".join(
        f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in (*kept, *changed.items())
    )
    return f"<{tag}{text}>"


def _fitting(forms: list[_Form], fields: dict[str, list[str]], target: str, page: str) -> _Form | None:
    """The form that was sent: by its address, and of several by what it has in common with what was sent."""

    def likeness(form: _Form) -> tuple[bool, int]:
        address = urlsplit(urljoin(page, form.action)).path == urlsplit(target).path
        names = {box.name for box in form.boxes if box.kind not in _PRESSED and box.name not in OWN}
        same = sum(1 for box in form.boxes if box.kind == "hidden" and box.value in fields.get(box.name, ()))
        return address, len(names & set(fields)) + same

    posts = [form for form in forms if form.method == "post"]
    best = max(posts, key=likeness, default=None)
    return best if best is not None and likeness(best)[1] > 0 else None


def fill(
    html: str,
    fields: dict[str, list[str]],
    *,
    target: str,
    page: str,
    notice: Callable[[list[str]], str],
    before: str = "",
    mark: str = "",
) -> str | None:
    """The page with `fields` in the boxes of the form that is sent to `target`; None where no form of it fits.

    `notice` is asked for what stands at the head of the form, knowing the names for which it has no box. The form is
    marked data-filled with `mark`, and `before` stands before it.
    """
    form = _fitting(_Forms(html).forms, fields, target, page)
    if form is None:
        return None
    edits: list[tuple[int, int, str]] = []
    left = {name: list(values) for name, values in fields.items() if name not in OWN}
    placed: set[str] = set()
    for box in form.boxes:
        if box.name in OWN or box.kind == "file" or not box.name:
            continue
        if box.kind in _PRESSED and box.tag in ("input", "button"):
            placed.add(box.name)
        elif box.kind in ("checkbox", "radio"):
            ticked = (dict(box.attrs).get("value") or "on") in fields.get(box.name, ())
            edits.append((box.start, box.end, _tag("input", box.attrs, {"checked": ""} if ticked else {}, {"checked"})))
            if ticked or box.kind == "checkbox":
                placed.add(box.name)
        elif box.name not in fields:
            continue
        elif box.tag == "select":
            wanted, found = fields[box.name], set()
            for option in box.options:
                chosen = "value" in dict(option.attrs) and option.value in wanted
                found |= {option.value} if chosen else set()
                tag = _tag("option", option.attrs, {"selected": ""} if chosen else {}, {"selected"})
                edits.append((option.start, option.end, tag))
            if found >= set(wanted):
                placed.add(box.name)
        else:
            value = left[box.name].pop(0) if left[box.name] else ""
            if box.tag == "textarea":
                edits.append((box.end, box.inner_end, "\n" + escape(value)))
            else:
                edits.append((box.start, box.end, _tag("input", box.attrs, {"value": value}, set())))
            if not left[box.name]:
                placed.add(box.name)
    lost = [name for name, values in fields.items() if name not in placed | OWN and any(values)]
    edits.append((form.start, form.end, before + _tag("form", form.attrs, {"data-filled": mark}, set()) + notice(lost)))
    for start, end, text in sorted(edits, reverse=True):
        html = html[:start] + text + html[end:]
    return html
