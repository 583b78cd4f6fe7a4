"""All columns of the example tables."""

from tests.rules import columns_physio

__all__ = ["columns_physio"]
