# People, pre-commit and CI run the same commands. `make setup` is done by every target that needs it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Machines without an NVIDIA GPU get the CPU build of PyTorch named in constraints-cpu.txt.
TORCH := $(if $(shell command -v nvidia-smi),,-r constraints-cpu.txt)
PORT ?= 7860

.PHONY: setup demo check format test examples screenshots embeddings measure clean

setup: $(READY)

$(READY): pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv .venv
	$(if $(TORCH),$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH))
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[app,train,dev]"
	@touch $@

demo: setup
	$(BIN)/python app.py --port $(PORT)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python benchmarks/tables.py --check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup chromium
	$(BIN)/python -m pytest

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get -qq update && $$as_root apt-get -qq install -y --no-install-recommends chromium >/dev/null; }

DEGRADE := $(BIN)/opir degrade assets/clean
# The page's examples, and the embeddings that the weather map compares a photo with.
examples: setup
	$(DEGRADE)/stream.jpg -o assets/examples/stream-rain.jpg --task rain --seed 7
	$(DEGRADE)/bridge.jpg -o assets/examples/bridge-rain.jpg --task rain --seed 8
	$(DEGRADE)/dogs.jpg -o assets/examples/dogs-snow.jpg --task snow --seed 5
	$(DEGRADE)/bridge.jpg -o assets/examples/bridge-snow.jpg --task snow --seed 5
	$(DEGRADE)/mountains.jpg -o assets/examples/mountains-haze.jpg --task haze --seed 6
	$(DEGRADE)/meadow.jpg -o assets/examples/meadow-haze.jpg --task haze --seed 4
	$(BIN)/opir degrade assets/examples/meadow-haze.jpg -o assets/examples/meadow-rain-mist.jpg --task rain --seed 4
	rm assets/examples/meadow-haze.jpg

# The documentation's pictures of every tab.
screenshots: setup chromium
	$(BIN)/python -m assets.screenshot docs/images

# PHOTOS: a folder of clean photos that the weights were not trained on; 24 of them make a good map.
PHOTOS ?= data/validation/clean
embeddings: setup
	$(BIN)/python -m app.weather_map --checkpoint lite --output checkpoints/lite_embeddings.npz $(PHOTOS)

# The README's figures: make measure DATA=FOLDER with validation/clean and benchmark/<set>/{input,target}.
DATA ?= data
measure: setup
	$(BIN)/python benchmarks/quality.py $(DATA) --output benchmarks/results/quality.json
	$(BIN)/python benchmarks/tables.py

# On idle cores: time, parts, files and memory. PHOTOS: clean photos for the upsampled operators.
.PHONY: bench
bench: setup
	$(BIN)/python -m benchmarks.cost --output benchmarks/results/cost.json $(BENCH)
	$(BIN)/python benchmarks/tables.py

.PHONY: bench-upsampled
bench-upsampled: setup
	$(BIN)/python -m benchmarks.upsampled $(PHOTOS) --output benchmarks/results/upsampled.json
	$(BIN)/python benchmarks/tables.py

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
