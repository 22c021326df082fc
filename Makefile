# From [MASK] to Meaning. Needs Python 3.10-3.13 and make; everything else goes into .venv.
# Without make (Windows): the same commands stand in README.md.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help lab test course notebooks figures readme lock bench check-pairs train-sbert train-pocket evaluate-pocket model-named course-installed test-installed train-installed

# The interpreter: PYTHON=python3.12 chooses; else the one .venv was made with; else the first that TensorFlow has wheels
# for; else python3, which then says why not.
SUPPORTED := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
ifndef PYTHON
PYTHON := $(shell for each in .venv/bin/python python3 python3.13 python3.12 python3.11 python3.10 python; do \
	$$each -c '$(SUPPORTED)' 2>/dev/null && echo $$each && break; done)
PYTHON := $(or $(PYTHON),python3)
endif
VENV_PYTHON := .venv/bin/python
# Further arguments for the command behind a target: make lab ARGS=--no-browser, make test ARGS="-k encoding"
ARGS ?=

help:  ## this list
	@echo "From [MASK] to Meaning: make TARGET"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

lab: course-installed  ## set everything up and open JupyterLab on the start page (COURSE_LANGUAGE=ko for Korean)
	@$(VENV_PYTHON) -m tools.lab $(ARGS)

test: test-installed  ## every unit test, and every stored output of every notebook
	$(VENV_PYTHON) -m pytest $(ARGS)

course: course-installed  ## run every lesson from top to bottom without a browser
	$(VENV_PYTHON) -m tools.run_course $(ARGS)

notebooks: course-installed  ## build and execute notebooks/ from lessons/ (REPOSITORY=owner/name for a fork)
	$(VENV_PYTHON) -m tools.build_notebooks $(if $(REPOSITORY),--repository $(REPOSITORY)) $(ARGS)

figures: course-installed  ## the document's figures beside the ones of this computer
	$(VENV_PYTHON) -m helpers.document $(ARGS)

readme: course-installed  ## fill the lesson tables of the READMEs from the lessons (REPOSITORY=owner/name for a fork)
	$(VENV_PYTHON) -m tools.update_readme $(if $(REPOSITORY),--repository $(REPOSITORY)) $(ARGS)

lock: test-installed  ## lock requirements/*.txt from pyproject.toml (UPGRADE=1 takes the newest versions)
	$(VENV_PYTHON) -m tools.lock $(if $(UPGRADE),--upgrade)

bench: train-installed  ## encode and both objectives beside sentence-transformers (installs PyTorch)
	$(VENV_PYTHON) -m benchmarks.encode --output docs/sbert/encode.md $(ARGS)
	$(VENV_PYTHON) -m benchmarks.losses --output docs/sbert/losses.md

check-pairs: test-installed  ## measure our own sentence pairs and write the figures into data/README.md
	$(VENV_PYTHON) -m tools.check_pairs $(ARGS)

train-sbert: course-installed  ## the full Sentence-BERT recipe on the public sets; goes on where it stopped
	$(VENV_PYTHON) -m tools.train_sbert $(ARGS)

train-pocket: model-named train-installed  ## train a pocket model (MODEL=pocket-english or pocket-korean); goes on where it stopped
	$(VENV_PYTHON) -m tools.train_pocket $(MODEL) $(ARGS)

evaluate-pocket: model-named train-installed  ## measure a pocket model on held-out text (MODEL=…) and write its card
	$(VENV_PYTHON) -m tools.evaluate_pocket $(MODEL) $(ARGS)

model-named:
	@test -n "$(MODEL)" || { echo "Which model? MODEL=pocket-english or MODEL=pocket-korean"; exit 2; }

course-installed:
	@$(PYTHON) tools/install.py

test-installed:
	@$(PYTHON) tools/install.py test

train-installed:
	@$(PYTHON) tools/install.py train
