"""Start the page: `python app.py`, or on Hugging Face as it is. docs/reliability.md lists what can be set."""

import argparse
from dataclasses import replace

from app.server.settings import Settings


def main() -> None:
    """Load the weights and serve the page until interrupted."""
    parser = argparse.ArgumentParser(
        description="Takes rain, snow and haze out of photos, in the browser.",
        epilog="Every setting is also an environment variable; python -m app.server.settings lists them all.",
    )
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--checkpoint", help="a shipped name, a path or a hub id (default: lite)")
    parser.add_argument("--device", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--share", action="store_true", help="also open a public link for 72 hours")
    options = vars(parser.parse_args())
    share = options.pop("share")
    try:
        given = {name: value for name, value in options.items() if value is not None}
        settings = replace(Settings.from_environment(), **given)
        from app.serve import serve  # the settings are checked before a second is spent on imports

        serve(settings, share)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
