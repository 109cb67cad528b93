"""Tables of a Markdown page that are made from results: each stands between `<!-- name -->` and `<!-- /name -->`."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

_MARKED = re.compile(r"(<!-- (?P<name>[\w-]+) -->\n)(?P<table>.*?)(<!-- /(?P=name) -->)", re.DOTALL)


def filled(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with these tables made anew; what stands between other markers is left alone."""

    def fill(match: re.Match[str]) -> str:
        table = tables.get(match["name"])
        return match[0] if table is None else match[1] + table() + match[4]

    return _MARKED.sub(fill, text)


def names_in(text: str) -> set[str]:
    """Return which tables a page has markers for."""
    return {match["name"] for match in _MARKED.finditer(text)}


def renew(pages: Iterable[Path], renewed: Callable[[str], str], command: str, about: str | None) -> None:
    """Write pages whose tables are out of date; with --check on the command line write none, and exit with 1 for any.

    Args:
        pages: Markdown files.
        renewed: makes a page's text anew.
        command: that does this, `python -m` left out.
        about: what the command says of itself.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if a page is out of date")
    texts = {page: (page.read_text(), renewed(page.read_text())) for page in pages}
    stale = {page: made for page, (there, made) in texts.items() if made != there}
    if parser.parse_args().check and stale:
        names = ", ".join(page.name for page in stale)
        raise SystemExit(f"out of date: {names}; run python -m {command}")
    for page, made in stale.items():
        page.write_text(made)
