"""Weights of a smaller model as the start of a larger one, which first computes the same."""

from torch import Tensor

from opir.model import OPIR


def grow_into(model: OPIR, source: OPIR) -> None:
    """Copy weights of a narrower model into a wider one of the same depth, in place.

    New features are drawn at random and nothing that was there listens to them yet, so the larger model begins with
    the results of the smaller one.

    Args:
        model: the larger one, just created.
        source: the smaller one, with the same blocks, scales and embedding.

    Raises:
        ValueError: if a tensor of the source is larger than the model's, or has no place in it.
    """
    own, given = model.state_dict(), source.state_dict()
    unknown = sorted(given.keys() - own.keys())
    if unknown:
        raise ValueError(f"a model to start from must have the blocks of the run's: {unknown[0]} has no place in it")
    for name, small in given.items():
        large = own[name]
        if small.ndim != large.ndim or any(a > b for a, b in zip(small.shape, large.shape, strict=True)):
            raise ValueError(
                f"a model to start from must not be larger than the run's: {name} is {tuple(small.shape)} there "
                f"and {tuple(large.shape)} here"
            )
        # `condition` is two layers in one: what features are multiplied by, and what is added.
        halves = 2 if name.startswith("kernel_predictor.condition.") else 1
        for part, whole in zip(small.chunk(halves), large.chunk(halves), strict=True):
            _place(part, whole)
    model.load_state_dict(own)


def _place(small: Tensor, large: Tensor) -> None:
    """Write a tensor into the first rows and columns of a larger one, with zeros to the right of it."""
    if small.ndim > 1:
        large[: small.shape[0], small.shape[1] :] = 0
    large[tuple(slice(size) for size in small.shape)] = small
