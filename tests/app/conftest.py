"""One page for all tests of the app, served in this process with a tiny random model."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app import serve
from app.drawing.weather_map import SUFFIX, WeatherMap, build
from app.examples.examples import Examples
from app.server.settings import Settings
from app.server.visitor_files import VisitorFiles
from app.tabs.clean_actions import Actions
from benchmarks.server.server_process import ServerProcess, running_server
from opir.inference.restorer import Restorer
from opir.model import OPIR
from opir.model.checkpoint import save_model
from opir.photo import to_picture
from opir.tasks import Task
from tests.app.browsing import CHROMIUM, FLAGS, visit
from tests.conftest import TINY, make_picture


@pytest.fixture(scope="session", autouse=True)
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisitorFiles]:
    """Keep what visitors upload out of the machine's own folder."""
    files = VisitorFiles(str(tmp_path_factory.mktemp("uploads")), max_bytes=1e9, lifetime_seconds=3600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(files.folder))
        yield files


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three small clean photos."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        to_picture(make_picture(72, 96, seed)[0]).save(folder / f"street {seed}.png")
    return folder


@pytest.fixture(scope="session")
def photo(photos: Path) -> Path:
    """A photo of 96×72 pixels with a space in its name."""
    return photos / "street 0.png"


@pytest.fixture(scope="session")
def not_a_photo(photos: Path) -> Path:
    """A text file that calls itself a JPEG, with a name that is HTML."""
    path = photos.parent / "<b>notes.jpg"
    path.write_text("These are not the pixels you are looking for.")
    return path


@pytest.fixture(scope="session")
def turned_photo(photos: Path) -> Path:
    """A JPEG that a camera held sideways, with a date and a position in it."""
    path = photos.parent / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0132] = "2026:11:23 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    Image.open(photos / "street 1.png").convert("RGB").save(path, exif=exif, quality=95)
    return path


@pytest.fixture(scope="session")
def restorer(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Restorer:
    """A tiny model with random weights, loaded from a file that has its weather map beside it."""
    torch.manual_seed(0)
    model = OPIR(TINY).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # a little: the result is to differ from the photo and resemble it
            parameter.add_(0.002 * torch.randn(parameter.shape))
        assert model.task_encoder is not None
        model.task_encoder.prototypes[Task.SNOW :] += 5  # every photo looks rainy, so that something is done
    path = tmp_path_factory.mktemp("checkpoints") / "tiny.safetensors"
    save_model(model, path, {})
    loaded = Restorer.from_pretrained(str(path), device="cpu", precision="fp32")
    build(loaded, sorted(photos.iterdir())).save(path.with_name(path.stem + SUFFIX))
    return loaded


@pytest.fixture(scope="session")
def examples(photos: Path, restorer: Restorer, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Three examples with the results of the tiny model."""
    folder = tmp_path_factory.mktemp("examples")
    names = {f"street-{seed}.jpg": f"Street {seed}" for seed in range(3)}
    for seed, name in enumerate(names):
        Image.open(photos / f"street {seed}.png").save(folder / name, quality=92)
    made = Examples(folder, names)
    assert len(list(made.renew(restorer))) == 3
    return made


@pytest.fixture(scope="session")
def actions(restorer: Restorer, examples: Examples) -> Actions:
    """The page's events."""
    return Actions(restorer, WeatherMap.shipped_with(restorer), examples=examples)


@pytest.fixture(scope="session")
def blocks(actions: Actions, uploads: VisitorFiles) -> Iterator[gr.Blocks]:
    """The page, on a free port, behind the gate that it has in public."""
    server = serve.launch(actions, Settings(host="127.0.0.1"), uploads)
    yield server.state.blocks
    server.state.blocks.close(verbose=False)


@pytest.fixture(scope="session")
def page_url(blocks: gr.Blocks) -> str:
    """Its address."""
    return f"{str(blocks.local_url).rstrip('/')}/"


@pytest.fixture(scope="session")
def served(restorer: Restorer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`python app.py` in a process of its own, with tight limits: 2 MB a file, 3 MB at once, 4 jobs waiting."""
    folder = tmp_path_factory.mktemp("served")
    assert restorer.info is not None
    settings = {
        "OPIR_CHECKPOINT": str(restorer.info.path),
        "OPIR_DEVICE": "cpu",
        "OPIR_MAX_UPLOAD_MB": "2",
        "OPIR_MAX_REQUEST_MB": "3",
        "OPIR_MAX_DISK_MB": "60",
        "OPIR_MAX_MEGAPIXELS": "20",
        "OPIR_QUEUE_LENGTH": "4",
        "OPIR_TEMP_FOLDER": str(folder / "temp"),
        "OMP_NUM_THREADS": "1",
    }
    with running_server(folder / "log", environment=settings) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    assert CHROMIUM, "these tests need Chromium: make test installs it, or apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, page_url: str) -> Iterator[Page]:
    """The page, just opened by a new visitor."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    yield visit(opened, page_url)
    opened.close()
