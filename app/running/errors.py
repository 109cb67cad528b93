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
    """Turn what can go wrong into one line on the page; the log keeps what the visitor can not act on."""
    try:
        yield
    except (gr.Error, Cancelled):
        raise
    except ValueError as error:  # messages of opir say what was expected; a file's name in them is not HTML
        raise plain_error(html.escape(str(error)), log=False) from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise plain_error(words.OUT_OF_MEMORY) from error
    except Exception as error:
        LOG.exception("a photo could not be restored")
        raise plain_error(words.UNEXPECTED, log=False) from error


def plain_error(text: str, log: bool = True) -> gr.Error:
    """Return an error that stays long enough to be read."""
    return gr.Error(text, title=words.ERROR, duration=20, print_exception=log)


@contextmanager
def value_errors() -> Iterator[None]:
    """Turn what goes wrong with one of many photos into a ValueError of one line, so that the others go on."""
    try:
        yield
    except (Cancelled, ValueError):
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ValueError(words.OUT_OF_MEMORY) from error
    except Exception as error:
        LOG.exception("a photo of a batch could not be restored")
        raise ValueError(words.UNEXPECTED) from error
