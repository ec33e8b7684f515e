# make demo and make test are the whole set-up: they create a virtual environment of their own from locked versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVERS := $(VENV)/servers
CHECKOV := $(VENV)/checkov
INSTALL := python -m pip install --quiet --disable-pip-version-check
# Many tests wait for a network, so a few run concurrently on one core. Each worker imports all tests: seconds of work.
WORKERS ?= 4
# More arguments for pytest, such as ARGS="-k silence" or ARGS=--no-skips.
ARGS ?=

.PHONY: help demo test lint format test-lab bench image image-archive image-contents lab-image onefile lambda-zip release pin-action completions lock site facts findings audit third-parties base picture screenshots clean
.DEFAULT_GOAL := help

# Prints the groups (##@) and the targets with their summaries (##) of this file.
help:  ## print this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {printf "  make %-12s %s\n", $$1, substr($$2, 2)}' $(MAKEFILE_LIST)

##@ Try it

$(VENV)/demo: requirements/demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || { echo "Creating a virtual environment in $(VENV) …" && $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked dependencies (about 20 seconds, once) …"
	@$(BIN)/$(INSTALL) --require-hashes -r requirements/demo.txt
	@$(BIN)/$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: $(VENV)/demo requirements/dev.txt
	@echo "Installing the tools for development (about a minute, once) …"
	@$(BIN)/$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# A separate virtual environment: the laboratory's servers need other versions of what the probe uses.
$(VENV)/lab: $(VENV)/dev requirements/lab.txt
	@echo "Installing the servers of the laboratory (about a minute, once) …"
	@test -x $(SERVERS)/bin/python || $(PYTHON) -m venv $(SERVERS)
	@$(SERVERS)/bin/$(INSTALL) --require-hashes -r requirements/lab.txt
	@touch $@

# A separate one again: checkov pins the exact versions of a hundred libraries.
$(CHECKOV)/ready: requirements/terraform.txt
	@echo "Installing checkov (about a minute, once) …"
	@test -x $(CHECKOV)/bin/python || $(PYTHON) -m venv $(CHECKOV)
	@$(CHECKOV)/bin/$(INSTALL) --require-hashes -r requirements/terraform.txt
	@touch $@

demo: $(VENV)/demo  ## run the real check in a simulated VPC, once healthy and once broken
	@$(BIN)/ecr-probe demo

##@ Develop

test: $(VENV)/dev  ## run the tests that need no root
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/dev site  ## run ruff and mypy, and build the documentation site
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/dev  ## format the code with ruff
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-lab: $(VENV)/lab $(CHECKOV)/ready lab-image onefile lambda-zip  ## run the check against real servers in network namespaces (root, Linux)
	$(BIN)/python -m pytest tests/lab -n 3 --dist loadgroup $(ARGS)

bench: bench-programs lab-image onefile  ## measure speed and memory against peers, as a table (root, Linux)
	$(BIN)/python -m tests.bench

# First of all: a missing peer would otherwise show only after minutes of building.
.PHONY: bench-programs
bench-programs: $(VENV)/lab
	@$(BIN)/python -m tests.bench --programs

# The first engine that works here. PIP_CONF and CA are files for a package proxy, passed as build secrets.
ENGINE ?= $(shell for engine in docker podman buildah; do $$engine info >/dev/null 2>&1 && echo $$engine && break; done)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' probe/__init__.py)
REVISION = $(shell git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null || echo unknown)
TAG ?= ecr-probe:$(VERSION)
BASE ?= $(shell sed -n 's/^FROM //p' container/base.Dockerfile)
# The source's URL for the image's label: that of the git remote without its login if it is http(s), otherwise no label.
SOURCE ?= $(shell git remote get-url origin 2>/dev/null | sed -nE 's|^(https?://)([^/@]*@)?|\1|p')
PIP_CONF ?=
CA ?=
BUILD_FLAGS ?=

##@ Build

image:  ## build the container image; BASE=, TAG=, ENGINE=, SOURCE=, PIP_CONF=, CA= and BUILD_FLAGS= are optional
	@test -n "$(ENGINE)" || { echo "docker, podman and buildah do not work here; choose another engine with make ENGINE=... image" >&2; exit 1; }
	$(ENGINE) build --file container/Dockerfile --tag $(TAG) $(BUILD_FLAGS) \
		--build-arg BASE=$(BASE) $(if $(SOURCE),--label org.opencontainers.image.source=$(SOURCE)) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		$(if $(PIP_CONF),--secret id=pip.conf$(comma)src=$(PIP_CONF)) $(if $(CA),--secret id=ca.pem$(comma)src=$(CA)) .

comma := ,

# The image on a base that needs no image registry, where the laboratory expects it.
lab-image: $(VENV)/lab
	@$(BIN)/python -m tests.lab.containers

# For a release the image is built by buildah alone, since it gives every file of a layer the same time.
PLATFORMS ?= linux/$(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))
EPOCH = $(shell git log -1 --format=%ct)
IMAGE_ARCHIVE ?= dist/ecr-probe-image.tar

