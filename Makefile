# One command each. `make run` on a fresh machine makes its own virtual environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NPM_BIN := $(CURDIR)/tools/web/node_modules/.bin
WEB_TOOLS := tools/web/node_modules/.installed
SOURCES := app.py core engine storage backends api ui bench tests tools
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test quick cover check format backup vendor web-types bench bench-gpu mini judge

run: $(VENV)/.app ## start the app on 127.0.0.1:7860
	$(BIN)/python app.py

test: $(VENV)/.dev browser clients $(WEB_TOOLS) ## the whole suite, on all cores
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder tests

quick: $(VENV)/.dev ## the unit tests alone: under a minute; three at once, for some wait
	$(BIN)/python -m pytest -q -p no:schemathesis -n 3 --dist worksteal -m "not integration" tests

cover: $(VENV)/.dev ## every branch of what guards money, addresses and secrets
	$(BIN)/python -m coverage run -m pytest -q tests/storage tests/engine \
		tests/core/test_job_state.py tests/core/test_secrets.py tests/backends/test_image_fetch.py tests/backends/test_ssrf.py
	$(BIN)/python -m coverage report

check: $(VENV)/.dev $(WEB_TOOLS) ## format, lint, types, of Python and of the page
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy --strict app.py core engine storage backends api ui bench
	cd ui/web && $(NPM_BIN)/biome ci
	$(NPM_BIN)/tsc -p ui/web
	node tools/web/vendor.js --check

format: $(VENV)/.dev $(WEB_TOOLS)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	cd ui/web && $(NPM_BIN)/biome check --write

vendor: $(WEB_TOOLS) ## make the page's libraries in ui/web/vendor again, from the pinned versions
	node tools/web/vendor.js

web-types: $(VENV)/.dev $(WEB_TOOLS) ## make the page's types of the API, ui/web/api.d.ts, from our OpenAPI
	$(BIN)/python -m api.studio.openapi | tools/web/types > ui/web/api.d.ts

backup: $(VENV)/.app ## copy all that the app stores, also while it runs: make backup TO=folder
	$(BIN)/python app.py backup $(or $(TO),$(error make backup TO=folder))

bench: $(VENV)/.dev ## ratios against their goals; never part of the tests
	$(BIN)/python -m bench

bench-gpu: $(VENV)/.dev ## the local backend on this machine's GPU at FLUX's true size, with random weights
	$(BIN)/python -m bench.gpu

mini: $(VENV)/.dev ## make the mini checkpoint from nothing: hours on a CPU; goes on where it stopped
	$(BIN)/python -m tools.mini

judge: $(VENV)/.dev ## measure it on photos: make judge PHOTOS="one.jpg two.jpg"
	$(BIN)/python -m tools.mini.judge $(PHOTOS) --sheets docs/mini

# Debian and Ubuntu keep venv and pip apart from Python; the machine's own package manager brings them.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { ./tools/apt-install python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.app: $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# What checks the page's modules and types them. The app itself needs nothing of npm.
$(WEB_TOOLS): tools/web/package.json tools/web/package-lock.json
	@command -v node >/dev/null || ./tools/apt-install nodejs
	@command -v npm >/dev/null || ./tools/apt-install npm
	cd tools/web && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: browser
browser: ## a Chromium, installed where it is missing: without windows, for then a page takes half the processor's time
	@command -v chromium-headless-shell >/dev/null || ./tools/apt-install chromium-headless-shell \
		|| command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| ./tools/apt-install chromium

.PHONY: clients
clients: ## what the API's examples are run with, installed where it is missing
	@command -v node >/dev/null || ./tools/apt-install nodejs
	@command -v curl >/dev/null || ./tools/apt-install curl
