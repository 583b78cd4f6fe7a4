"""{% csrf_token %} that also says whom the form was made for; {% whose %} for scripts. Known in every template."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.kept import mark, signed_mark

register = template.Library()


def _user_id(context: Context) -> int | None:
    user = getattr(getattr(context, "request", None) or context.get("request"), "user", None)
    return user.pk if user is not None and user.is_authenticated else None


class _FormOfSomebody(CsrfTokenNode):
    def render(self, context: Context) -> SafeString:
        token: SafeString = super().render(context)  # type: ignore[assignment]
        user_id = _user_id(context)
        if not token or user_id is None:
            return token
        return format_html('{}<input type="hidden" name="whose" value="{}">', token, signed_mark(user_id))


@register.tag
def csrf_token(parser: template.base.Parser, token: template.base.Token) -> _FormOfSomebody:
    return _FormOfSomebody()


@register.simple_tag(takes_context=True)
def whose(context: Context) -> str:
    """The mark of the person who is signed in; nothing for strangers."""
    user_id = _user_id(context)
    return "" if user_id is None else mark(user_id)
