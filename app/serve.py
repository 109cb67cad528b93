"""Serving the page: from settings to a server that answers, and from a signal to one that has tidied up."""

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import page
from app.drawing.weather_map import WeatherMap
from app.running.runner import Runner
from app.server import gradio_insides, logs
from app.server.gate import Gate
from app.server.request_log import COUNTS
from app.server.server_state import ServerState
from app.server.settings import Settings
from app.server.visitor_files import VisitorFiles
from app.tabs.clean_actions import Actions
from opir.inference import Restorer

EVENTS_PER_JOB = 10
"""So many small events (a click on a pixel, a moved slider) may wait for each job that may."""

REST_EVERY_SECONDS = 60.0

FETCHING_SECONDS = 2.0
"""So long a result that was finished while the server stops can still be fetched."""


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    state: ServerState

    def stop(self) -> None:
        """Take no more work, let running jobs end for as long as the settings say, close, and remove every file."""
        self.state.is_stopping = True
        until = time.monotonic() + self.state.settings.shutdown_seconds
        had_work = self.state.jobs() > 0
        while self.state.jobs() and time.monotonic() < until:
            time.sleep(0.05)
        left = self.state.jobs()
        if had_work:
            time.sleep(FETCHING_SECONDS)
        self.state.blocks.close(verbose=False)
        self.state.files.remove()
        logs.REQUESTS.info("stopped", extra={"facts": {"jobs_left": left, "restorations": COUNTS.by_outcome}})


def start(settings: Settings, share: bool = False) -> Server:
    """Load the weights and serve the page from threads of this process, which is made a server's: log, files.

    Raises:
        ValueError: for weights or a device that are not there.
    """
    logs.start_logging(settings.log_level)
    restorer = Restorer.from_pretrained(settings.checkpoint, device=settings.device)
    files = VisitorFiles(settings.temp_folder, settings.max_disk_mb * 1e6, settings.temp_seconds)
    files.take_over()
    # Gradio sums up all events that it remembers after each one: a few are enough, as nobody can ask for the sums.
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "20")
    actions = Actions(restorer, WeatherMap.shipped_with(restorer), settings)
    try:
        server = launch(actions, settings, files, share)
    except BaseException as error:
        files.remove()
        if isinstance(error, OSError) and "empty port" in str(error):
            wanted = settings.port or "from 7860 on"
            raise OSError(f"port {wanted} is taken: choose another by --port or OPIR_PORT") from None
        raise
    logs.take_over_web_server_log()
    threading.Thread(target=_rest_now_and_then, args=(server, actions.runner), daemon=True).start()
    return server


def _rest_now_and_then(server: Server, runner: Runner) -> None:
    """Keep the memory small until the server stops: what events leave behind is given back once a minute."""
    while not server.state.is_stopping:
        time.sleep(REST_EVERY_SECONDS)
        runner.rest()


def launch(actions: Actions, settings: Settings, files: VisitorFiles, share: bool = False) -> Server:
    """Build the page and serve it through the gate, visitors' files in the folder that Gradio was told of."""
    gradio_insides.spare_empty_files()
    blocks = page.build(actions)
    gradio_insides.check(blocks)
    state = ServerState(settings, files, blocks, actions.runner.info, actions.runner.device)
    _, url, _ = blocks.queue(max_size=EVENTS_PER_JOB * settings.queue_length, api_open=False).launch(
        server_name=settings.host or None,
        server_port=settings.port or None,
        share=share,
        quiet=True,
        prevent_thread_lock=True,
        max_file_size=f"{round(settings.max_upload_mb * 1e6)}b",
        app_kwargs={"middleware": [Middleware(Gate, state=state)], "routes": [_health_route(state)]},
        **page.launch_options(),
    )
    files.page_files = gradio_insides.own_files(blocks)
    files.start_sweeping()
    return Server(url, state)


def serve(settings: Settings, share: bool = False) -> None:
    """Serve the page until this process is asked to stop, by SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    server = start(settings, share)
    facts: dict[str, Any] = {
        "url": server.url,
        "seconds": round(time.monotonic() - began, 2),
        **server.state.health(),
    }
    logs.REQUESTS.info("serving", extra={"facts": facts})
    print(f"The page is at {server.url}", flush=True)
    while not stop.wait(0.5):
        pass
    server.stop()


def _health_route(state: ServerState) -> Route:
    async def health(_: Request) -> JSONResponse:
        return JSONResponse(state.health(), 503 if state.is_stopping else 200)

    return Route("/health", health, methods=["GET"])
