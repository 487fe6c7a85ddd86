# make run: the weekly refresh on the project's own samples; no key, no network but the package registry.
# Set-up happens by itself: uv where it is installed and works, else venv and pip.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))

.PHONY: run test check format bench bench-engine small-model independent weeks full-load consumers ui constraints clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(BIN)/flywheel refresh --recipe deployments/recipes/samples.yaml

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tasks.prompt

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.near
	@$(BIN)/python -m benchmarks.contamination
	@$(BIN)/python -m benchmarks.index
	@$(BIN)/python -m benchmarks.faults
	@echo 'The call engine beside its peers: make bench-engine (twenty minutes)'

# Each client in an environment of its own: 3 GB and some minutes once.
bench-engine: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.engine $(CLIENTS)

# A tiny model learns from a thousand answers of a scripted teacher and gives a thousand more, on this machine's CPU:
# some minutes, and torch in an environment of its own once.
small-model: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.small_model_answers

# The engine and a refresh against a server that is not ours: the litellm proxy, with mock responses.
independent: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.independent

weeks: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.eight_weeks

# The engine at 512 calls in flight, in whole refreshes, one of them killed ten times: some minutes, on a quiet machine.
full-load: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.full_load --kills 10

# Each program that reads what `make run` published loads it, in an environment of its own: 7 GB, some minutes once.
consumers: $(VENV)/.dev run
	@$(BIN)/python -m tests.consumers.run $(CONSUMERS)

ui: $(VENV)/.run
	@$(BIN)/flywheel ui

$(VENV)/.run: pyproject.toml constraints.txt
	@$(call install,.)
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@$(call install,.[dev])
	@touch $@ $(VENV)/.run

constraints: $(VENV)/.dev
	@{ echo '# Exact versions of everything that an installation brings in; written by `make constraints`.'; \
	  $(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(pip|setuptools)==| @ '; } > constraints.txt

clean:
	rm -rf $(VENV) $(VENV)-consumers $(VENV)-peers $(VENV)-small-model data/lake

# $(1): what to install. uv does not read pip's configuration; where it finds no package, pip does.
define install
	test -n "$(PYTHON)" || { echo "flywheel needs Python 3.11 or later; set PYTHON=/path/to/python3" >&2; exit 2; }; \
	if test ! -x $(BIN)/python; then echo "Setting up $(VENV) (once, a minute or two) ..."; fi; \
	if command -v uv >/dev/null 2>&1 \
	  && { test -x $(BIN)/python || uv venv -q --seed --python $(PYTHON) $(VENV) 2>/dev/null; } \
	  && uv pip install -qq --python $(BIN)/python -c constraints.txt -e '$(1)' 2>/dev/null; then :; \
	else \
	  test -x $(BIN)/pip || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }; \
	  $(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e '$(1)'; \
	fi
endef
