"""Routes of the clinic's pages. One line a page; what a page does is in clinic/views/<area>.py."""

from __future__ import annotations

from django.urls import URLPattern, path

from clinic.views import alerts, fact, overview, patient, patients, record, rules, trail, treatment, undo, worklist
from clinic.views import entry_assessment, entry_labs
from clinic.views import entry_other as entry

app_name = "clinic"

urlpatterns: list[URLPattern] = [
    path("", worklist.home, name="home"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/due/", worklist.due, name="due"),
    path("worklist/unjudged/", worklist.unjudged, name="unjudged"),
    path("alerts/acknowledge/", alerts.acknowledge_many, name="alerts-acknowledge"),
    path("alerts/<uuid:public_id>/", alerts.show, name="alert"),
    path("alerts/<uuid:public_id>/acknowledge/", alerts.acknowledge, name="alert-acknowledge"),
    path("alerts/<uuid:public_id>/snooze/", alerts.snooze, name="alert-snooze"),
    path("alerts/<uuid:public_id>/wake/", alerts.wake, name="alert-wake"),
    path("alerts/<uuid:public_id>/close/", alerts.close, name="alert-close"),
    path("alerts/<uuid:public_id>/comment/", alerts.comment, name="alert-comment"),
    path("alerts/<uuid:public_id>/undo/", alerts.undo, name="alert-undo"),
    path("alerts/<uuid:public_id>/exception/", alerts.make_exception, name="alert-exception"),
    path("rules/", rules.index, name="rules"),
    path("rules/<slug:rule_id>/", rules.show, name="rule"),
    path("rules/<slug:rule_id>/switch/", rules.switch, name="rule-switch"),
    path("overview/", overview.show, name="overview"),
    path("trail/", trail.show, name="trail"),
    path("patients/", patients.index, name="patients"),
    path("patients/<uuid:public_id>/trail/", trail.of_patient, name="patient-trail"),
    path("patients/new/", record.new, name="patient-new"),
    path("patients/<uuid:public_id>/", patient.show, name="patient"),
    path("patients/<uuid:public_id>/results/", patient.results, name="results"),
    path("patients/<uuid:public_id>/chart.svg", patient.chart_svg, name="chart-svg"),
    path("patients/<uuid:public_id>/chart.png", patient.chart_png, name="chart-png"),
    path("patients/<uuid:public_id>/print/", patient.printable, name="patient-print"),
    path("patients/<uuid:public_id>/summary.pdf", patient.summary, name="patient-summary"),
    path("patients/<uuid:public_id>/details/", record.edit, name="patient-edit"),
    path("patients/<uuid:public_id>/follow-up/", record.status, name="patient-status"),
    path("patients/<uuid:public_id>/antibodies/", record.antibodies, name="patient-antibody"),
    path("patients/<uuid:public_id>/manifestations/", record.manifestations, name="patient-manifestation"),
    path("patients/<uuid:public_id>/consent/", record.consent, name="patient-consent"),
    path("patients/<uuid:public_id>/exceptions/", record.exceptions, name="patient-exception"),
    path("patients/<uuid:public_id>/entries/<slug:word>/<int:pk>/", fact.show, name="fact"),
    path("patients/<uuid:public_id>/entries/<slug:word>/<int:pk>/correct/", fact.correct, name="fact-correct"),
    path("patients/<uuid:public_id>/entries/<slug:word>/<int:pk>/withdraw/", fact.withdraw, name="fact-withdraw"),
    path("patients/<uuid:public_id>/entries/<slug:word>/<int:pk>/end/", fact.end, name="fact-end"),
    path("patients/<uuid:public_id>/enter/results/", entry_labs.enter, name="enter-panel"),
    path("patients/<uuid:public_id>/enter/results/<slug:code>/look/", entry_labs.look, name="look-at-value"),
    path("patients/<uuid:public_id>/enter/assessment/", entry_assessment.enter, name="enter-assessment"),
    path("patients/<uuid:public_id>/enter/assessment/preview/", entry_assessment.preview, name="preview-assessment"),
    path("patients/<uuid:public_id>/enter/strength/", entry_assessment.strength, name="enter-mmt8"),
    path(
        "patients/<uuid:public_id>/assessments/<int:pk>/correct/", entry_assessment.correct, name="assessment-correct"
    ),
    path("patients/<uuid:public_id>/enter/lung-function/", entry.lung_function, name="enter-lung"),
    path("patients/<uuid:public_id>/enter/imaging/", entry.imaging, name="enter-imaging"),
    path("patients/<uuid:public_id>/enter/body-size/", entry.body_size, name="enter-body-size"),
    path("patients/<uuid:public_id>/enter/confounder/", entry.confounder, name="enter-confounder"),
    path("patients/<uuid:public_id>/enter/functional-test/", entry.functional_test, name="enter-functional"),
    path("patients/<uuid:public_id>/enter/booking/", entry.booking, name="book-test"),
    path("patients/<uuid:public_id>/enter/waiver/", entry.waiver, name="waive-test"),
    path("patients/<uuid:public_id>/enter/baseline/", entry.baseline, name="personal-baseline"),
    path("undo/<int:entry>/", undo.undo, name="undo"),
    path("patients/<uuid:public_id>/treatment/", treatment.show, name="treatment"),
    path("patients/<uuid:public_id>/treatment/start/", treatment.start, name="treatment-start"),
    path("patients/<uuid:public_id>/treatment/dose-help/", treatment.dose_help, name="dose-help"),
    path("patients/<uuid:public_id>/treatment/<int:course>/dose/", treatment.change, name="treatment-change"),
    path("patients/<uuid:public_id>/treatment/<int:course>/stop/", treatment.stop, name="treatment-stop"),
    path("patients/<uuid:public_id>/treatment/<int:course>/infusion/", treatment.infusion, name="treatment-infusion"),
    path("patients/<uuid:public_id>/doses/<int:dose>/correct/", treatment.correct, name="dose-correct"),
]
