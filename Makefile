# Everything a developer does, by name. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help run demo test e2e check audit bench docs clean

# Words after a target's `##` are its help.
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build for release and start a server to try out, on port 4000, with the web client
	cargo build --locked --release --package parlance-server
	WEB_DIR="$$(apps/web/build.sh)" target/release/parlance serve --dev

demo: examples/demo/node_modules ## Show a message between two people, with `make run` in another terminal
	@node examples/demo/demo.mjs

test: ## Run all tests: Rust, documentation, and end to end with real clients
	.ci/test

e2e: ## Run the end-to-end tests alone
	tests/e2e/run.sh

check: ## What must hold before anything is merged, short of tests
	.ci/check

audit: ## Look for known vulnerabilities in dependencies (needs the network)
	.ci/check-dependencies advisories

bench: ## Measure the codecs; there are no benchmarks of the whole server yet
	cargo bench --locked --package parlance-dialects --bench codec

docs: ## Build the reference of the crates, and say where it is
	cargo doc --locked --workspace --no-deps
	@echo "reference: target/doc/parlance_server/index.html; guides: docs/"

clean: ## Remove what was built or installed here; ./data is kept
	cargo clean
	rm -rf apps/web/node_modules apps/web/dist tests/e2e/node_modules tests/e2e/.venv examples/demo/node_modules

examples/demo/node_modules: examples/demo/package.json examples/demo/package-lock.json
	npm ci --prefix examples/demo --no-audit --no-fund --loglevel error
	@touch $@
