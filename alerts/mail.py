"""The e-mails, as texts. Counts and a link: no name, no number, no diagnosis, no value, no rule, no name of a centre.

Every template's first line is the subject. The link is made from BASE_URL and leads to the worklist, behind the login.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import override

from accounts.models import Membership
from alerts.models import Delivery, DeliveryKind
from alerts.selectors import Checked, people, waiting_counts


def compose(kind: str, rows: Sequence[Delivery], to: Membership, checked: Checked, server: Any) -> EmailMessage:
    """One e-mail to one person for all of `rows`, which are of one kind, in the person's language. Not sent yet."""
    context = {
        "count": len(rows),
        "counts": waiting_counts(to.centre, to.role) if kind == DeliveryKind.DIGEST else {},
        "checked": checked,
        "checked_at": checked.at and checked.at.astimezone(to.centre.zone),
        "url": settings.BASE_URL + "/",
    }
    with override(to.user.language or settings.LANGUAGE_CODE):
        text = render_to_string(f"mail/{kind}.txt", context)
    subject, _, body = text.strip().partition("\n")
    bcc: list[str] = []
    if kind == DeliveryKind.OPERATOR and to.user_id == min(people(to.centre, to.role)):
        bcc = settings.OPERATORS  # once, not once for every administrator
    return EmailMessage(
        subject=subject.strip(),
        body=body.strip() + "\n",
        to=[to.user.email],
        bcc=bcc,
        headers={"Message-ID": message_id(rows), "Auto-Submitted": "auto-generated"},
        connection=server,
    )


def message_id(rows: Sequence[Delivery]) -> str:
    """The same for the same rows, so that an e-mail sent twice can be known for one. Tells nothing about them."""
    what = " ".join(f"{row.person_id} {row.kind} {row.key}" for row in rows)
    digest = hashlib.sha256(f"{settings.SECRET_KEY} {what}".encode()).hexdigest()[:40]
    return f"<{digest}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>"
