"""Questions that a page asks each time it is opened: Django writes their SQL at the first asking and keeps it, since
writing it takes several times as long as sending it. Only the values change.

    @prepared
    def ahead(patient: Patient, as_of: dt.date) -> QuerySet[Booking]:
        return Booking.objects.current().filter(patient=patient, booked_for__gte=as_of)

    ahead(patient, as_of)  # a list
    ahead.count(patient, as_of)

Of a row, here the patient, only the primary key may stand in the question. What comes after a star is chosen by the
code, as a limit is: each choice is a question of its own.

The values stand in the question as they come: one that is worked with first (`as_of - timedelta(7)`), decides what is
asked, or can be None is not kept apart from the rest, and the first asking refuses it.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import inspect
import uuid
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet

P = ParamSpec("P")
Row = TypeVar("Row")

# What stands for a value while the SQL is written, by its type; two of each, so that a value worked with shows itself.
_STAND_INS: dict[type, Callable[[int, bool], Any]] = {
    int: lambda n, second: -910_000_000 - n - 10_000_000 * second,
    uuid.UUID: lambda n, second: uuid.UUID(int=2 * n + second),
    str: lambda n, second: f"stand-in {n} {second}",
    dt.date: lambda n, second: dt.date(1071 + 2 * second, 3 + 6 * second, 1 + n),
    dt.datetime: lambda n, second: dt.datetime(1071 + 2 * second, 3, 1 + n, tzinfo=dt.UTC),
}


def _stand_in(kind: type, n: int, second: bool) -> Any:
    if issubclass(kind, Model):
        return kind(pk=_STAND_INS[int](n, second))
    return _STAND_INS[kind](n, second)


def _key(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value


class prepared(Generic[P, Row]):  # noqa: N801 - used as a decorator
    """Called, it gives the rows as a list; `count` says how many there are, and `ask` is the query set itself."""

    def __init__(self, ask: Callable[P, QuerySet[Any, Row]]) -> None:
        functools.update_wrapper(self, ask)
        parameters = inspect.signature(ask).parameters.values()
        self.ask = ask
        self.names = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
        self.choices = {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}
        self.written = functools.cache(self._write)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        found, compiler, sql, filled = self._filled(args, kwargs)
        own: Any = copy.copy(compiler)  # others may be asking at this moment
        own.connection = connections[DEFAULT_DB_ALIAS]
        own.as_sql = lambda: (sql, filled)
        asked: Any = SimpleNamespace(
            db=DEFAULT_DB_ALIAS, model=found.model, query=SimpleNamespace(get_compiler=lambda *_, **__: own),
            _known_related_objects={}, _fields=getattr(found, "_fields", None),
        )  # fmt: skip
        read: Any = found._iterable_class
        return list(read(asked))

    def count(self, *args: P.args, **kwargs: P.kwargs) -> int:
        _, _, sql, filled = self._filled(args, kwargs)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({sql}) counted", filled)  # noqa: S608 - Django wrote it
            number: int = cursor.fetchone()[0]
        return number

    def _filled(self, args: Any, kwargs: Any) -> tuple[QuerySet[Any, Row], Any, str, list[Any]]:
        values = dict(zip(self.names, args, strict=False)) | kwargs
        chosen = {name: values.pop(name, default) for name, default in self.choices.items()}
        found, compiler, sql, params, places = self.written(**chosen)
        filled = [_key(values[places[place]]) if place in places else value for place, value in enumerate(params)]
        return found, compiler, sql, filled

    def _write(self, **chosen: Any) -> tuple[QuerySet[Any, Row], Any, str, Sequence[Any], dict[int, str]]:
        """The query set, what wrote its SQL, the SQL, its parameters, and the names of those that change by place."""
        ask: Any = self.ask
        hints = get_type_hints(ask)
        first = {name: _stand_in(hints[name], n, False) for n, name in enumerate(self.names)}
        second = {name: _stand_in(hints[name], n, True) for n, name in enumerate(self.names)}
        found = ask(**first, **chosen)
        compiler = found.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        other = ask(**second, **chosen)
        again, others = other.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        places = {
            place: name for place, value in enumerate(params) for name in self.names if value == _key(first[name])
        }
        swapped = [_key(second[places[place]]) if place in places else value for place, value in enumerate(params)]
        if sql != again or list(others) != swapped or set(places.values()) != set(self.names):
            raise TypeError(f"{ask.__module__}.{ask.__qualname__}: a value does not stand in the question as it comes")
        return found, compiler, sql, params, places
