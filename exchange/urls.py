"""Routes of files coming in. Every address holds a random id and nothing of a patient."""

from django.urls import path

from exchange import views

app_name = "exchange"
urlpatterns = [
    path("", views.uploads, name="uploads"),
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:public_id>/", views.preview, name="preview"),
    path("upload/<uuid:public_id>/read/", views.read_again, name="read-again"),
    path("upload/<uuid:public_id>/commit/", views.commit, name="commit"),
    path("upload/<uuid:public_id>/drop/", views.drop, name="drop"),
    path("imports/<uuid:public_id>/", views.receipt, name="receipt"),
    path("imports/<uuid:public_id>/held.csv", views.held_csv, name="held-csv"),
    path("quarantine/", views.quarantine, name="quarantine"),
    path("quarantine/<uuid:public_id>/", views.held_row, name="held-row"),
    path("quarantine/<uuid:public_id>/discard/", views.discard, name="discard"),
]
