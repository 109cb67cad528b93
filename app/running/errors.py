"""What can go wrong, as one plain line for the visitor."""

import html
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import torch

from app.look import words
from app.server.presence import Cancelled

LOG = logging.getLogger(__name__)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what can go wrong into one line on the page."""
    try:
        with value_errors():
            yield
    except ValueError as error:  # messages of opir say what was expected; a file's name in them is not HTML
        raise plain_error(html.escape(str(error))) from error


@contextmanager
def value_errors() -> Iterator[None]:
    """Turn what can go wrong into a ValueError of one line; the log keeps what the visitor can not act on."""
    try:
        yield
    except (gr.Error, Cancelled, ValueError):
        raise
    except Exception as error:
        LOG.exception("a photo could not be restored")
        no_memory = isinstance(error, (MemoryError, torch.OutOfMemoryError))
        raise ValueError(words.OUT_OF_MEMORY if no_memory else words.UNEXPECTED) from error


def plain_error(text: str) -> gr.Error:
    """Return an error that stays long enough to be read, and that Gradio does not print."""
    return gr.Error(text, title=words.ERROR, duration=20, print_exception=False)
