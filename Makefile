# Everything that a person or a continuous integration runs goes through here; `make` alone lists it.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CARGO       ?= cargo

# `make install` honours the usual variables: make install DESTDIR=/tmp/stage PREFIX=/usr
DESTDIR     ?=
PREFIX      ?= /usr/local
SYSCONFDIR  ?= /etc
target       = $(or $(CARGO_TARGET_DIR),target)
STAGE        = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' BINARY=$(target)/release/cvco-reconciled

.DEFAULT_GOAL := help
.PHONY: help demo demo-cluster test-cluster build test look tools fmt clippy unit slim doc docs browser screenshots deny lint soak soak-daemon properties power-cuts fuzz instructions mutants bench bench-peers install uninstall deb service-test \
    tested-package reproducible image sbom tarball reference

help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## play split payments, good and bad, through a real daemon; needs no configuration
	@packaging/rust.sh
	@$(CARGO) run --locked --quiet -- demo $(ARGS)

demo-cluster: ## two daemons with one log in two servers of PostgreSQL; a server and a daemon are killed under traffic
	$(CARGO) test --locked --quiet --test cluster demo -- --nocapture

test-cluster: ## the tests of several machines for longer: whatever can die does so twenty times under load; ROUNDS=how often, SEED=in which order
	CLUSTER_ROUNDS=$(or $(ROUNDS),20) CLUSTER_SEED=$(or $(SEED),$(strip $(shell od -An -N4 -tu4 /dev/urandom))) \
	    $(CARGO) test --locked --test cluster -p cvco-reconciled

build: reference ## the release binary, target/release/cvco-reconciled, its manual pages and completions
	$(CARGO) build --locked --release

reference:
	$(CARGO) run --locked --quiet --example reference -- files packaging/out

test: look fmt clippy unit doc ## everything that must pass: formatting, lints, tests, documentation; installs nothing
	@packaging/bootstrap.sh look

look:
	@packaging/bootstrap.sh look

tools: ## install what building and testing need on Debian or Ubuntu, but for Rust
	@packaging/bootstrap.sh

fmt:
	@packaging/component.sh rustfmt fmt -- fmt --all --check

clippy:
	@packaging/component.sh clippy clippy -- clippy --locked --workspace --all-targets -- -D warnings

unit:
	$(CARGO) test --locked --workspace

slim: ## check the build without the log in PostgreSQL (cargo feature postgres)
	$(CARGO) check --locked --no-default-features --all-targets

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --workspace

docs: ## write docs/discrepancies.md, commands.md and metrics.md, from the words that the program itself uses
	$(CARGO) run --locked --quiet -p cvco-mail --example discrepancies > docs/discrepancies.md.new
	mv docs/discrepancies.md.new docs/discrepancies.md
	$(CARGO) run --locked --quiet --example reference -- commands > docs/commands.md.new
	mv docs/commands.md.new docs/commands.md
	$(CARGO) run --locked --quiet --example reference -- metrics > docs/metrics.md.new
	mv docs/metrics.md.new docs/metrics.md

browser: ## try the dashboard in Chromium
	$(CARGO) test --locked -p cvco-browser --test browser

screenshots: ## take the pictures of docs/images again, in Chromium
	$(CARGO) test --locked -p cvco-browser --test browser screenshots -- --ignored

deny:
	@packaging/deny.sh

lint: fmt clippy deny ## formatting, lints, and the dependencies' licences and advisories

soak: ## live through many worlds of orders (tests/world); SEEDS=how many, FIRST=from which on, MINUTES=at most
	WORLD_SEEDS=$(or $(SEEDS),1000000) WORLD_FIRST=$(or $(FIRST),0) $(if $(MINUTES),WORLD_MINUTES=$(MINUTES)) \
	    $(CARGO) test --locked --release -p cvco-ledger --test world the_ledger_tells_the_truth -- --nocapture

soak-daemon: ## hours of a daemon's life: traffic, bursts, kills, closes, backups, mail that fails; MINUTES=240, SEED=1
	SOAK_MINUTES=$(or $(MINUTES),240) SOAK_SEED=$(or $(SEED),1) $(CARGO) test --locked --release --test soak -- --nocapture

