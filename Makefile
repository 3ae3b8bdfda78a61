# make quickstart   .venv, install, then the whole way: train, evaluate, export, run the exported file
# make test         .venv, install what the tests need, pytest        make demo   the demo app over trained runs
# make test-all     the tests marked `slow` too, before a release     PYTEST=... make test         further options
# make lint         ruff                                              PYTHON=python3.12 make ...   another Python

PYTHON ?= python3
PYTEST ?=
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/quickstart
SAMPLE := $(RUN)/device_samples.png

.DEFAULT_GOAL := help
.PHONY: help quickstart test test-all demo lint clean

help:
	@sed -n '1,4s/^# //p' Makefile

# a stamp for each set of packages: a second run installs nothing
$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "keras_gen needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; \
	  exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python requirements.txt setup.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/installed-demos: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demos]'
	@touch $@

quickstart: $(VENV)/installed
	@echo "--- 1/5 training (about 3 minutes on 2 cores, after the built-in pictures are drawn)"
	$(BIN)/keras-gen train vae --data shapes/plain --image-size 32 --updates 6000 --batch-size 64 \
	  --learning-rate 0.0015 --set 'head={"name": "normal", "scale": 0.1}' --set prior=flow --out $(RUN) --overwrite
	@echo "--- 2/5 evaluation"
	$(BIN)/keras-gen evaluate $(RUN) --nll-images 50 --nll-samples 500
	@echo "--- 3/5 export to TFLite, int8 and float32, checked against Keras"
	$(BIN)/keras-gen export $(RUN) --format tflite --quantize int8,none
	@echo "--- 4/5 the same pictures from Keras ..."
	$(BIN)/keras-gen sample $(RUN) --num 64 --seed 1 --out $(RUN)/keras_samples.png --overwrite
	@echo "--- 5/5 ... and from the exported int8 file, by a runtime without TensorFlow"
	$(BIN)/python $(RUN)/export/runtime generate --num 64 --seed 1 --out $(SAMPLE) --overwrite
	@echo
	@echo "Done. Look at:"
	@echo "  $(RUN)/samples/             a picture after every epoch"
	@echo "  $(RUN)/keras_samples.png    64 draws by Keras"
	@echo "  $(SAMPLE)   the same draws by the int8 file"
	@echo "  $(RUN)/evaluation.json, $(RUN)/evaluation/   numbers and pictures"
	@echo "  $(RUN)/export/              what you copy to a device"
	@echo "  $(RUN)/README.md            the model card"
	@echo "Next: make demo"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m 'not slow' $(PYTEST)

test-all: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

demo: $(VENV)/installed-demos
	$(BIN)/python -m demos

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check

clean:
	rm -rf $(VENV) build dist *.egg-info
