# `make audit` and `make test` are all a newcomer needs; `make help` lists the rest.

SWIFT ?= swift
.DEFAULT_GOAL := help
.PHONY: help install build audit lint exporters integrations test bench bench-cascade bench-inversion coverage record clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install what is missing (Debian and Ubuntu), or say what is
	@Scripts/install-dependencies.sh

build: install ## Build the tool into .build/release/leakaudit
	$(SWIFT) build -c release --product leakaudit

audit: build ## Build the tool and audit the example in Models/
	@Scripts/audit-example.sh

lint: install ## Check the style of every Swift file
	$(SWIFT) format lint --strict -r Sources Tests Package.swift

exporters: install ## Test the exporters against PyTorch, Keras, JAX and Flower
	@Scripts/test-exporters.sh

integrations: install ## Check reports and the files for build servers against other people's readers
	@Scripts/test-integrations.sh

test: install lint ## Run everything that CI runs
	LEAKAUDIT_STRICT=1 $(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@Scripts/test-exporters.sh
	@Scripts/test-integrations.sh
	@python3 -m unittest discover -s Benchmarks/tests
	@# Tests run side by side: threads that wait for another should not keep it off the processor for long.
	LEAKAUDIT_STRICT=1 GOMP_SPINCOUNT=1000 $(SWIFT) test

bench: install ## Time gradient matching beside PyTorch; BENCH=--quick for a short check
	@python3 Benchmarks/bench.py $(BENCH)

bench-cascade: install ## Check what closed forms recover from gradients of photographs; CASCADE=--seeds=1 for a short run
	@python3 Benchmarks/cascade.py $(CASCADE)

bench-inversion: install ## Check numerical inversion beside PyTorch; INVERSION='--promise 7' for one promise
	@python3 Benchmarks/inversion.py $(INVERSION)

coverage: install ## Measure line coverage; fails under 90 %
	@Scripts/coverage.sh

record: install ## Write golden files anew; fails on purpose, so that nobody calls it green
	LEAKAUDIT_RECORD=1 $(SWIFT) test --filter 'Golden|Committed|RulesDocument|ExampleReport'

clean: ## Remove what was built
	rm -rf .build .build-coverage .build-integrations .venv Benchmarks/.venv
