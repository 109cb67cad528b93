"""Muon: momentum made orthogonal (Jordan et al. 2024), for the inner convolutions; AdamW elsewhere."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

_MOMENTUM = 0.95
# Quintic Newton–Schulz iteration: five steps bring every singular value near 1 (Jordan et al. 2024).
_STEPS, _COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)
# Makes an update as large as one of Adam's usually is, so that both can share a learning rate (Liu et al. 2025).
_UPDATE_SIZE = 0.2


def orthogonalise(matrices: Tensor) -> Tensor:
    """Return matrices (..., m, n) with about the same singular vectors and singular values between 0.7 and 1.2.

    Each step multiplies with a polynomial of the Gram matrix, so only that small one is iterated.
    """
    first, third, fifth = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    wide: Tensor = matrices.mT if tall else matrices
    wide = wide / (wide.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
    gram = wide @ wide.mT
    total = identity = torch.eye(gram.shape[-1], device=matrices.device)
    for _ in range(_STEPS):
        polynomial = first * identity + (third * gram + fifth * gram @ gram)
        total = polynomial @ total
        gram = polynomial @ gram @ polynomial
    result = total @ wide
    return result.mT if tall else result


def _is_inner_convolution(name: str, parameter: Tensor) -> bool:
    """Tell whether weights map features to features; those of pixels or kernels train better with Adam."""
    return (
        parameter.ndim == 4
        and min(parameter.shape[:2]) > 1
        and not any(part in name for part in (".intro.", ".head.", ".corners."))
    )


class Muon(AdamW):
    """AdamW for most parameters, orthogonal momentum for the convolutions between features.

    All directions of an update have the same size, so rare ones (a faint streak) are learned sooner than with Adam.
    """

    def __init__(
        self, parameters: Iterable[tuple[str, nn.Parameter]], lr: float, matrix_lr: float, weight_decay: float = 0.0
    ) -> None:
        """Sort the parameters by name and shape.

        Args:
            parameters: (name, parameter), as `named_parameters` lists them.
            lr: of AdamW's parameters.
            matrix_lr: of the convolutions.
            weight_decay: of AdamW's parameters.
        """
        named = list(parameters)
        matrices = [parameter for name, parameter in named if _is_inner_convolution(name, parameter)]
        others = [parameter for name, parameter in named if not _is_inner_convolution(name, parameter)]
        groups: list[dict[str, Any]] = [
            {"params": others, "orthogonal": False},
            {"params": matrices, "orthogonal": True, "lr": matrix_lr},
        ]
        super().__init__(groups, lr=lr, betas=(0.9, 0.999), weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; closures are not supported."""
        assert closure is None
        gradients: dict[Tensor, Tensor] = {}
        for group in self.param_groups:
            if group["orthogonal"]:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        gradients[parameter], parameter.grad = parameter.grad, None
                self._update_matrices(gradients, float(group["lr"]))
        super().step()
        for parameter, gradient in gradients.items():
            parameter.grad = gradient

    def _update_matrices(self, gradients: dict[Tensor, Tensor], rate: float) -> None:
        """Update matrices of one shape together, because starting many small products is slow on a GPU."""
        by_shape: dict[tuple[int, ...], list[Tensor]] = {}
        for parameter in gradients:
            by_shape.setdefault(tuple(parameter.shape), []).append(parameter)
        for parameters in by_shape.values():
            given = [gradients[parameter] for parameter in parameters]
            momenta = [self._momentum(parameter) for parameter in parameters]
            torch._foreach_lerp_(momenta, given, 1 - _MOMENTUM)
            mixed = torch._foreach_lerp(given, momenta, _MOMENTUM)
            updates = orthogonalise(torch.stack(mixed).flatten(2))
            size = _UPDATE_SIZE * max(updates.shape[1:]) ** 0.5
            updates = updates.view(len(parameters), *parameters[0].shape)
            torch._foreach_add_(parameters, list(updates.unbind()), alpha=-rate * size)

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["step"] = torch.zeros(())  # AdamW looks for one when a state is restored
            state["momentum"] = torch.zeros_like(parameter)
        momentum: Tensor = state["momentum"]
        return momentum
