# All the set-up a fresh machine needs: Python 3.11 or newer, git and make.
#
#   make demo         analyse a synthetic patient and show where the report lies
#   make test         check style and run every test
#   make bench        compare speed and memory with PyRadiomics; train a network on synthetic patients and test it
#   make screenshots  render the README's pictures of the report and the panels again (needs Chromium)
#   make clean        remove everything that make has made
#
# The first of them makes .venv, with PYTHON=/path/to/python where you want a certain one.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
DEMO := build/demo
TORCH := torch==2.13.0
PYRADIOMICS := pyradiomics==3.0.1
COMPILED := $(VENV)/$(PYRADIOMICS)
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test pyradiomics bench screenshots clean
help:
	@sed -n 's/^#   //p' Makefile

demo: $(READY)
	@$(BIN)/ovfrisk demo $(DEMO) --overwrite

test: $(READY) pyradiomics
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m pytest --numprocesses auto --dist loadscope

# The reference of the feature tests comes as source only. Where it cannot be compiled (no C compiler, no network) those
# tests compare recorded values and show that they skipped the rest; the next `make test` tries again.
pyradiomics: $(READY)
	@test -e '$(COMPILED)' || { \
	  echo "Compiling PyRadiomics, which the tests compare with, only this once ..."; \
	  $(BIN)/python -m pip install --quiet setuptools wheel > $(VENV)/pyradiomics.log 2>&1 && \
	  PYTHONPATH='$(CURDIR)/Testing/standins/pyradiomics_build' \
	    $(BIN)/python -m pip install --quiet --no-build-isolation '$(PYRADIOMICS)' >> $(VENV)/pyradiomics.log 2>&1 && \
	  $(BIN)/python -c 'import radiomics' 2>> $(VENV)/pyradiomics.log && \
	  touch '$(COMPILED)'; \
	} || echo "PyRadiomics could not be compiled ($(VENV)/pyradiomics.log says why): its recorded values are compared."

# Against PyRadiomics on the same CT, interleaved; the tables lie in build/bench.
bench: $(READY) pyradiomics
	@PYTHONPATH=OVFRisk:Testing/benchmarks $(BIN)/python Testing/benchmarks/bench_radiomics.py build/bench \
	  --pyradiomics $(BIN)/python --data ../shared/data --rounds 2
	@$(BIN)/python Testing/benchmarks/bench_segmenter.py build/bench
	@PYTHONPATH=OVFRisk $(BIN)/python Testing/benchmarks/bench_segmentation.py --data ../shared/data
	@PYTHONPATH=OVFRisk QT_QPA_PLATFORM=offscreen $(BIN)/python Testing/benchmarks/bench_panels.py
	@PYTHONPATH=OVFRisk OMP_NUM_THREADS=1 $(BIN)/python Testing/benchmarks/bench_noise.py build/bench

screenshots: demo
	@browser=$$(command -v chromium || command -v chromium-browser || command -v google-chrome) || \
	  { echo "No Chromium found: install chromium, then run make screenshots again."; exit 1; }; \
	mkdir -p Resources/screenshots; \
	"$$browser" --headless --no-sandbox --hide-scrollbars --window-size=1200,1800 \
	  --screenshot="$(CURDIR)/Resources/screenshots/report.png" "file://$(CURDIR)/$(DEMO)/result/report.html"
	@$(BIN)/python -m pytest Testing/desktop
	@for pair in panel-images:images segmentation-levels:segmentation ct_stale:ct vbq:vbq score:score score-exported:export; do \
	  cp "build/screenshots/$${pair%:*}.png" "Resources/screenshots/slicer-$${pair#*:}.png"; \
	done

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
	find OVFRisk Testing -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is newer than pyproject.toml while nothing has to be installed. PyTorch comes first, in the version that is
# tested; everything else takes it as it is.
$(READY): pyproject.toml | $(BIN)/python
	@echo "Installing OVFRisk and its packages into $(VENV), only this once (about 850 MB) ..."
	@$(BIN)/python -m pip install --quiet '$(TORCH)'
	@$(BIN)/python -m pip install --quiet --editable '.[scene,test]'
	@touch $@

$(BIN)/python:
	@found=; \
	for python in $(CANDIDATES); do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "OVFRisk needs Python 3.11 or newer with its venv module; tried: $(CANDIDATES)." >&2; \
	  echo "Install it (Debian, Ubuntu: apt install python3 python3-venv) or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; \
	fi; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
