"""What the pages of one patient show. A bounded number of queries and rows, however long the history.

head.py who they are · attention.py what is open and due · chart.py the chart · grid.py results · visits.py assessments
· courses.py treatment · moments.py what happened · words.py how things are worded · pages.py puts the page together.
"""

from clinic.selectors.patient.attention import Address, AlertLine, attention, open_alerts
from clinic.selectors.patient.chart import story
from clinic.selectors.patient.courses import courses
from clinic.selectors.patient.grid import ResultsGrid, results
from clinic.selectors.patient.pages import History, Now, PatientPage, history, now, page
from clinic.selectors.patient.words import PANEL_NAMES, lung_words, reason_of, title_of, unit_words

__all__ = [
    "PANEL_NAMES", "Address", "AlertLine", "History", "Now", "PatientPage", "ResultsGrid", "attention", "courses",
    "history", "lung_words", "now", "open_alerts", "page", "reason_of", "results", "story", "title_of", "unit_words",
]  # fmt: skip
