# Everything a developer does, by name. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help run release deb deb-check demo test test-crash test-cluster test-web test-history e2e services check audit bench bench-smoke bench-soak bench-trouble bench-parts bench-nodes copy-million fuzz docs clean

# Words after a target's `##` are its help.
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build for release and start a server to try out, on port 4000, with the web client
	cargo build --locked --release --package parlance-server
	WEB_DIR="$$(apps/web/build.sh)" target/release/parlance serve --dev

release: ## Build for release; prints how large the binary is
	cargo build --locked --release --package parlance-server
	@stat --format '%n: %s bytes' target/release/parlance

deb: ## Build the Debian package (needs cargo-deb); prints how large it and the binary are
	@packaging/deb.sh

deb-check: ## Build it, unpack it, and start the server out of it
	@packaging/check-deb.sh

demo: examples/demo/node_modules ## Show a message between two people, with `make run` in another terminal
	@node examples/demo/demo.mjs

test: ## Run all tests: Rust, documentation, and end to end with real clients
	.ci/test

test-crash: ## Kill the server fifty times under load, on SQLite and on PostgreSQL
	CRASHES=50 tests/e2e/run.sh --test-name-pattern='random points' suites/crash.test.mjs
	CRASHES=50 E2E_STORAGE=postgres tests/e2e/run.sh --test-name-pattern='random points' suites/crash.test.mjs

test-cluster: ## Break three nodes in every way under load, with 200 people and ten seeds on PostgreSQL, five over NATS and five on MongoDB; a message to 1,000
	E2E_TIMEOUT=3600000 CLUSTER_SEEDS=10 CLUSTER_PEOPLE=200 CLUSTER_SECONDS=40 E2E_STORAGE=postgres tests/e2e/run.sh suites/cluster-faults.test.mjs
	E2E_TIMEOUT=3600000 CLUSTER_SEEDS=5 CLUSTER_PEOPLE=200 CLUSTER_SECONDS=40 E2E_LINK=nats E2E_STORAGE=postgres tests/e2e/run.sh suites/cluster-faults.test.mjs
	E2E_LINK=nats E2E_STORAGE=postgres tests/e2e/run.sh suites/cluster.test.mjs
	E2E_TIMEOUT=3600000 CLUSTER_SEEDS=5 CLUSTER_PEOPLE=30 CLUSTER_SECONDS=25 E2E_STORAGE=mongodb tests/e2e/run.sh suites/cluster-faults.test.mjs
	FANOUT_MEMBERS=1000 FANOUT_MESSAGES=50 E2E_STORAGE=postgres tests/e2e/run.sh suites/cluster-traffic.test.mjs

test-web: ## Run the tests of the web client alone: its hooks, and real browsers
	apps/web/test.sh

test-history: ## Scroll a history of 100,000 messages in a browser; prints frame times
	HISTORY_MESSAGES=100000 apps/web/test.sh e2e/history.test.mjs

e2e: ## Run the end-to-end tests alone
	tests/e2e/run.sh

services: ## Start PostgreSQL, MongoDB, Redis and NATS for tests, until Ctrl-C
	@tests/services/start

check: ## What must hold before anything is merged, short of tests
	.ci/check

audit: ## Look for known vulnerabilities in dependencies (needs the network)
	.ci/check-dependencies advisories

bench: apps/bench/baseline/node_modules ## Measure against a Node server and write docs/benchmarks.md (needs two quiet cores)
	cargo build --locked --release --package parlance-server --package parlance-bench
	target/release/parlance-bench suite $(BENCH)

bench-smoke: ## Run every kind of load briefly, and only look for what is lost, doubled or out of order
	cargo build --locked --package parlance-server --package parlance-bench
	target/debug/parlance-bench smoke

bench-soak: ## Load a server for three minutes (SOAK=25m WARM_UP=5m RATE=2000) as a day does; prints what it lost and what it leaves behind
	cargo build --locked --release --package parlance-server --package parlance-bench
	target/release/parlance-bench trial soak --warm-up $(or $(WARM_UP),30s) --duration $(or $(SOAK),3m) $(if $(RATE),--rate $(RATE))

bench-trouble: ## Measure what others see of clients that stop reading, and of 5,000 that come back at once
	cargo build --locked --release --package parlance-server --package parlance-bench
	target/release/parlance-bench trial stalled --members 1000
	target/release/parlance-bench trial storm --connections 5000 --concurrency 5000 --rounds 1 --bystanders 100

bench-nodes: ## Measure two nodes against one on this machine, over Redis and over NATS: what a delivered message costs
	cargo build --locked --release --package parlance-server --package parlance-bench
	tests/services/run sh -c 'for link in "$$TEST_REDIS_URL" "$$TEST_NATS_URL"; do \
	  target/release/parlance-bench nodes --postgres "$$TEST_POSTGRES_URL" --link "$$link" $(or $(LOAD),rooms --conversations 100) || exit; done'

bench-parts: ## Measure codecs, positions and storing by themselves
	cargo bench --locked --package parlance-dialects --bench codec
	cargo bench --locked --package parlance-domain --bench positions
	cargo bench --locked --package parlance-storage-sql --bench append

copy-million: ## Copy a million messages through all storages; prints time and memory of each step
	tests/services/run tests/copy-million.sh

fuzz: ## Feed what strangers' bytes reach first with anything, ten minutes each (FUZZ_SECONDS=600)
	fuzz/run.sh

docs: ## Build the reference of the crates, and say where it is
	cargo doc --locked --workspace --no-deps
	@echo "reference: target/doc/parlance_server/index.html; guides: docs/"

clean: ## Remove what was built or installed here; ./data is kept
	cargo clean
	rm -rf fuzz/target
	rm -rf apps/bench/baseline/node_modules apps/web/node_modules apps/web/dist tests/e2e/node_modules tests/e2e/.venv examples/demo/node_modules

apps/bench/baseline/node_modules: apps/bench/baseline/package.json apps/bench/baseline/package-lock.json
	npm ci --prefix apps/bench/baseline --no-audit --no-fund --loglevel error
	@touch $@

examples/demo/node_modules: examples/demo/package.json examples/demo/package-lock.json
	npm ci --prefix examples/demo --no-audit --no-fund --loglevel error
	@touch $@
