# Every recipe uses relative paths, so the folder may have spaces or Chinese characters in its path.
# The program is called as a module: a script's first line cannot hold a path with a space.
PYTHON ?= python3
PARCELS ?=
DIR ?=
ROUNDS ?=
SEEDS ?=
ONLY ?=
EXAMPLES ?=
GROWTH ?= 10000,30000,100000,300000,1000000
VENV := .venv/bin/python
LOWLAND := $(VENV) -m lowland_gis
export PYTHONUTF8 := 1
# Byte code that is not kept is compiled anew by every process of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demos test lock test-outlines test-variations test-sedona bench-sedona bench-stages check docs bench db-down

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1	\2/p' Makefile | while IFS='	' read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

setup: ## Install what is missing: system packages, .venv, locked Python packages
	@"$(PYTHON)" scripts/bootstrap.py

demo: setup ## Run a synthetic district through every stage (PARCELS=400 DIR=demo)
	@$(LOWLAND) demo $(if $(DIR),"$(DIR)") $(if $(PARCELS),--parcels "$(PARCELS)")

test: ## Run the tests, files of them side by side (JOBS=2)
	@"$(PYTHON)" scripts/bootstrap.py --dev
	@$(VENV) -m pytest -n $(or $(JOBS),2) --dist loadfile --no-loadscope-reorder --cov --cov-report=term

lock: ## Lock the versions of every dependency anew (what is locked stays unless pyproject.toml forbids it)
	@for kind in run dev bench; do \
	  .venv/bin/uv pip compile -q pyproject.toml requirements/build.in $$([ $$kind = run ] || echo --group $$kind) --universal \
	    --generate-hashes --no-header --no-annotate -o requirements/$$kind.txt || exit; done
	@.venv/bin/uv pip compile -q pyproject.toml requirements/build.in --group dev --extra sedona --constraint requirements/dev.txt \
	  --universal --generate-hashes --no-header --no-annotate -o requirements/sedona.txt
	@.venv/bin/uv pip compile -q requirements/uv.in --universal --generate-hashes --no-header --no-annotate -o requirements/uv.txt

test-outlines: ## Hold outlines of units against thousands of generated plots (EXAMPLES=5000)
	@"$(PYTHON)" scripts/bootstrap.py --dev
	@EXAMPLES="$(or $(EXAMPLES),5000)" $(VENV) -m pytest -q tests/property/test_outlines_property.py

test-variations: ## Run every variation of a district (PARCELS=400 SEEDS=1,2,3 ONLY="noise or Z")
	@"$(PYTHON)" scripts/bootstrap.py --variations
	@PARCELS="$(or $(PARCELS),400)" SEEDS="$(or $(SEEDS),1,2,3)" $(VENV) -m pytest tests/variations/every_variation.py --no-header -v $(if $(ONLY),-k "$(ONLY)")

test-sedona: ## Run the tests of the engine on Apache Spark with Sedona; brings Java, pyspark and the jar (ONLY="killed")
	@"$(PYTHON)" scripts/bootstrap.py --sedona
	@$(VENV) -m pytest tests/spark tests/spec tests/database/test_tabulate.py -m sedona -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning $(if $(ONLY),-k "$(ONLY)")

bench-sedona: ## Measure tabulation on Spark against Sedona's own SQL (PARCELS=100000)
	@"$(PYTHON)" scripts/bootstrap.py --sedona
	@$(VENV) bench/sedona.py $(if $(PARCELS),--parcels "$(PARCELS)")

bench-stages: ## Compare tabulate, measure and classify on Spark with one process, row by row (PARCELS=20000 SEEDS=7,11)
	@"$(PYTHON)" scripts/bootstrap.py --sedona
	@$(VENV) bench/stages.py $(if $(PARCELS),--parcels "$(PARCELS)") $(if $(SEEDS),--seeds "$(SEEDS)")

check: ## Run the linters, the type checker and the check of the floors
	@"$(PYTHON)" scripts/bootstrap.py --dev
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy
	@$(VENV) -m mypy --platform win32 src
	@$(VENV) scripts/make_docs.py --check
	@$(VENV) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'

docs: ## Write the generated pages of docs/
	@"$(PYTHON)" scripts/bootstrap.py --dev
	@$(VENV) scripts/make_docs.py

bench: ## Measure tabulation against its peers and write docs/performance.md (PARCELS=50000 ROUNDS=3 GROWTH=10000,100000)
	@"$(PYTHON)" scripts/bootstrap.py --bench
	@$(VENV) bench/tabulate.py $(if $(PARCELS),--parcels "$(PARCELS)") $(if $(ROUNDS),--rounds "$(ROUNDS)")
	@for shape in voronoi grid; do $(VENV) bench/tabulate.py --shape $$shape $(if $(PARCELS),--parcels "$(PARCELS)") $(if $(ROUNDS),--rounds "$(ROUNDS)") --peers lowland,sedona,duckdb_spatial,boost_loop,boost_trimmed || exit; done
	@$(VENV) bench/tabulate.py --floor --rounds 9 $(if $(PARCELS),--parcels "$(PARCELS)")
	@$(VENV) bench/tables.py $(if $(PARCELS),--parcels "$(PARCELS)") $(if $(ROUNDS),--rounds "$(ROUNDS)")
	@$(VENV) bench/tabulate.py --scaling 1,2 $(if $(PARCELS),--parcels "$(PARCELS)") $(if $(ROUNDS),--rounds "$(ROUNDS)")
	@$(VENV) bench/tabulate.py --growth "$(GROWTH)" --rounds 1
	@$(VENV) bench/registry.py $(if $(ROUNDS),--rounds "$(ROUNDS)")

demos: setup ## Run the demo at every size and seed and print what came of each (SIZES=200,400 SEEDS=1-10)
	@$(VENV) bench/demo.py $(if $(SIZES),--sizes "$(SIZES)") $(if $(SEEDS),--seeds "$(SEEDS)")

db-down: ## Stop the private database of the demo; its data stays (DIR=demo)
	@$(LOWLAND) --project "$(or $(DIR),demo)/lowland.toml" db down
