"""The page: its tabs and their wiring only.

A tab is a file of `app/tabs`: its layout, its events and what they do. What is said, and how it looks, is in
`app/look`.
"""

from functools import partial
from typing import Any

import gradio as gr

from app.look import scripts, theme, words
from app.running.visitors import forget_who_leaves
from app.server.server_state import MODEL_QUEUE
from app.tabs import about, clean, inside, many, measure
from app.tabs.about import OWN_ADDRESS
from app.tabs.clean_actions import Actions, photo_job
from app.tabs.many import ManyPhotos, batch_job
from app.tabs.parts import state
from opir.tasks import AUTO


def build(actions: Actions) -> gr.Blocks:
    """Return the page, ready for `queue` and for `launch` with `launch_options`."""
    page = gr.Blocks(title=words.PAGE_TITLE, analytics_enabled=False, fill_width=True)
    with page:
        session = state(actions.runner)
        gr.HTML(
            f'<div class="masthead">{theme.LOGO}<div><h1>{words.TITLE}</h1><p>{words.TAGLINE}</p></div></div>',
            padding=False,
        )
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(words.TAB_CLEAN):
                choices, results = clean.layout(actions)
            with gr.Tab(words.TAB_INSIDE):
                looked_into = inside.layout()
            with gr.Tab(words.TAB_MANY):
                many.build(ManyPhotos(actions.runner, actions.visitors))
            with gr.Tab(words.TAB_MEASURE):
                measure.build(actions.runner, actions.visitors)
            with gr.Tab(words.TAB_ABOUT):
                snippets = about.build(actions.runner)
        forget_pixel = inside.wire(looked_into, session)
        clean.Wiring(actions, session, choices, results, looked_into, forget_pixel).join()
        _add_endpoints(actions)
        forget_who_leaves(
            page, actions.visitors, actions.runner.stops, lambda name: (photo_job(name), batch_job(name))
        )
        for script in scripts.ON_LOAD:
            page.load(None, js=script)
        page.load(None, snippets, snippets, js=OWN_ADDRESS)
    return page


def launch_options() -> dict[str, Any]:
    """Return what the page asks of its server: nothing leaves the machine, no door that the page does not need."""
    return {
        "theme": theme.theme(),
        "css_paths": theme.STYLE_SHEET,
        "state_session_capacity": 200,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "mcp_server": False,
        "pwa": False,
        "strict_cors": True,
        "footer_links": ["api", "settings"],
    }


def _add_endpoints(actions: Actions) -> None:
    """Add the public endpoints; their file input only takes files that the client uploaded."""
    photo = gr.File(type="filepath", visible=False)
    weather = gr.Radio([name for _, name in words.WEATHER_CHOICES], value=AUTO, visible=False)
    strength = gr.Number(1.0, minimum=0, maximum=1, visible=False)
    levels = gr.Textbox("auto", max_length=100, visible=False)
    restored, done = gr.File(visible=False), gr.JSON(visible=False)
    for name, quality in (("restore", words.FULL), ("restore_thoroughly", words.THOROUGH)):
        gr.Button(visible=False).click(
            partial(actions.restore_file, quality=quality),
            [photo, weather, strength, levels],
            [restored, done],
            api_name=name,
            api_description=words.ENDPOINTS[quality],
            **MODEL_QUEUE,
        )
