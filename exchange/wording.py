"""What is wrong with a file or a row, in the reader's language.

Problems are kept with the row, in English, as they were found. Here stand all their sentences, so that one that was
kept can be recognised and said in another language: `shown` is asked where a person reads them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import gettext

from common.words import N_

SENTENCES = (
    # a row
    N_("The row has no %(label)s."),
    N_("The row has no unit."),
    N_("The %(label)s is longer than %(longest)s characters."),
    N_("The %(label)s is not in the format of the mapping, or no such day or time exists."),
    N_("The %(label)s lies in the future."),
    N_("The %(label)s lies before 1900."),
    N_("The %(label)s is not a number."),
    N_("The day of the %(label)s lies before the birth."),
    N_("The %(label)s differs from the registered one."),
    N_("The row does not have as many cells as the heading."),
    N_("The mapping does not say which analyte this test is."),
    N_("The mapping does not say what this word for the sex means."),
    N_("The mapping does not say which subtype this is."),
    N_("An image is not a laboratory result; record it on the patient's page."),
    N_("The value is not a number, with or without <, ≤, > or ≥."),
    N_("The number is too large to be kept."),
    N_("The lower limit is above the upper limit."),
    N_("The answer must be one of %(words)s."),
    N_("No patient can have this value of %(label)s: check unit and decimal sign."),
    N_("%(label)s is not measured in this unit."),
    N_("The spelling of the unit is not known, or has two readings."),
    # a row beside the record
    N_("No patient of the centre has this number."),
    N_("The sample was taken before the patient was born."),
    N_("Another row of the file has the same id and says something else."),
    N_("Another row of the file has the same number and says something else."),
    N_("Somebody with this name and date of birth has another number."),
    N_("The same row stands in line %(line)s."),
    N_("The same row of an earlier file still waits in quarantine."),
    N_("A person placed this row when it came before."),
    N_("A person discarded this row when it came before."),
    N_("A person withdrew this result as entered in error; it stays withdrawn."),
    N_("A person corrected this result since; the correction stays."),
    N_("A later report of this result is recorded."),
    N_("This is what the source said before it corrected it."),
    N_("The source sent this id before for another patient."),
    N_("The source sent this id before for another test."),
    # a file
    N_("The file is larger than %(size)s MB. Send it in parts."),
    N_("The file has more than %(rows)s rows. Send it in parts."),
    N_("The file is empty."),
    N_("This is a spreadsheet. Save it as “CSV UTF-8” and upload that."),
    N_("The file holds characters that are not text. Save it as “CSV UTF-8” and try again."),
    N_("The file is not in UTF-8, so letters such as µ or é would be misread. Save it as “CSV UTF-8”."),
    N_("A heading stands twice: %(names)s."),
    N_("The file has no column named %(names)s."),
    N_("The heading line cannot be read: one of its headings is far too long."),
    N_("The file cannot be read from line %(line)s on: a quote is not closed or stands wrongly."),
    N_("Line %(line)s has more than %(cells)s cells."),
    # a mapping
    N_("The mapping is not a JSON document in UTF-8."),
    N_("The mapping is not a JSON object."),
    N_("The mapping holds characters that are not text."),
    N_("%(key)s: there is no such key."),
    N_("%(key)s: there is no such field."),
    N_("%(key)s: there is no such analyte."),
    N_("%(key)s: there is no analyte “%(code)s”."),
    N_("%(key)s: “%(code)s” is not a UCUM code of the table."),
    N_("%(key)s: the analyte is not measured in “%(unit)s”."),
    N_("%(key)s: must be “%(kind)s”."),
    N_("%(key)s: must be one character."),
    N_("%(key)s: must be “.” or “,”."),
    N_("%(key)s: must be one of %(words)s."),
    N_("%(key)s: must be an object."),
    N_("%(key)s: must be a text."),
    N_("%(key)s: must be a list of texts."),
    N_("%(key)s: must be an object that says which column holds what."),
    N_("%(key)s: must be a heading, or an object with column, columns or constant."),
    N_("%(key)s: must be a list such as [“iso”] or [“%%d.%%m.%%Y %%H:%%M”, “%%d.%%m.%%Y”]."),
    N_("%(key)s: must be “centre” or the name of a time zone, such as Europe/Berlin."),
    N_("%(key)s: “%(pattern)s” does not hold a year of four digits, a month and a day."),
    N_("%(key)s: is missing."),
    N_("%(key)s: cannot be optional."),
)
# What a sentence speaks of, where its name is a word.
LABELS = (
    N_("patient number"), N_("id of the source"), N_("laboratory"), N_("test"), N_("value"), N_("unit"),
    N_("lower limit"), N_("upper limit"), N_("given name"), N_("family name"), N_("sex"), N_("subtype"),
    N_("date of the sample"), N_("date of the report"), N_("date of birth"), N_("day of the first symptom"),
    N_("day of the diagnosis"), N_("first symptom"), N_("diagnosis"),
)  # fmt: skip

# The codes of problems, as the list of waiting rows offers them.
CODES = (
    N_("Born in future"), N_("Born missing"), N_("Born too early"), N_("Born unreadable"), N_("Corrected by hand"),
    N_("Diagnosed before birth"), N_("Diagnosed in future"), N_("Diagnosed missing"), N_("Diagnosed too early"),
    N_("Diagnosed unreadable"), N_("Differs from record"), N_("Discarded before"), N_("Family name missing"),
    N_("Given name missing"), N_("Id missing"), N_("Key of another patient"), N_("Key of another test"),
    N_("Key twice"), N_("Limit not a number"), N_("Limits swapped"), N_("Number twice"), N_("Older report"),
    N_("Older version"), N_("Onset before birth"), N_("Onset in future"), N_("Onset missing"), N_("Onset too early"),
    N_("Onset unreadable"), N_("Patient number missing"), N_("Patient unknown"), N_("Placed before"),
    N_("Possible duplicate"), N_("Reported in future"), N_("Reported missing"), N_("Reported too early"),
    N_("Reported unreadable"), N_("Row twice"), N_("Sex missing"), N_("Sex unknown"), N_("Subtype unknown"),
    N_("Taken before birth"), N_("Taken in future"), N_("Taken missing"), N_("Taken too early"),
    N_("Taken unreadable"), N_("Test missing"), N_("Test not a result"), N_("Test unknown"), N_("Too large"),
    N_("Too long"), N_("Unit missing"), N_("Unit not accepted"), N_("Unit unknown"), N_("Value implausible"),
    N_("Value missing"), N_("Value not a number"), N_("Value unknown"), N_("Waits already"),
)  # fmt: skip


@lru_cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The most particular first: what has most words of its own."""

    def pattern(sentence: str) -> re.Pattern[str]:
        text = re.escape(sentence.replace("%%", "%"))
        return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", text) + r"\Z", re.DOTALL)

    by_words = sorted(SENTENCES, key=lambda sentence: -len(re.sub(r"%\(\w+\)s", "", sentence)))
    return tuple((pattern(sentence), sentence) for sentence in by_words)


def recognised(message: str) -> tuple[str, dict[str, str]] | None:
    """The sentence a message was made from, and what stands in its places; None for a message of another origin."""
    for pattern, sentence in _patterns():
        if found := pattern.match(message):
            return sentence, found.groupdict()
    return None


def shown(message: str) -> str:
    """A message of the exchange in the reader's language."""
    known = recognised(message)
    if known is None:
        return gettext(message) if message else ""
    sentence, places = known
    return gettext(sentence) % {name: gettext(text) for name, text in places.items()}
