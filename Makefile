# evalkit: `make reports` and `make test` need only Python 3.11+ with venv, git and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready

.PHONY: help reports test spark slow check lab lock clean

help:
	@echo "make reports  evaluate every study in data/raw and write reports/index.html"
	@echo "make test     run all tests"
	@echo "make spark    add Spark to .venv, so that its tests run too (needs Java 17)"
	@echo "make slow     run the long tests: coverage of intervals over many draws"
	@echo "make check    format, lint, types, spelling, notebooks without outputs"
	@echo "make lab      open JupyterLab"
	@echo "make lock     write the lock files anew (needs uv)"
	@echo "make clean    remove .venv and everything that is rebuilt"

# Built once; again only when what it is built from has changed. Hashes are checked first, then evalkit itself is
# installed as its own command, since a local folder has no hash.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "evalkit needs Python 3.11 or later; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

# Spark is large and few need it, so it comes by itself, in the same versions of everything else.
.venv/.spark: requirements-spark.lock $(READY)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-spark.lock ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock ; \
	fi
	@touch $@

spark: .venv/.spark

reports: $(READY)
	$(BIN)/evalkit run

test: $(READY)
	$(BIN)/python -m pytest -m "not slow"

slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb

lab: $(READY)
	$(BIN)/jupyter lab

LOCK = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) --extra pdf --extra dev -o requirements.lock
	$(LOCK) --extra cluster -o requirements-cluster.lock
	$(LOCK) --extra spark -o requirements-spark.lock

clean:
	rm -rf .venv reports data/processed .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
