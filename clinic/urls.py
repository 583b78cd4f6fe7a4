"""Routes of the clinic's pages. One line a page; what a page does is in clinic/views/<area>.py."""

from __future__ import annotations

from django.urls import URLPattern, path  # noqa: F401

app_name = "clinic"

urlpatterns: list[URLPattern] = []
