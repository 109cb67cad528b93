"""A folder on a local Ray of two workers, one of which is killed on the way."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from opir.cli.cluster import run_on_ray
from opir.cli.folder import RestoreOptions
from opir.cli.jobs import plan_jobs
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.model.checkpoint import save_model
from tests.conftest import TINIEST, randomise

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def _local_ray() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("_local_ray")
def test_every_photo_is_restored_once_though_a_worker_dies(tmp_path: Path) -> None:
    checkpoint = tmp_path / "tiny.safetensors"
    save_model(randomise(OPIR(TINIEST), spread=0.1), checkpoint, {})
    photos = tmp_path / "photos"
    (photos / "trip").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(16):
        folder = photos / "trip" if number % 2 else photos
        Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    (photos / "broken.png").write_text("no photo")
    jobs = plan_jobs([photos], tmp_path / "out", recursive=True).jobs
    options = RestoreOptions("auto", "auto", 1.0, ())

    records = []
    for record in run_on_ray(jobs, str(checkpoint), "cpu", options.read_restore_write, workers=2):
        if len(records) == 3:
            os.kill(record["worker"], signal.SIGKILL)
        records.append(record)

    assert sorted(record["input"] for record in records) == sorted(str(job.source) for job in jobs)
    assert [Path(record["input"]).name for record in records if "error" in record] == ["broken.png"]
    assert len({record["worker"] for record in records}) >= 2
    restorer = Restorer.from_pretrained(str(checkpoint), "cpu")
    for job in jobs:
        if job.source.name != "broken.png":
            got = np.asarray(Image.open(job.output), np.int16)
            assert np.abs(got - np.asarray(restorer.restore(job.source).image, np.int16)).max() <= 1
    assert not list((tmp_path / "out").rglob("*.part"))
