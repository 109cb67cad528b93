"""One file of the corpus of bad input."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A file of the corpus."""

    file_format: str
    """That of the sound photo that it was made from, or "other"."""
    mutation: str
    """What was done to it."""
    name: str
    """Its file name; may hold whatever a file system takes."""
    data: bytes