image-archive: $(VENV)/packer/ready  ## build dist/ecr-probe-image.tar, an OCI archive, with buildah; PLATFORMS=, BASE= as in image
	@rm -rf $(IMAGE_ARCHIVE).parts && mkdir -p $(IMAGE_ARCHIVE).parts
	@set -e; for platform in $(PLATFORMS); do \
		$(MAKE) --silent image ENGINE=buildah TAG=localhost/ecr-probe:archive \
			BUILD_FLAGS="--platform $$platform --timestamp $(EPOCH) --no-cache $(BUILD_FLAGS)"; \
		buildah push --quiet localhost/ecr-probe:archive "oci-archive:$(IMAGE_ARCHIVE).parts/$${platform##*/}.tar"; \
		buildah rmi --force localhost/ecr-probe:archive >/dev/null; \
	done
	@$(VENV)/packer/bin/python -m container.image_archive $(IMAGE_ARCHIVE) $(IMAGE_ARCHIVE).parts/*.tar
	@rm -rf $(IMAGE_ARCHIVE).parts

image-contents: $(VENV)/packer/ready  ## list what the image of an archive is made of; IMAGE_ARCHIVE=
	@$(VENV)/packer/bin/python -m container.image_contents $(IMAGE_ARCHIVE)

# With the wheels of this machine's processor, or of another: MACHINE=aarch64.
ONEFILE ?= dist/ecr-probe.pyz
onefile: $(VENV)/packer/ready  ## build dist/ecr-probe.pyz: one executable file with all dependencies, for Linux
	@$(VENV)/packer/bin/python -m container.onefile.build $(ONEFILE) $(MACHINE)

# Lambda's architecture, named as wheels name it: x86_64 or aarch64 (arm64).
ARCH ?= x86_64
LAMBDA_ZIP ?= dist/ecr-probe-lambda-$(ARCH).zip

lambda-zip: $(VENV)/packer/ready  ## build dist/ecr-probe-lambda-x86_64.zip, the Lambda function; ARCH=aarch64 for arm64
	@$(VENV)/packer/bin/python -m container.lambda_zip $(LAMBDA_ZIP) $(ARCH)

# The same commit gives the same bytes. CI builds the image of each platform on a machine of its own, and calls
# release-files and release-finish.
RELEASE ?= dist/release
PACKER = SOURCE_DATE_EPOCH=$(EPOCH) $(VENV)/packer/bin/python

release: release-files  ## build dist/release: wheel, sdist, one-file, Lambda zips, image archive, SBOMs and checksums
	@$(MAKE) --silent image-archive IMAGE_ARCHIVE=$(RELEASE)/ecr-probe-image.tar
	@$(MAKE) --silent release-finish

.PHONY: release-files release-finish
release-files: $(VENV)/packer/ready
	@rm -rf $(RELEASE)
	@$(PACKER) -m container.release packages $(RELEASE)
	@set -e; for machine in x86_64 aarch64; do \
		$(PACKER) -m container.onefile.build $(RELEASE)/ecr-probe-$$machine.pyz $$machine; \
		$(PACKER) -m container.lambda_zip $(RELEASE)/ecr-probe-lambda-$$machine.zip $$machine; \
	done

release-finish: $(VENV)/packer/ready
	@$(PACKER) -m container.release finish $(RELEASE)
	@cat $(RELEASE)/SHA256SUMS

# A separate virtual environment: the packer needs its own version of pip.
$(VENV)/packer/ready: requirements/release.txt
	@test -x $(VENV)/packer/bin/python || $(PYTHON) -m venv $(VENV)/packer
	@$(VENV)/packer/bin/$(INSTALL) --require-hashes -r requirements/release.txt
	@touch $@

pin-action: $(VENV)/dev release-files  ## write the version and the digests of its one-files into smoke/action.yml
	@$(BIN)/python -m tools.release pin $(RELEASE)

completions: $(VENV)/dev  ## generate dist/completions: scripts for bash, zsh and fish
	@$(BIN)/python -m tools.completions dist/completions

LOCK := $(BIN)/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

##@ Maintain

lock: $(VENV)/dev  ## lock the newest versions of all dependencies
	$(LOCK) --extra demo --group build pyproject.toml --output-file requirements/demo.txt
	$(LOCK) --constraints requirements/demo.txt pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) --constraints requirements/demo.txt --group build --output-file requirements/build.txt
	$(LOCK) --constraints requirements/demo.txt --group dev --output-file requirements/dev.txt
	$(LOCK) --group lab --output-file requirements/lab.txt
	$(LOCK) --group terraform --output-file requirements/terraform.txt
	$(LOCK) --constraints requirements/demo.txt --group release --output-file requirements/release.txt
	$(LOCK) --group audit --output-file requirements/audit.txt
	$(LOCK) --group site --output-file requirements/site.txt

# A separate virtual environment: nothing else needs MkDocs.
$(VENV)/mkdocs/ready: requirements/site.txt
	@test -x $(VENV)/mkdocs/bin/python || $(PYTHON) -m venv $(VENV)/mkdocs
	@$(VENV)/mkdocs/bin/$(INSTALL) --require-hashes -r requirements/site.txt
	@touch $@

# Where it will be published, and the repository that it links to, if they are known: SITE_URL= and REPOSITORY_URL=.
site: $(VENV)/mkdocs/ready  ## build the documentation site into dist/site; broken links fail
	@NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs/bin/mkdocs build --strict

facts: $(VENV)/dev  ## list the facts of AWS that were verified longest ago; COUNT=15
	@$(BIN)/python -m tools.facts $(COUNT)

findings: $(VENV)/dev  ## generate docs/findings, docs/commands and docs/schemas from the program's tables
	$(BIN)/python -m tools.runbook

# A separate virtual environment, since the tool has many libraries of its own. Only what is shipped is audited.
$(VENV)/auditor/ready: requirements/audit.txt
	@test -x $(VENV)/auditor/bin/python || $(PYTHON) -m venv $(VENV)/auditor
	@$(VENV)/auditor/bin/$(INSTALL) --require-hashes -r requirements/audit.txt
	@touch $@

audit: $(VENV)/auditor/ready  ## look up known vulnerabilities of the locked versions that are shipped (needs the internet)
	$(VENV)/auditor/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements/runtime.txt

third-parties: $(VENV)/dev  ## write docs/third-party.md, the licences of the locked libraries
	$(BIN)/python -m tools.third_parties

base: $(VENV)/dev  ## pin the newest base image in container/base.Dockerfile, with skopeo
	$(BIN)/python -m tools.base_image

picture: $(VENV)/demo  ## take the pictures of failing runs for README and docs
	$(BIN)/python tools/picture.py docs/failing-run.svg s3-endpoint-policy
	$(BIN)/python tools/picture.py docs/inspecting-run.svg security-group --inspect

screenshots: $(VENV)/dev  ## take the README's pictures of the sidecar's page (Chromium)
	$(BIN)/python -m tools.screenshots docs

clean:  ## remove the virtual environment, caches and dist/
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
