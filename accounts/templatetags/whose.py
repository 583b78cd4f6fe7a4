"""{% csrf_token %} that also says whom the form was made for; {% whose %} and {% draft_key %} for scripts. Known in
every template.
"""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.kept import draft_key_of, mark, signed_mark

register = template.Library()


def _who(context: Context) -> tuple[int, int | None] | None:
    """(user, centre) of whoever is signed in."""
    request = getattr(context, "request", None) or context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    centre = getattr(request, "centre", None)
    return user.pk, centre and centre.pk


class _FormOfSomebody(CsrfTokenNode):
    def render(self, context: Context) -> SafeString:
        token: SafeString = super().render(context)  # type: ignore[assignment]
        who = _who(context)
        if not token or who is None:
            return token
        return format_html('{}<input type="hidden" name="whose" value="{}">', token, signed_mark(*who))


@register.tag
def csrf_token(parser: template.base.Parser, token: template.base.Token) -> _FormOfSomebody:
    return _FormOfSomebody()


@register.simple_tag(takes_context=True)
def whose(context: Context) -> str:
    """The mark of the person who is signed in, at the centre they are at; nothing for strangers."""
    who = _who(context)
    return "" if who is None else mark(*who)


@register.simple_tag(takes_context=True)
def draft_key(context: Context) -> str:
    """With what scripts encipher drafts in the storage of a tab; nothing for strangers."""
    who = _who(context)
    return "" if who is None else draft_key_of(who[0])
