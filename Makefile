# make book   run the notebooks and build the site into _build/html
# make test   everything that CI runs
# make lab    open JupyterLab
# make workshop-kit  a folder from which a class works without a network; KIT=folder, TRY=1 to try it
# make bench   speed against the peers, about 45 minutes; ONLY=ranking,store takes some; make fuzz, make soak too
# make links  check the addresses that the book points to
# make clean  delete the environment and everything built
#
# PYTHON picks the interpreter. On Linux without an NVIDIA card, TORCH_INDEX=https://download.pytorch.org/whl/cpu
# saves several gigabytes of CUDA libraries.

PYTHON ?= python3
TORCH_INDEX ?=
KIT ?= _build/workshop-kit
TRY ?=
ONLY ?=
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
READY := .venv/.ready

.PHONY: book test lab links workshop-kit bench fuzz soak clean

book: $(READY)
	$(BIN)/python book/build.py

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

links: $(READY)
	$(BIN)/python book/build.py --links

workshop-kit: book
	TORCH_INDEX=$(TORCH_INDEX) $(BIN)/python book/kit.py --into $(KIT) $(if $(TRY),--try-it)

bench: $(READY)
	$(BIN)/python benchmarks/bench.py $(if $(ONLY),--only $(ONLY))

fuzz soak: $(READY)
	$(BIN)/python benchmarks/$@.py --save

lab: $(READY)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_tour.ipynb

clean:
	rm -rf .venv _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" || \
	  { echo "This needs Python 3.11 to 3.13; name one: make book PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv: about 3 GB, 7 with CUDA, a few minutes the first time"
	$(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' constraints.txt)"
	$(INSTALL) --constraint constraints.txt --editable '.[all]'
	touch $(READY)
