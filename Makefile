# make run    serve the page on 127.0.0.1:7860      make test   every test, the browser ones too
# make check  lint and types                        make eval   measure answers; results go to evals/results/
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
CONSTRAINTS := constraints.txt

.PHONY: run test check eval install install-dev chromium clean help

help:
	@sed -n '1,2s/^# //p' Makefile

run: $(VENV)/.installed
	@$(BIN)/seo-advisor serve

test: $(VENV)/.installed-dev chromium
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

eval: $(VENV)/.installed-dev
	$(BIN)/seo-advisor eval

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# torch first and alone: where pip offers a build without GPU libraries under this version, it is taken.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with: make run PYTHON=python3.12"; exit 1; }
	@echo "Installing the pinned packages into $(VENV) (once; a few minutes)"
	@$(PIP) install --quiet -c $(CONSTRAINTS) torch
	@$(PIP) install --quiet -c $(CONSTRAINTS) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) install --quiet -c $(CONSTRAINTS) -e '.[dev]'
	@touch $@

# The browser tests use a Chromium that is there, or Debian's. Without either they say why they did not run.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium from Debian's packages"; \
		apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "No Chromium found and no way to install it here: the browser tests will be skipped and say so."; fi

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
