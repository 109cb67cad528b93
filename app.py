"""Start the page: `python app.py`, or on Hugging Face as it is."""

import argparse

from app import page
from app.actions import Actions
from app.weather_map import WeatherMap
from opir.restorer import Restorer


def main() -> None:
    """Load the weights and serve the page until interrupted."""
    parser = argparse.ArgumentParser(description="Takes rain, snow and haze out of photos, in the browser.")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--checkpoint", default="lite", help="a shipped name, a path or a hub id (default: lite)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--share", action="store_true", help="also open a public link for 72 hours")
    options = parser.parse_args()
    try:
        restorer = Restorer.from_pretrained(options.checkpoint, device=options.device)
    except ValueError as error:
        parser.error(str(error))
    actions = Actions(restorer, WeatherMap.shipped_with(restorer))
    page.build(actions).queue(max_size=20).launch(
        server_name=options.host, server_port=options.port, share=options.share, **page.launch_options()
    )


if __name__ == "__main__":
    main()
