# Everything one does with this repository; the work is in scripts/.
.PHONY: help up down purge build release test test-unit test-host test-simulation test-clients test-all tidy bench docs
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## install what is missing, build, start the cloud in the background
	@scripts/up

down: ## stop the cloud; its data stays
	@scripts/down

purge: ## stop the cloud and remove its data
	@scripts/purge

build: ## build novella for development
	@scripts/packages build
	@scripts/build debug

release: ## build novella for use: .build/release/novella
	@scripts/packages build
	@scripts/build release

test: ## install what the tests need and run them: what is run for each change
	@scripts/test

test-unit: ## the unit tests alone
	@scripts/test unit

test-host: ## the tests with real guests and real packets alone
	@scripts/test host

test-simulation: ## the simulation of 50 hosts alone
	@scripts/test simulation

test-clients: ## the checks with real OpenStack clients alone
	@scripts/test clients

test-all: ## all tests, with those that take too long for each change
	@scripts/test
	@scripts/test long

tidy: ## check the house style alone
	@swift test --filter TidyTests

bench: ## measure how fast it starts and what it needs
	@scripts/bench

docs: ## write the tables of docs/configuration.md anew
	@scripts/build debug
	@scripts/docs
