"""Borrowing a GPU where one is lent by the call (Hugging Face's ZeroGPU); elsewhere this does nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

try:
    import spaces
except ImportError:
    spaces = None

Function = TypeVar("Function", bound=Callable[..., Any])


def on_gpu(seconds: Callable[..., int]) -> Callable[[Function], Function]:
    """Run a function with a borrowed GPU for at most `seconds` of its arguments."""

    def borrow(function: Function) -> Function:
        if spaces is None:
            return function
        borrowing: Function = spaces.GPU(duration=seconds)(function)
        return borrowing

    return borrow
