# Commands of the project; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# requirements-spark.lock has Spark too, which is large.
LOCK ?= requirements.lock
INSTALLED := $(VENV)/$(LOCK).installed
# A process a core; the tests of a file share what they train.
PARALLEL ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help train test test-fast lint notebooks lock mlflow-ui bench-first-run bench-features bench-quality bench-contenders bench-promises bench-behaviour bench-explain bench-predict bench-monitoring bench-feedback bench-futures bench-retrain bench-bank clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# The stamp is newer than the lock file exactly when the environment was made from it.
$(INSTALLED): $(LOCK) pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

train: $(INSTALLED) ## Simulate a CRM, train on it, score its new leads (no data needed)
	$(BIN)/leadlift simulate --out data
	$(BIN)/leadlift init data/leads.csv --out data/leadlift.toml --force
	$(BIN)/leadlift train data/leadlift.toml --leave-out-suspects --models models
	$(BIN)/leadlift predict data/new_leads.csv --bundle models/champion --out data/scored.csv

test: $(INSTALLED) ## Run every test, the notebooks included
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(INSTALLED) ## Run the tests that take seconds
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

lint: $(INSTALLED) ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: $(INSTALLED) ## Execute the notebooks and store their outputs
	$(BIN)/python tests/run_notebook.py notebooks/*.ipynb

lock: ## Pin what is not pinned yet; UPGRADE=--upgrade pins all anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 $(UPGRADE) \
	  --extra dev --extra notebooks --extra database \
	  --generate-hashes --no-header --output-file requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 $(UPGRADE) \
	  --extra dev --extra notebooks --extra database --extra spark \
	  --constraint requirements.lock --generate-hashes --no-header --output-file requirements-spark.lock

mlflow-ui: $(INSTALLED) ## Open the runs and registered models in a browser
	MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true \
	  $(BIN)/mlflow ui --backend-store-uri sqlite:///models/mlflow.db --host 127.0.0.1 --port 5000 --workers 1

bench-first-run: $(INSTALLED) ## Measure time and memory of train and predict up to 1M leads
	$(BIN)/python benchmarks/first_run.py

bench-quality: $(INSTALLED) ## Measure quality on the public sets beside the repository
	$(BIN)/python benchmarks/quality.py

bench-contenders: .venv-autogluon/.installed .venv-flaml/.installed ## Install AutoGluon and FLAML for bench-quality, each on its own

.venv-%/.installed: benchmarks/contenders/%.txt
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

bench-promises: $(INSTALLED) ## Measure how often promises are kept, simulated and over time on real sets (half an hour)
	$(BIN)/python benchmarks/promises.py
	$(BIN)/python benchmarks/promises_over_time.py

bench-behaviour: $(INSTALLED) ## Measure quality on real leads with behaviour, beside the repository
	$(BIN)/python benchmarks/behaviour.py

bench-explain: $(INSTALLED) ## Measure what reasons, report and points table cost and lose (a quarter of an hour)
	$(BIN)/python benchmarks/explain.py

bench-predict: $(INSTALLED) ## Measure what batch scoring costs and kill it fifty times (LOCK=requirements-spark.lock for Spark too; an hour)
	$(BIN)/python benchmarks/predict.py

bench-monitoring: $(INSTALLED) ## Measure what monitoring costs, finds and calls wrongly (ten minutes)
	$(BIN)/python benchmarks/monitoring.py

bench-features: $(INSTALLED) ## Measure features as of a moment beside queries by hand and pandas (half an hour)
	$(BIN)/python benchmarks/features.py --scale full

bench-feedback: $(INSTALLED) ## Measure what learning from worked leads alone does, and what mends it (five minutes)
	$(BIN)/python benchmarks/feedback.py

bench-futures: $(INSTALLED) ## Measure false alarms and what is found in two hundred simulated futures (a quarter of an hour)
	$(BIN)/python benchmarks/futures.py

bench-retrain: $(INSTALLED) ## Measure policies of retraining on ten simulated years (an hour)
	$(BIN)/python benchmarks/retrain_policies.py

bench-bank: $(INSTALLED) ## Measure retraining on bank marketing, block by block (five minutes)
	$(BIN)/python benchmarks/bank_blocks.py

clean: ## Remove what train and test wrote, and the environment
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find data models -mindepth 1 ! -name README.md -delete
