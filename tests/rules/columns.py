"""All columns of the example tables."""

from tests.rules import (
    columns_course,
    columns_infusions,
    columns_labs,
    columns_lungs,
    columns_physio,
    columns_safety,
    columns_therapy,
    columns_treatment,
)

__all__ = [
    "columns_course",
    "columns_infusions",
    "columns_labs",
    "columns_lungs",
    "columns_physio",
    "columns_safety",
    "columns_therapy",
    "columns_treatment",
]
