# Everything that a person or a continuous integration runs goes through here; `make` alone lists it.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CARGO       ?= cargo

# `make install` honours the usual variables: make install DESTDIR=/tmp/stage PREFIX=/usr
DESTDIR     ?=
PREFIX      ?= /usr/local
SYSCONFDIR  ?= /etc
bindir       = $(DESTDIR)$(PREFIX)/bin
unitdir      = $(DESTDIR)$(PREFIX)/lib/systemd/system
sysusersdir  = $(DESTDIR)$(PREFIX)/lib/sysusers.d
tmpfilesdir  = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
docdir       = $(DESTDIR)$(PREFIX)/share/doc/cvco-reconciled
target       = $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help demo build test tools fmt clippy unit doc docs deny lint soak mutants bench install

help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## play split payments, good and bad, through a real daemon; needs no configuration
	$(CARGO) run --locked -- demo

build: ## the release binary, target/release/cvco-reconciled
	$(CARGO) build --locked --release

test: tools fmt clippy unit doc ## everything that must pass: formatting, lints, tests, documentation

tools:
	@packaging/bootstrap.sh

fmt:
	@packaging/component.sh rustfmt fmt -- fmt --all --check

clippy:
	@packaging/component.sh clippy clippy -- clippy --locked --workspace --all-targets -- -D warnings

unit:
	$(CARGO) test --locked --workspace

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --workspace

docs: ## write docs/discrepancies.md again, from the words that the program itself uses
	$(CARGO) run --locked --quiet -p cvco-mail --example discrepancies > docs/discrepancies.md.new
	mv docs/discrepancies.md.new docs/discrepancies.md

deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	    $(CARGO) deny --locked check; \
	else \
	    echo "cargo-deny is not installed: advisories, licences and bans were NOT checked."; \
	    echo "Get it with: cargo install --locked cargo-deny"; \
	fi

lint: fmt clippy deny ## formatting, lints, and the dependencies' licences and advisories

soak: ## live through many worlds of orders (tests/world); SEEDS=how many, FIRST=from which on, MINUTES=at most
	WORLD_SEEDS=$(or $(SEEDS),1000000) WORLD_FIRST=$(or $(FIRST),0) $(if $(MINUTES),WORLD_MINUTES=$(MINUTES)) \
	    $(CARGO) test --locked --release -p cvco-ledger --test world the_ledger_tells_the_truth -- --nocapture

mutants: ## break reconciliation and the adapters on purpose, and see whether the world notices; FILE=part of a path
	$(CARGO) mutants --workspace --test-package cvco-ledger $(if $(FILE),--re $(FILE)) -- --locked -p cvco-ledger --test world

bench: ## throughput, latency, and the time of verify, rebuild and export; DIR=folder on the disk to measure, N=notifications
	$(CARGO) bench --locked --bench notifications -- $(DIR)
	$(CARGO) bench --locked --bench proof -- $(if $(N),N=$(N)) $(if $(DIR),DIR=$(DIR))
	$(CARGO) bench --locked --bench export -- $(if $(ORDERS),ORDERS=$(ORDERS)) $(if $(DIR),DIR=$(DIR))

install: ## put binary, systemd units, users and sample in place; `make build` comes first, as yourself
	@test -x $(target)/release/cvco-reconciled || { echo "run \`make build\` first"; exit 1; }
	install -D -m 0755 $(target)/release/cvco-reconciled $(bindir)/cvco-reconciled
	install -D -m 0644 packaging/sysusers.d/cvco-reconciled.conf $(sysusersdir)/cvco-reconciled.conf
	install -D -m 0644 packaging/tmpfiles.d/cvco-reconciled.conf $(tmpfilesdir)/cvco-reconciled.conf
	install -D -m 0644 systemd/cvco-reconciled.socket $(unitdir)/cvco-reconciled.socket
	install -D -m 0644 systemd/cvco-reconciled.service $(unitdir)/cvco-reconciled.service
	sed -i 's|^ExecStart=/usr/bin/|ExecStart=$(PREFIX)/bin/|' $(unitdir)/cvco-reconciled.service
	install -D -m 0644 config.example.toml $(docdir)/config.example.toml
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/cvco-reconciled
	@echo "Next: systemd-sysusers, systemd-tmpfiles --create, systemctl daemon-reload; then README.md, \"Installing\"."
