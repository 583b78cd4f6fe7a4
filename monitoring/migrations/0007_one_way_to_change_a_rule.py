import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0006_carry_switches_over'),
    ]

    operations = [
        # Not before what one person had switched was carried over: no new row may be like that.
        pgtrigger.migrations.AddTrigger(
            model_name='rulechange',
            trigger=pgtrigger.compiler.Trigger(name='written_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF TG_OP = 'DELETE' THEN\n    RAISE EXCEPTION 'a change of a rule is kept';\nELSIF TG_OP = 'INSERT' THEN\n    IF NEW.confirmed_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL OR NEW.is_carried_over THEN\n        RAISE EXCEPTION 'a change of a rule begins as a proposal';\n    END IF;\n    RETURN NEW;\nEND IF;\nIF to_jsonb(NEW) - ARRAY['confirmed_by_id', 'confirmed_at', 'withdrawn_by_id', 'withdrawn_at', 'withdrawn_reason']\n   <> to_jsonb(OLD) - ARRAY['confirmed_by_id', 'confirmed_at', 'withdrawn_by_id', 'withdrawn_at', 'withdrawn_reason']\nTHEN\n    RAISE EXCEPTION 'what was proposed is not changed';\nEND IF;\nIF OLD.withdrawn_at IS NOT NULL\n   OR (OLD.confirmed_at IS NOT NULL AND (OLD.kind <> 'sign_off'\n       OR (NEW.confirmed_at, NEW.confirmed_by_id) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)))\nTHEN\n    RAISE EXCEPTION 'what became of a proposal is not changed';\nEND IF;\nIF NEW.confirmed_at IS NOT NULL AND OLD.confirmed_at IS NULL AND (NEW.kind = 'parameters' OR NEW.mode = 'on')\n   AND NOT EXISTS (SELECT 1 FROM monitoring_rulebacktest b WHERE b.change_id = NEW.id AND b.finished_at IS NOT NULL)\nTHEN\n    RAISE EXCEPTION 'its back-test has not finished';\nEND IF;\nRETURN NEW;\n", hash='51f45b9af7a4fb180fd0e9fd9dcc54e2142ba3a4', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_written_once_19133', table='monitoring_rulechange', when='BEFORE')),
        ),
        migrations.DeleteModel(
            name='RuleSwitchEvent',
        ),
        migrations.DeleteModel(
            name='RuleSwitch',
        ),
    ]
