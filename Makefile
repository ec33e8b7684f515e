# make demo and make test are all the set-up there is: they make a virtual environment of their own, from locked versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVERS := $(VENV)/servers
INSTALL := python -m pip install --quiet --disable-pip-version-check
# Most tests wait for a network, so more of them at once than there are cores.
WORKERS ?= 8
# More words for pytest, such as ARGS="-k silence" or ARGS=--no-skips.
ARGS ?=

.PHONY: help demo test lint format test-lab bench image lab-image onefile lambda-zip lock findings picture screenshots clean

help:
	@echo "make demo      the real check in a simulated VPC, once healthy and once broken"
	@echo "make test      the tests, without root"
	@echo "make lint      ruff and mypy"
	@echo "make format    let ruff format"
	@echo "make test-lab  the check against real servers in network namespaces (root, Linux)"
	@echo "make bench     measured against its peers, as a table (root, Linux)"
	@echo "make image     the container image; BASE=, TAG=, ENGINE=, SOURCE=, PIP_CONF=, CA= and BUILD_FLAGS= are yours"
	@echo "make onefile   one executable file with all dependencies, dist/ecr-probe.pyz, for a Linux host"
	@echo "make lambda-zip  the AWS Lambda function, dist/ecr-probe-lambda-x86_64.zip; ARCH=aarch64 is the other one"
	@echo "make lock      choose newest versions again"
	@echo "make findings  write the pages of docs/findings again, from the faults"
	@echo "make picture   take the README's picture again"
	@echo "make screenshots  take the README's pictures of the sidecar's page again (Chromium)"
	@echo "make clean     remove what the others made"

$(VENV)/demo: requirements/demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/$(INSTALL) --require-hashes -r requirements/demo.txt
	@$(BIN)/$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(VENV)/demo requirements/dev.txt
	@$(BIN)/$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# A virtual environment of its own: the lab's servers want other versions of what the probe uses.
$(VENV)/lab: $(VENV)/dev requirements/lab.txt
	@test -x $(SERVERS)/bin/python || $(PYTHON) -m venv $(SERVERS)
	@$(SERVERS)/bin/$(INSTALL) --require-hashes -r requirements/lab.txt
	@touch $@

demo: $(VENV)/demo
	@$(BIN)/ecr-probe demo

test: $(VENV)/dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-lab: $(VENV)/lab lab-image onefile lambda-zip
	$(BIN)/python -m pytest tests/lab -m "not laboratory" -n 2 --dist loadfile $(ARGS)
	$(BIN)/python -m pytest tests/lab -m laboratory $(ARGS)

bench: $(VENV)/lab lab-image onefile
	$(BIN)/python -m tests.bench

# The first that works here. PIP_CONF and CA are files for a package proxy, given as build secrets.
ENGINE ?= $(shell for engine in docker podman buildah; do $$engine info >/dev/null 2>&1 && echo $$engine && break; done)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' probe/__init__.py)
REVISION = $(shell git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null || echo unknown)
TAG ?= ecr-probe:$(VERSION)
BASE ?=
# The source's URL, for the image's label: the remote's without a login, where it is one of the web; else there is no label.
SOURCE ?= $(shell git remote get-url origin 2>/dev/null | sed -nE 's|^(https?://)([^/@]*@)?|\1|p')
PIP_CONF ?=
CA ?=
BUILD_FLAGS ?=

image:
	@test -n "$(ENGINE)" || { echo "no docker, podman or buildah works here; make ENGINE=... image names another" >&2; exit 1; }
	$(ENGINE) build --file container/Dockerfile --tag $(TAG) $(BUILD_FLAGS) \
		$(if $(BASE),--build-arg BASE=$(BASE)) $(if $(SOURCE),--label org.opencontainers.image.source=$(SOURCE)) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		$(if $(PIP_CONF),--secret id=pip.conf$(comma)src=$(PIP_CONF)) $(if $(CA),--secret id=ca.pem$(comma)src=$(CA)) .

comma := ,

# The image on a base that needs no registry of images, where the laboratory looks for it.
lab-image: $(VENV)/lab
	@$(BIN)/python -m tests.lab.containers

# The wheels of this machine's processor, or of another: MACHINE=aarch64.
onefile: $(VENV)/packer/ready
	@$(VENV)/packer/bin/python -m container.onefile.build dist/ecr-probe.pyz $(MACHINE)

# An architecture of Lambda, in the words of wheels: x86_64 or aarch64 (arm64).
ARCH ?= x86_64

lambda-zip: $(VENV)/packer/ready
	@$(VENV)/packer/bin/python -m container.lambda_zip dist/ecr-probe-lambda-$(ARCH).zip $(ARCH)

# A virtual environment of its own: what packs wants another pip than whoever made ours.
$(VENV)/packer/ready: requirements/onefile.txt
	@test -x $(VENV)/packer/bin/python || $(PYTHON) -m venv $(VENV)/packer
	@$(VENV)/packer/bin/$(INSTALL) --require-hashes -r requirements/onefile.txt
	@touch $@

LOCK := $(BIN)/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock: $(VENV)/dev
	$(LOCK) --extra demo --group build pyproject.toml --output-file requirements/demo.txt
	$(LOCK) --constraints requirements/demo.txt pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) --constraints requirements/demo.txt --group build --output-file requirements/build.txt
	$(LOCK) --constraints requirements/demo.txt --group dev --output-file requirements/dev.txt
	$(LOCK) --group lab --output-file requirements/lab.txt
	$(LOCK) --constraints requirements/demo.txt --group onefile --output-file requirements/onefile.txt

findings: $(VENV)/dev
	$(BIN)/python -m tools.runbook

picture: $(VENV)/demo
	$(BIN)/python tools/picture.py s3-endpoint-policy docs/failing-run.svg

screenshots: $(VENV)/dev
	$(BIN)/python -m tools.screenshots docs

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
