# make book          run the notebooks and build the site in _build/html
# make test          everything that CI runs on Linux
# make test-fast     the same without notebooks, browser, trainings and whole models
# make lab           open JupyterLab
# make workshop-kit  a folder from which a class works offline; KIT=folder, TRY=1 to try it
# make bench         speed and memory against named peers; ONLY=ranking,store for a part
# make gpu           tests, benchmarks and the recipe of the paper on an NVIDIA card, within ten minutes
# make fuzz, soak    damaged files; an hour under load
# make first-page    the time of every step from a clone to the book on this machine
# make links         check the links in the book
# make lock          update the versions in constraints.txt
# make clean         delete the environment and everything that was built
#
# PYTHON chooses the interpreter. Without an NVIDIA card, torch comes without CUDA from its own index if that can be
# reached; TORCH_INDEX names another index.

PYTHON ?= python3
KIT ?= _build/workshop-kit
TRY ?=
ONLY ?= affinity,ranking,atlas,maps,evaluation,store,encoding,training
BIN := .venv/bin
MAKE_ENVIRONMENT := $(PYTHON) book/environment.py
export TORCH_INDEX
unexport PYTHONDONTWRITEBYTECODE # many containers set it; every kernel would then compile all libraries again, 15 s each

.PHONY: book test test-fast lab links workshop-kit bench gpu first-page fuzz soak lock clean lint format environment test-environment

book: environment
	@$(BIN)/python book/build.py

test: format
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: test-environment
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

lint: format
	$(BIN)/mypy

format: test-environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lab: environment
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_tour.ipynb

links: environment
	$(BIN)/python book/build.py --links

workshop-kit: book
	$(BIN)/python book/kit.py --into $(KIT) $(if $(TRY),--try-it)

bench: test-environment
	for part in $$(echo $(ONLY) | tr , ' '); do $(BIN)/python benchmarks/$$part.py --save || exit 1; done

gpu: test-environment
	$(BIN)/python benchmarks/gpu.py

first-page: test-environment
	$(BIN)/python benchmarks/first_page.py --save

fuzz soak: test-environment
	$(BIN)/python benchmarks/$@.py --save

lock: test-environment
	PATH="$(CURDIR)/$(BIN):$$PATH" uv pip compile pyproject.toml --quiet --universal --all-extras --python-version 3.11 --no-annotate \
	  --custom-compile-command "make lock" --output-file constraints.txt

clean:
	rm -rf .venv _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

environment:
	@$(MAKE_ENVIRONMENT)

test-environment:
	@$(MAKE_ENVIRONMENT) --tests
