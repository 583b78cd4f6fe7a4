"""What centres had switched, each time, becomes a change of the rule that is kept. It was one person's doing then."""

from django.db import migrations


def carry_over(apps, schema_editor):
    RuleChange = apps.get_model("monitoring", "RuleChange")
    people = set(apps.get_model("accounts", "User").objects.values_list("pk", flat=True))
    events = apps.get_model("monitoring", "RuleSwitchEvent").objects.select_related("pgh_context")
    for event in events.order_by("pgh_id"):
        by = (event.pgh_context.metadata if event.pgh_context else {}).get("by")
        RuleChange.objects.create(
            centre_id=event.centre_id,
            rule=event.rule,
            kind="mode",
            mode="on" if event.is_on else "off",
            reason=event.reason.strip() or "No reason was kept",
            proposed_by_id=by if by in people else None,
            proposed_at=event.pgh_created_at,
            confirmed_at=event.pgh_created_at,
            is_carried_over=True,
        )


def carry_back(apps, schema_editor):
    RuleSwitch = apps.get_model("monitoring", "RuleSwitch")
    confirmed = apps.get_model("monitoring", "RuleChange").objects.filter(kind="mode", confirmed_at__isnull=False)
    for change in confirmed.order_by("centre", "rule", "-confirmed_at", "-id").distinct("centre", "rule"):
        # There was no shadow: its alerts reach nobody, so the nearest is off.
        RuleSwitch.objects.update_or_create(
            centre_id=change.centre_id,
            rule=change.rule,
            defaults={"is_on": change.mode == "on", "reason": change.reason},
        )


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0005_governed_rules"), ("pghistory", "0007_auto_20250421_0444")]
    operations = [migrations.RunPython(carry_over, carry_back)]
