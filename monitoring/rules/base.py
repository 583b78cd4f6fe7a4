"""What a rule is.

A rule is one file of this folder with one `RULE`. Its question is one SQL query over the whole population: it joins
`asked` (the patients it is asked about, see monitoring/asking.py) and yields

    patient_id  bigint
    subject     text     what it is about: 'patient', 'plan:12', 'course:5'. One finding per subject
    level       text     URGENT, ACTION, TASK, INFO; NULL where it is not (or not yet) a finding
    due_on      date     the day it falls due, where there is one
    evidence    jsonb    'reasons': keys of `explanations`; and every value the sentences name
    missing     text[]   what could not be worked out, as plain words: the subject is not evaluable

A row without level and missing is something coming up: it has a due day in the next `HORIZON` days.
Every `%(name)s` of the query is a field of the rule's parameters, or `as_of`, or `known_at`; no number is typed twice.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.utils import formats
from django.utils.translation import gettext

from accounts.models import Role
from common.words import N_
from monitoring.levels import Level
from monitoring.words import translated_words

HORIZON = 28  # days ahead that a rule reports what will fall due
# Where the evidence keeps the numbers it was judged by: the rule's, and {rule id: parameters} of those it asks where a
# centre has changed them. They are no finding.
JUDGED_BY = ("parameters", "parameters_asked")


class Confidence(enum.StrEnum):
    PRIMARY = N_("primary source read")
    SECONDARY = N_("secondary source read")
    GENERAL = N_("general knowledge, to be checked")
    LOCAL = N_("local policy, in no guideline")


@dataclasses.dataclass(frozen=True)
class Citation:
    text: str
    confidence: Confidence
    doi: str = ""
    locator: str = ""


@dataclasses.dataclass(frozen=True)
class Question:
    """One asking of a rule.

    as_of: the day judged. known_at: None for today's judgement, which uses everything recorded so far; in a back-test
    or replay, the moment up to which the record is read. sharing: gives the table of a prepared answer, where answers
    are shared (monitoring/sharing.py).
    """

    as_of: dt.date
    known_at: dt.datetime | None = None
    sharing: Callable[[Prepared, str], str] | None = dataclasses.field(default=None, compare=False, repr=False)

    def shared(self, prepared: Prepared) -> str | None:
        """The table that holds this answer about everybody followed, whomever the rule is asked about; None where nothing
        is shared, and the rule asks the record itself.
        """
        return None if self.sharing is None else self.sharing(prepared, "")

    @property
    def is_sweep(self) -> bool:
        """Asked about everybody followed in a centre: a million rows are read and sorted out after, and not looked up."""
        return self.sharing is not None

    def known(self, alias: str) -> str:
        """SQL: the row of `alias` is a current fact (as the record stood at `known_at`)."""
        if self.known_at is None:
            return f"{alias}.retired_at IS NULL"
        return (
            f"({alias}.recorded_at <= %(known_at)s AND "
            f"({alias}.retired_at IS NULL OR {alias}.retired_at > %(known_at)s))"
        )


@dataclasses.dataclass(frozen=True)
class Prepared:
    """An answer that several rules ask for: `query(question)` is a SELECT over `asked` with a column patient_id, which
    says of each patient what it says whoever else is asked about. Its `%(name)s` are parameters of the rule that asks.
    """

    name: str
    query: Callable[[Question], str]


Parameters = Any  # a frozen dataclass of numbers, days and words


def bounded(value: Any, low: Any, high: Any) -> Any:
    """A parameter that a centre may set to anything from `low` to `high`: `ratio: Decimal = bounded(Decimal(2), 1, 3)`.

    Without it a number may be halved and doubled, see monitoring/bounds.py; a word stays as it is, see `chosen`.
    """
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return dataclasses.field(default=value, metadata={"bounds": (type(value)(low), type(value)(high))})


def chosen(value: Any, choices: Iterable[Any]) -> Any:
    """A parameter that a centre may set to one of `choices`: `limit_set: str = chosen("BSR 2017", LIMIT_SETS)`."""
    if value not in (offered := tuple(choices)):
        raise ValueError(f"{value} is none of {offered}")
    return dataclasses.field(default=value, metadata={"choices": offered})


@dataclasses.dataclass(frozen=True)
class Rule:
    """See DESIGN in docs/. `findings(question)` gives the query; `closes(question)` the query for closing, where a
    finding that is merely gone is not enough: it joins `open_alert` (patient_id, subject, level, evidence, as_of) and
    yields patient_id, subject of those to close.
    """

    id: str
    version: int
    title: str
    audience: Role
    evidence: tuple[Citation, ...]
    review_due: dt.date
    parameters: Parameters
    findings: Callable[[Question], str]
    explanations: Mapping[str, str]
    examples: str
    not_considered: tuple[str, ...]
    closes: Callable[[Question], str] | None = None
    advice: str = ""
    asks: tuple[Rule, ...] = ()  # rules whose query this one's query holds, by `embedded`
    # Names of the evidence that count days, or are shown beside what was found: another value is no other finding.
    aside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ValueError(f"{self.id} is not kebab-case")
        if not self.explanations or not self.evidence or not self.not_considered:
            raise ValueError(f"{self.id} must say why, from which source, and what it did not consider")

    def values(
        self,
        question: Question,
        parameters: Parameters | None = None,
        others: Mapping[str, Parameters] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Every named value its queries may use, those of the rules it asks included: {rule id: parameters} in `others`
        where they are not the rule's own.
        """
        of_the_asked = {
            f"{rule._prefix}{name}": value
            for rule in self.asks
            for name, value in rule.values(question, others.get(rule.id), others).items()
        }
        return {
            **of_the_asked,
            **dataclasses.asdict(parameters or self.parameters),
            "as_of": question.as_of,
            "known_at": question.known_at,
            "horizon": HORIZON,
        }

    @property
    def _prefix(self) -> str:
        return self.id.replace("-", "_") + "__"

    def embedded(self, question: Question) -> str:
        """Its query for use inside the query of a rule that names it in `asks`. Its parameters keep their own values:
        their names get a prefix, so that two rules may use one name for different numbers.
        """
        sharing = question.sharing
        if sharing is not None:
            inner = sharing
            question = dataclasses.replace(question, sharing=lambda prepared, _: inner(prepared, self._prefix))
        return re.sub(r"%\((\w+)\)s", lambda name: f"%({self._prefix}{name[1]})s", self.findings(question))

    def sentence(self, evidence: Mapping[str, Any]) -> str:
        """The finding in plain English, made from its evidence and the parameters it was judged by. What is stored, and
        what other programs are told.
        """
        return self._said(evidence, str, plain)

    def sentence_shown(self, evidence: Mapping[str, Any]) -> str:
        """The finding in the reader's language."""
        return self._said(evidence, gettext, shown)

    def _said(self, evidence: Mapping[str, Any], text: Callable[[str], str], write: Callable[[Any], str]) -> str:
        words = _Written(evidence, write, _Written(evidence.get("parameters", {}), write))
        return " ".join(text(self.explanations[reason]).format_map(words) for reason in evidence["reasons"])

    @property
    def title_shown(self) -> str:
        return gettext(self.title)

    def advice_shown(self, numbers: Mapping[str, Any]) -> str:
        """The advice in the reader's language, with the numbers it was or is judged by."""
        return with_numbers(gettext(self.advice), numbers, shown) if self.advice else ""

    def not_considered_shown(self, numbers: Mapping[str, Any]) -> list[str]:
        return [with_numbers(gettext(text), numbers, shown) for text in self.not_considered]


