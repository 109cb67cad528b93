"""The photos that the page offers, and their results, which were made beforehand."""

from app.examples.examples import Examples

__all__ = ["Examples"]
