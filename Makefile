# People, pre-commit and CI run the same commands. `make setup` is done by every target that needs it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Machines without an NVIDIA GPU get the CPU build of PyTorch named in constraints-cpu.txt.
TORCH := $(if $(shell command -v nvidia-smi),,-r constraints-cpu.txt)
PORT ?= 7860
# By a path, not by a hook: from the folder above a clone, the clone itself would else be taken for the package.
EDITABLE := --config-settings editable_mode=compat

.PHONY: setup demo check format test examples example-photos screenshots embeddings calibrate measure page-marks clean

setup: $(READY)

$(READY): pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv .venv
	$(if $(TORCH),$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH))
	$(BIN)/pip install --quiet --disable-pip-version-check $(EDITABLE) -e ".[app,train,dev]"
	@touch $@

demo: setup
	$(BIN)/python app.py --port $(PORT)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m benchmarks.report.tables --check
	$(BIN)/python -m benchmarks.reliability.tables --check
	$(BIN)/python -m benchmarks.reliability.format_table --check
	$(BIN)/python -m app.examples --check
	$(BIN)/python -m benchmarks.ablations tables --check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# In two processes, each file of tests in one of them; one after the other: make test TESTS=
TESTS ?= --numprocesses 2 --dist loadfile
test: setup chromium
	$(BIN)/python -m pytest $(TESTS)

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get -qq update && $$as_root apt-get -qq install -y --no-install-recommends chromium >/dev/null; }

DEGRADE := $(BIN)/opir degrade assets/clean
# The photos that the page offers; afterwards make examples.
example-photos: setup
	$(DEGRADE)/palace.jpg -o assets/examples/palace-rain.jpg --task rain --seed 7
	$(DEGRADE)/bridge.jpg -o assets/examples/bridge-rain.jpg --task rain --seed 8
	$(DEGRADE)/neuschwanstein.jpg -o assets/examples/neuschwanstein-snow.jpg --task snow --seed 5
	$(DEGRADE)/bridge.jpg -o assets/examples/bridge-snow.jpg --task snow --seed 5
	$(DEGRADE)/canyon.jpg -o assets/examples/canyon-haze.jpg --task haze --seed 6
	$(DEGRADE)/village.jpg -o assets/examples/village-haze.jpg --task haze --seed 4
	$(BIN)/opir degrade assets/examples/village-haze.jpg -o assets/examples/village-rain-mist.jpg --task rain --seed 4
	rm assets/examples/village-haze.jpg
	$(DEGRADE)/facade.jpg -o assets/examples/facade-rain.jpg --task rain --seed 1 --size 14
	$(DEGRADE)/kingfisher.jpg -o assets/examples/kingfisher-snow.jpg --task snow --seed 1 --size 45

# The results of the page's examples, made anew for new weights, so that the first click shows one at once.
examples: setup
	$(BIN)/python -m app.examples

# The documentation's pictures of every tab.
screenshots: setup chromium
	$(BIN)/python -m assets.screenshot docs/images

# PHOTOS: a folder of clean photos that the weights were not trained on; 24 of them make a good map.
PHOTOS ?= data/validation/clean
embeddings: setup
	$(BIN)/python -m app.drawing.weather_map --checkpoint lite --output checkpoints/lite_embeddings.npz $(PHOTOS)

# The README's figures: make measure DATA=FOLDER with validation/clean and benchmark/<set>/{input,target}.
DATA ?= data
measure: setup
	$(BIN)/python -m benchmarks.quality $(DATA) --output benchmarks/results/quality.json
	$(BIN)/python -m benchmarks.report.tables

# What UM means in grey values, for the weights CHECKPOINT; PHOTOS as above. Run it before the reports below.
CHECKPOINT ?= lite
calibrate: setup
	$(BIN)/opir calibrate --clean $(PHOTOS) --checkpoint $(CHECKPOINT)

# The evidence that needs no training, into benchmarks/results and docs/results.md; QUICK=--quick only tries that it runs.
QUICK ?=
REPORT := --checkpoint $(CHECKPOINT) $(QUICK)
.PHONY: uncertainty embeddings-report classical pictures reports table1 table2 table3 table4 table6
uncertainty classical: setup
	$(BIN)/python -m benchmarks.quality.$@ $(DATA) $(REPORT)
	$(BIN)/python -m benchmarks.report.tables
embeddings-report: setup
	$(BIN)/python -m benchmarks.quality.embeddings $(DATA) $(REPORT)
	$(BIN)/python -m benchmarks.report.tables
table1 table2 table3 table4 table6: setup
	$(BIN)/python -m benchmarks.quality.published_tables $@ $(DATA) $(REPORT)
	$(BIN)/python -m benchmarks.report.tables
# Weather of every size: pairs of DATA enlarged, and streaks, flakes and haze on the sharp photos of LARGE; a short look: make sizes SIZES="--every 14 --count 2"
LARGE ?= data/train/clean_large
SIZES ?=
.PHONY: sizes
sizes: setup
	$(BIN)/python -m benchmarks.quality.sizes $(DATA) --photos $(LARGE) $(SIZES) --checkpoint $(CHECKPOINT) --output benchmarks/results/sizes.json
	$(BIN)/python -m benchmarks.report.tables
pictures: setup
	$(BIN)/python -m benchmarks.quality.contact_sheets --checkpoint $(CHECKPOINT)
.PHONY: release
# Everything that hangs on the weights, made anew for a new file of them: make release CHECKPOINT=runs/gpu/model.safetensors
# It ends with what is still of other weights: bench, load, ablations and peers take hours and are run on their own.
release: setup
	[ "$(CHECKPOINT)" = lite ] || cp "$(CHECKPOINT)" checkpoints/lite.safetensors
	$(MAKE) reports embeddings examples CHECKPOINT=lite
	$(BIN)/python -m pytest -q --renew-golden tests/opir/inference/test_shipped_weights.py
	$(MAKE) sizes page-marks screenshots CHECKPOINT=lite
	$(BIN)/python -m benchmarks.report.outdated