class _Written:
    """Values for the sentence that names them, each written when it is named: evidence holds many more than one sentence
    says. {p.name} asks the parameters.
    """

    def __init__(self, values: Mapping[str, Any], write: Callable[[Any], str], p: _Written | None = None) -> None:
        self._values, self._write, self._p = values, write, p

    def __getitem__(self, name: str) -> Any:
        return self._p if name == "p" and self._p is not None else self._write(self._values[name])

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def with_numbers(text: str, parameters: Mapping[str, Any], write: Callable[[Any], str] | None = None) -> str:
    """A text of a rule with the numbers in it that it names as {p.name}; in English where `write` is not `shown`."""
    for name, value in parameters.items():
        text = text.replace("{p." + name + "}", (write or plain)(list(value) if isinstance(value, tuple) else value))
    return text


def plain(value: Any) -> str:
    """A value of the evidence (JSON) in plain English. For a person who reads a page: `shown`."""
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(v) for v in value) or "none"
    if isinstance(value, float | Decimal):
        value = Decimal(str(value))
        text = f"{value:.3f}".rstrip("0").rstrip(".")
        return text or "0"
    if isinstance(value, str) and (day := day_in(value)):
        value = day
    if isinstance(value, dt.date):
        return f"{value.day} {value:%b %Y}"
    return str(value)


def shown(value: Any) -> str:
    """A value of the evidence as its reader's language writes it: words, days, decimals."""
    if isinstance(value, list | tuple):
        return ", ".join(shown(v) for v in value) or gettext("none")
    if isinstance(value, float | Decimal):
        return plain(value).replace(".", formats.get_format("DECIMAL_SEPARATOR"))
    if isinstance(value, str):
        if day := day_in(value):
            return formats.date_format(day, "DATE_FORMAT")
        if re.fullmatch(r"-?\d+\.\d+", value):  # JSON keeps a number of the rule as text, so that no digit is lost
            return value.replace(".", formats.get_format("DECIMAL_SEPARATOR"))
        return str(Level(value).label) if value in Level.values else translated_words(value)
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if value is None:
        return gettext("not recorded")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)


def day_in(text: str) -> dt.date | None:
    """The day that the JSON text is, if it is one."""
    return dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