properties: ## the property tests with cases of other seeds than those of `make test`; ROUNDS=how often, CASES=how many each
	for round in $$(seq $(or $(ROUNDS),10)); do \
	    PROPTEST_RNG_SEED=$$(od -An -N6 -tu8 /dev/urandom | tr -d ' ') PROPTEST_CASES=$(or $(CASES),1000) \
	        $(CARGO) test --locked -p cvco-domain -p cvco-psp -p cvco-books -p cvco-reconcile -p cvco-log -p cvco-trial --lib; \
	done

power-cuts: ## cut the power at many instants of a daemon's life; IMAGES=how many disks, FIRST=from which on
	POWER_CUT_IMAGES=$(or $(IMAGES),10000) POWER_CUT_FIRST=$(or $(FIRST),0) \
	    $(CARGO) test --locked --test it power_cut -- --nocapture

fuzz: ## any bytes into every parser, a minute each; SECONDS_EACH=60, TARGETS=some of them
	packaging/fuzz.sh $(TARGETS)

instructions: ## count what a notification of each PSP costs, and compare; KEEP=keep writes the figures down
	packaging/instructions.sh $(KEEP)

mutants: ## break reconciliation and the adapters on purpose, and see whether the world notices; FILE=part of a path
	$(CARGO) mutants --workspace --test-package cvco-ledger $(if $(FILE),--re $(FILE)) -- --locked -p cvco-ledger --test world

bench: ## throughput, latency, and the time of verify, rebuild and export; DIR=folder on the disk to measure, N=notifications
	$(CARGO) bench --locked --bench notifications -- $(DIR)
	$(CARGO) bench --locked --bench cluster
	$(CARGO) bench --locked --bench proof -- $(if $(N),N=$(N)) $(if $(DIR),DIR=$(DIR))
	$(CARGO) bench --locked --bench export -- $(if $(ORDERS),ORDERS=$(ORDERS)) $(if $(DIR),DIR=$(DIR))

bench-peers: ## the same beside what a merchant would run instead (nginx with PHP, FastAPI); DIR=folder, ROUNDS=how often
	benches/peers/run.sh $(DIR)

install: ## put binary, units, users, manual pages and documents in place; `make build` comes first, as yourself
	@$(STAGE) packaging/stage.sh install
	@echo "Next: systemd-sysusers, systemd-tmpfiles --create, systemctl daemon-reload; then docs/install.md."

uninstall: ## take away what `make install` put in place; configuration, log and ledger stay
	@$(STAGE) packaging/stage.sh uninstall

deb: reference ## a Debian package, packaging/out/*.deb; the same commit gives the same bytes
	@packaging/tool.sh cargo-deb 3.8.0
	@packaging/tool.sh cargo-auditable 0.7.7
	packaging/reproducible.sh $(CARGO) deb --locked --cargo-build 'auditable build' \
	    --deb-version "$$(packaging/reproducible.sh packaging/debian-version.sh)" --output packaging/out

service-test: $(if $(PACKAGE),,tested-package) ## the package's whole life under a real systemd, in a container; PACKAGE=a .deb, PREVIOUS=an older one
	packaging/service-test/run.sh $(or $(PACKAGE),packaging/out/tested.deb) $(PREVIOUS)

# The files of the package around the program as the tests run it: quicker than a release.
tested-package: reference
	@packaging/tool.sh cargo-deb 3.8.0
	$(CARGO) build --locked
	$(CARGO) deb --locked --no-build --profile dev --fast \
	    --deb-version "$$(packaging/reproducible.sh packaging/debian-version.sh)" --output packaging/out/tested.deb

reproducible: ## build the package of this commit in two folders, and compare: twice as long as `make deb`
	packaging/twice.sh

image: ## an OCI image, packaging/out/*-oci.tar, made without docker; the same commit and Debian packages give the same bytes
	packaging/reproducible.sh $(CARGO) build --locked --release
	@BINARY=$(target)/release/cvco-reconciled packaging/reproducible.sh packaging/image.sh

sbom: ## a bill of materials (CycloneDX), packaging/out/*.cdx.json
	@packaging/tool.sh cargo-cyclonedx 0.5.9
	@packaging/reproducible.sh packaging/sbom.sh

tarball: reference ## the same as an archive, packaging/out/*.tar.gz
	packaging/reproducible.sh $(CARGO) build --locked --release
	@$(STAGE) packaging/reproducible.sh packaging/tarball.sh
