# Needs Python 3.11 or newer, make and git; everything else is fetched by `make setup`. `make help` says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python on the machine that is new enough.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$each" && break; done)
UV_HOME := $(HOME)/.cache/turnabout/uv
UV := $(or $(shell command -v uv 2>/dev/null),$(UV_HOME)/bin/uv)
BIN := .venv/bin
SYNCED := .venv/synced
CODE := contracts chassis services deploy operations tests benchmarks

PORT ?= 8080
ROSTER ?=
N ?= 400
OUT ?= people.csv
TESTS ?= tests
PROCESSES ?= 2
KILLS ?= 500
SEED ?= 1
SEEDS ?= 10000
PAIRS ?= 60
MONTHS ?= 6

# uv takes the Python that is here and downloads none.
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)

##@ Try it

.PHONY: run
run: setup ## Start everything and say whom to sign in as. PORT=8080, ROSTER=people.csv for your own people, Ctrl-C to stop.
	@exec $(BIN)/python -m local run --port $(PORT) $(if $(ROSTER),--roster "$(ROSTER)")

.PHONY: demo-history
demo-history: setup ## Give an empty local stack six months of life, in minutes; `make run` then shows it. PAIRS=60, MONTHS=6, SEED=1
	@exec $(BIN)/python -m local history --port $(PORT) --pairs $(PAIRS) --months $(MONTHS) --seed $(SEED)

.PHONY: reset
reset: $(SYNCED) ## Forget the data of the local stack; downloads stay.
	@$(BIN)/python -m local reset --port $(PORT)

.PHONY: roster
roster: $(SYNCED) ## Write a made-up company to try the import with. N=400 people, OUT=people.csv; docs/roster.md explains it.
	@$(BIN)/python -m local.company $(N) "$(OUT)"

.PHONY: rebuild
rebuild: $(SYNCED) ## Make analytics' rows anew from the topics of the running stack.
	@$(BIN)/python -m local service --port $(PORT) analytics rebuild

##@ Check it

.PHONY: test
test: ## Set up, then everything that must hold: style, types, boundaries and all tests on real servers. TESTS=tests, PROCESSES=2
	@$(MAKE) --no-print-directory --jobs=2 setup browser lint types
	@$(BIN)/pytest -n $(PROCESSES) $(TESTS)

.PHONY: lint
lint: $(SYNCED) ## Style, formatting, and which package may import which.
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/lint-imports --no-cache

.PHONY: types
types: $(SYNCED) ## Types, strictly, tests included.
	@$(BIN)/mypy $(CODE)

.PHONY: format
format: $(SYNCED) ## Put the code into its one format and mend what can be mended by itself.
	@$(BIN)/ruff check --fix-only $(CODE)
	@$(BIN)/ruff format $(CODE)

.PHONY: faults
faults: setup ## Kill services and the broker at random under load, and compare what is left. KILLS=500, SEED=1
	@PYTHONPATH=tests $(BIN)/python -m faults_world --kills $(KILLS) --seed $(SEED)

.PHONY: faults-cluster
faults-cluster: setup ## Kill the leaders of a cluster of three brokers under load.
	@$(BIN)/pytest -m cluster tests/faults/test_cluster.py

.PHONY: simulate
simulate: setup ## Run the delivery in a simulated world with faults drawn from seeds; a failing one can be replayed. SEEDS=10000
	@PYTHONHASHSEED=0 PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(SEEDS)

.PHONY: hunt
hunt: setup ## Find every planted bug by simulation, and survive a death at every point of a scene, at forty of real processes.
	@$(BIN)/pytest -m hunt tests/faults

.PHONY: latency
latency: setup ## Measure accept → inbox and profile → inbox on a stack of its own, and count the database writes of one accept.
	@$(BIN)/python benchmarks/latency.py

