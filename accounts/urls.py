"""Routes of the profile and of the people of a centre."""

from __future__ import annotations

from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.start, name="start"),
    path("profile/", views.profile, name="profile"),
    path("stay/", views.stay, name="stay"),
    path("tokens/", views.make_token, name="make-token"),
    path("tokens/<uuid:public_id>/revoke/", views.revoke_token, name="revoke-token"),
    path("digest/", views.set_digest, name="set-digest"),
    path("centre/", views.switch_centre, name="switch-centre"),
    path("elsewhere/", views.elsewhere, name="elsewhere"),
    path("kept/discard/", views.discard_kept, name="discard-kept"),
    path("people/", views.people, name="people"),
    path("people/add/", views.add_member, name="add-member"),
    path("people/<int:pk>/", views.change_member, name="change-member"),
    path("people/<int:pk>/end/", views.end_membership, name="end-membership"),
]
