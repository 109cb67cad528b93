"""Many photos: several files in, an archive and a list out."""

import gradio as gr

from app.look import scripts, words
from app.tabs import many_actions
from app.tabs.parts import QUIET, photo_file, privacy, quality_choice, slider, state, weather_choice

COMPARED_HEIGHT = 420  # pixels


def build(events: many_actions.ManyPhotos) -> None:
    """Lay out the tab and join its events."""
    pairs = state(events.runner)
    with gr.Row(elem_classes="side-by-side two-columns"):
        with gr.Column(elem_classes="narrow"):
            photos = photo_file(words.PHOTOS, "many-photos", height=200, several=True)
            folder = gr.UploadButton(
                words.ADD_FOLDER, file_count="directory", type="filepath", size="sm", elem_id="many-folder"
            )
            weather = weather_choice("many-weather")
            quality = quality_choice("many-quality")
            with gr.Row(elem_classes="buttons"):
                start = gr.Button(words.START, variant="primary", elem_id="many-start", scale=3, min_width=100)
                cancel = gr.Button(words.CANCEL, interactive=False, elem_id="many-cancel", scale=1, min_width=80)
            privacy(events.runner)
        with gr.Column(elem_classes="wide"):
            table = gr.HTML(
                many_actions.nothing_done()[0], js_on_load=scripts.CHOOSE_ROW, elem_id="many-table", padding=False
            )
            with gr.Row(elem_classes="buttons"):
                archive = gr.DownloadButton(words.ZIP, variant="primary", interactive=False, elem_id="many-zip")
                listed = gr.DownloadButton(words.CSV, interactive=False, elem_id="many-csv")
            compared = slider(words.MANY_COMPARED, "many-compared", COMPARED_HEIGHT)
            gallery = gr.Gallery(
                label=words.MANY_RESULTS,
                columns=3,
                height="auto",
                object_fit="contain",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="many-gallery",
            )
    shown = [table, gallery, archive, listed, pairs]
    chosen = table.select(many_actions.compare, [pairs], [compared], **QUIET)
    chosen.success(None, None, None, js=scripts.SCROLL_TO_COMPARED, **QUIET)
    folder.upload(many_actions.add_folder, [photos, folder], [photos], **QUIET)
    begun = start.click(events.begin, None, [start, cancel, compared], **QUIET)
    done = begun.success(
        events.restore_all,
        [photos, weather, quality],
        shown,
        concurrency_limit=2,
        concurrency_id="batches",
        **QUIET,
    )
    done.then(events.end, None, [start, cancel], **QUIET)
    cancel.click(events.cancel, None, [cancel], **QUIET)
    photos.clear(lambda: (*many_actions.nothing_done(), None), None, [*shown, compared], **QUIET)
