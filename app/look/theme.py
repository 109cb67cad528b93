"""Colours, theme and style sheet of the page: everything that is looks and nothing that is behaviour."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors

from app.look import words
from opir.tasks import Task

TASK_COLOURS = {
    Task.RAIN: "#3b82f6",
    Task.SNOW: "#a78bfa",
    Task.HAZE: "#e0a030",
    Task.CLEAN: "#34a873",
}
"""One colour per weather, readable on the light and on the dark page."""

# Diverging colours of the number grids: blue below zero, orange above, the same distance from the middle.
NEGATIVE_RGB = (37, 99, 235)
POSITIVE_RGB = (234, 112, 20)

SCALE_COLOURS = ("#ff4d6d", "#ffb000", "#12c2e9", "#9be564", "#c77dff", "#ffffff")
"""One colour per distance of the samples, the nearest first, to be seen on any photo."""

CURVE_COLOURS = {words.BY_UNCERTAINTY: "#0b6fc2", words.BY_ERROR: "#34a873", words.BY_CHANCE: "#94a3b8"}

STYLE_SHEET = Path(__file__).with_name("theme.css")

LOGO = """
<svg viewBox="0 0 32 32" width="34" height="34" aria-hidden="true">
  <clipPath id="drop"><path d="M16 2C16 2 6 13 6 20a10 10 0 0 0 20 0C26 13 16 2 16 2Z"/></clipPath>
  <g clip-path="url(#drop)">
    <rect width="16" height="32" fill="#94a3b8"/>
    <rect x="16" width="16" height="32" fill="#0e7fd6"/>
    <path d="M9 17l-2 5M13 13l-2 5M13 21l-2 5" stroke="#e2e8f0" stroke-width="1.4" stroke-linecap="round"/>
    <circle cx="20.5" cy="20.5" r="3" fill="#fbd38d"/>
  </g>
  <path d="M16 3v27" stroke="#fff" stroke-width="1.3"/>
</svg>
"""


def theme() -> gr.themes.Base:
    """Return the page's one theme; light and dark follow the visitor's system."""
    return gr.themes.Base(
        primary_hue=colors.sky,
        secondary_hue=colors.sky,
        neutral_hue=colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        font=("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"),
        font_mono=("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"),
    ).set(
        body_background_fill="#f5f7fa",
        body_background_fill_dark="#0c1118",
        body_text_color="#17202c",
        body_text_color_dark="#e4eaf2",
        body_text_color_subdued="#5a6675",
        body_text_color_subdued_dark="#93a0b3",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#131a24",
        background_fill_secondary="#f0f3f7",
        background_fill_secondary_dark="#18212d",
        border_color_primary="#dfe5ec",
        border_color_primary_dark="#263141",
        block_background_fill="#ffffff",
        block_background_fill_dark="#131a24",
        block_border_width="1px",
        block_border_color="#dfe5ec",
        block_border_color_dark="#263141",
        block_radius="12px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*body_text_color_subdued",
        block_label_text_weight="500",
        block_title_text_weight="600",
        block_title_text_color="*body_text_color",
        button_primary_background_fill="#0b6fc2",
        button_primary_background_fill_hover="#0a5ea6",
        button_primary_background_fill_dark="#0b66b3",
        button_primary_background_fill_hover_dark="#0d75cc",
        button_primary_text_color="#ffffff",
        button_large_radius="10px",
        link_text_color="#0b6fc2",
        link_text_color_dark="#3b9cf0",
        link_text_color_hover="#0a5ea6",
        link_text_color_hover_dark="#6db6f5",
        link_text_color_visited="#0b6fc2",
        link_text_color_visited_dark="#3b9cf0",
        slider_color="#0b6fc2",
        slider_color_dark="#3b9cf0",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="#0b6fc2",
        checkbox_label_background_fill_selected_dark="#0b66b3",
        checkbox_label_text_color_selected="#ffffff",
        checkbox_label_border_color_selected="#0b6fc2",
        checkbox_label_padding="6px 12px",
    )