.PHONY: bench-bus
bench-bus: setup ## Measure consuming and publishing beside peers, and drain a backlog of N=1000000 events into the database.
	@$(BIN)/python -m benchmarks.bus --events $(if $(filter file,$(origin N)),1000000,$(N))

.PHONY: bench-poison
bench-poison: setup ## Measure what 1,000 records that nobody can handle cost the other keys of their partitions.
	@$(BIN)/python -m benchmarks.poison

.PHONY: bench-matching
bench-matching: setup ## Measure matching runs of 10,000 to 1,000,000 people beside other solvers, and single changes. N=100000 is one size.
	@$(BIN)/python -m benchmarks.matching $(if $(filter file,$(origin N)),,--people $(N))

.PHONY: bench-pages
bench-pages: setup ## Import a company of N=10000 people until everybody is on the bus, and time every page of it.
	@$(BIN)/python -m benchmarks.pages --people $(if $(filter file,$(origin N)),10000,$(N))

.PHONY: bench-insights
bench-insights: setup ## Make the reports of companies for a year, and attack their tables beside two usual ways of hiding small counts.
	@$(BIN)/python -m benchmarks.insights

.PHONY: accepts
accepts: setup ## Offer complete accepts at rising rates to a stack of its own: delays, the knee, and what the database could do alone.
	@$(BIN)/python -m benchmarks.accepts

.PHONY: screenshots
screenshots: setup browser ## Take a picture of every page of a stack of its own, in every language. OUT=.turnabout/screenshots
	@$(BIN)/python -m local screenshots $(if $(filter file,$(origin OUT)),.turnabout/screenshots,"$(OUT)")

.PHONY: tour
tour: setup browser ## Take the pictures of docs/tour.md anew.
	@$(BIN)/python -m local screenshots docs/tour --tour

##@ Work on it

.PHONY: contracts
contracts: $(SYNCED) ## Write the generated schemas, examples, AsyncAPI and OpenAPI documents again.
	@$(BIN)/python -m contracts write
	@for service in profiles matching notifications analytics; do \
		$(BIN)/python -m $$service openapi > services/$$service/openapi.json || exit 1; \
	done

.PHONY: messages
messages: $(SYNCED) ## Bring the catalogues of every language up to date with the source, and say what is to translate.
	@$(BIN)/python -m local messages

.PHONY: setup
setup: $(SYNCED) ## Fetch and compile what is missing: uv, the Python packages, Kafka, a few npm packages, the engine.
	@$(BIN)/python -m local setup
	@$(BIN)/python -m matching.engine.warm

.PHONY: fast-db
fast-db: $(SYNCED) ## Build the faster database server once (some seven minutes); it is then used by itself.
	@$(BIN)/python -m local fast-db

.PHONY: doctor
doctor: $(SYNCED) ## Say what the local stack finds on this machine, and what is missing.
	@$(BIN)/python -m local doctor --port $(PORT)

.PHONY: browser
browser: $(SYNCED) ## See to the browser that the journeys need.
	@$(BIN)/python -m local browser

.PHONY: help
help: ## Say what each target does, as you see.
	@awk 'BEGIN { FS = ":.*## "; print "make <target>" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Synced again when a dependency changes; touched last, so a half-finished set-up is finished the next time.
$(SYNCED): $(UV) uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)
	@echo "setting up the Python packages"
	@$(UV) sync --quiet --locked --compile-bytecode || { echo "uv could not set up the packages; its message is above. Check the network connection and try again."; exit 1; }
	@touch $@

$(UV_HOME)/bin/uv:
	@test -n "$(PYTHON)" || { echo "Turnabout needs Python 3.11 or newer, and found none. Install it, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	@echo "fetching uv"
	@"$(PYTHON)" -m venv $(UV_HOME) || { rm -rf $(UV_HOME); echo "Python's venv module does not work here. On Debian: apt-get install python3-venv"; exit 1; }
	@$(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' || { rm -rf $(UV_HOME); echo "uv could not be fetched from PyPI. Check the network connection and try again."; exit 1; }