reports: calibrate measure uncertainty embeddings-report classical table1 table2 table3 table4 table6 pictures

# Thousands of damaged and hostile files at every door; a short look: make fuzz FUZZ="--share 0.05"
FUZZ ?=
.PHONY: fuzz faults
fuzz: setup
	$(BIN)/python -m benchmarks.reliability.fuzz $(FUZZ) --output benchmarks/results/fuzz.json
	$(BIN)/python -m benchmarks.reliability.tables

# kill -9, a full and a read-only disk (as root), vanished photos, broken checkpoints.
faults: setup
	$(BIN)/python -m benchmarks.reliability.faults --output benchmarks/results/faults.json
	$(BIN)/python -m benchmarks.reliability.tables

# Fifty visitors for ten minutes on two cores; a short look: make load LOAD="--visitors 10 --seconds 60 --restorations 0"
LOAD ?=
.PHONY: load startup audit lock locked
load: setup
	$(BIN)/python -m benchmarks.server.load $(LOAD) --output benchmarks/results/load.json
	$(BIN)/python -m benchmarks.reliability.tables

# Ten visitors in browsers, sixty photos of 12 megapixels, every tab opened, then quiet: about ten minutes.
.PHONY: load-large
load-large: setup chromium
	$(BIN)/python -m benchmarks.server.load_large --output benchmarks/results/load_large.json
	$(BIN)/python -m benchmarks.reliability.tables

startup: setup
	$(BIN)/python -m benchmarks.server.startup --output benchmarks/results/startup.json
	$(BIN)/python -m benchmarks.reliability.tables

# Known weaknesses of what is locked, by the Python advisory database; needs a network. Fails, too, where it is not asked.
AUDIT := $(BIN)/pip-audit --strict --disable-pip --progress-spinner off
audit: setup
	$(BIN)/pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"
	$(AUDIT) --require-hashes -r requirements.lock
	$(AUDIT) --no-deps -r constraints-cpu.txt

# Pins and hashes of all packages for every platform, all but PyTorch's; each machine has a build of its own.
lock: setup
	$(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
	echo 'torch ; python_version < "3"' > .venv/without-torch.txt
	$(BIN)/uv pip compile pyproject.toml --extra app --extra train --extra dev --universal --python-version 3.11 \
	  --generate-hashes --override .venv/without-torch.txt --no-emit-index-url --no-emit-find-links --no-annotate \
	  --no-header --upgrade --quiet --output-file requirements.lock

# The same .venv as `make setup`, from the lock: exactly the versions and files that CI passed with.
locked:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(or $(TORCH),torch)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(EDITABLE) -e .
	@touch $(READY)

# How fast the page answers in the browser; on an idle machine.
page-marks: setup chromium
	$(BIN)/python -m benchmarks.server.page --output benchmarks/results/page.json
	$(BIN)/python -m benchmarks.report.tables

# The paper's claims that need training, at an equal budget, into docs/results.md: BUDGET=small takes two cores less than three
# hours, BUDGET=gpu needs a GPU. What is done is kept in runs/ablations: after a stop, the same command goes on.
BUDGET ?= small
.PHONY: evidence ablations figure1 table5 table7
evidence: ablations reports
ablations: setup
	$(BIN)/python -m benchmarks.ablations all --data $(DATA) --budget $(BUDGET)
figure1 table5 table7: setup
	$(BIN)/python -m benchmarks.ablations $@ --data $(DATA) --budget $(BUDGET)

# On idle cores: time against yardsticks, engines, parts, files and memory; after a stop, the same command goes on.
.PHONY: bench
bench: setup
	$(BIN)/python -m benchmarks.cost --output benchmarks/results/cost.json $(BENCH)
	$(BIN)/python -m benchmarks.cost.plot
	$(BIN)/python -m benchmarks.report.tables

# The same photos by OPIR, MAXIM and the dark channel prior, into docs/peers.md. MAXIM is TensorFlow.js from npm, run in an environment of
# its own: about half an hour on two idle cores. Photos and results stay in PEERS; after a stop, the same command goes on.
PEERS ?= runs/peers
TENSORFLOW ?= tensorflow-cpu
MAXIM := $(foreach kind,deraining dehazing-indoor dehazing-outdoor,$(PEERS)/packages/maxim-$(kind)/package.json)
.PHONY: peers peers-time
peers: setup .venv-peers/.ready $(MAXIM)
	$(BIN)/python -m benchmarks.peers prepare $(PEERS) --data $(DATA) --photos $(PHOTOS)
	.venv-peers/bin/python -m benchmarks.peers.maxim $(PEERS)
	$(BIN)/python -m benchmarks.peers score $(PEERS) --checkpoint $(CHECKPOINT)
	$(BIN)/python -m benchmarks.report.tables

# On idle cores, after make peers: five minutes.
peers-time: setup .venv-peers/.ready $(MAXIM)
	$(BIN)/python -m benchmarks.peers time $(PEERS) --checkpoint $(CHECKPOINT)
	$(BIN)/python -m benchmarks.report.tables

.venv-peers/.ready:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check $(TENSORFLOW) numpy pillow
	@touch $@

# One of the packages of npm, as it is fetched, without those that it would like to have beside it.
$(PEERS)/packages/%/package.json:
	@mkdir -p $(@D)
	cd $(@D) && tar xzf $$(npm pack --silent @upscalerjs/$*) --strip-components=1 && rm *.tgz && touch package.json

clean:
	rm -rf .venv .venv-peers build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
