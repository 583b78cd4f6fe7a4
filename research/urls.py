"""Routes of the research pages."""

from __future__ import annotations

from django.urls import path

from research import views

app_name = "research"

urlpatterns = [path("releases/", views.releases, name="releases")]
