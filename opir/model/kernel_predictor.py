"""KPN: one base kernel and one set of scale weights for every pixel (Eqs. 9, 14 and 18)."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from opir.config import OPIRConfig
from opir.model.blocks import block_named, initialise, reach_of
from opir.ops.filtering import CENTRE_TAP, TAPS
from opir.ops.shuffle import mix_channels, shuffle_up
from opir.ops.window import Window

UNSHUFFLE = 2
# One weight of the head acts on 9 taps, so a step of the optimizer changes a pixel far more than in a network that
# predicts a residual. This factor makes up for it.
HEAD_FACTOR = 0.1


class PredictedKernels(NamedTuple):
    """What the KPN predicts for every pixel."""

    kernels: Tensor
    """K, (B, C·9, H, W): an identity kernel plus what was predicted."""
    scale_weights: Tensor
    """α, (B, S, H, W), a softmax over S."""


class KernelPredictor(nn.Module):
    """A U-Net on the 2× pixel-unshuffled image whose head is shuffled back to full resolution.

    No operation looks at the whole image, so `reach` bounds what an output pixel depends on.
    """

    def __init__(self, config: OPIRConfig) -> None:
        super().__init__()
        block = block_named(config.block)
        widths = [min(config.width * 2**depth, config.max_width) for depth in range(len(config.encoder_blocks) + 1)]
        self.kernel_outputs = config.kernel_channels * TAPS
        self.num_scales = config.num_scales
        self.unshuffle = nn.PixelUnshuffle(UNSHUFFLE)
        self.intro = nn.Conv2d(3 * UNSHUFFLE**2, config.width, 3, padding=1)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        for count, (fine, coarse) in zip(config.encoder_blocks, pairwise(widths), strict=True):
            self.encoders.append(nn.Sequential(*(block(fine) for _ in range(count))))
            self.downs.append(nn.Conv2d(fine, coarse, 2, stride=2))
        self.condition = (
            nn.Linear(config.embedding_dim, 2 * widths[-1])
            if config.task_aware and config.conditioned_predictor
            else None
        )
        self.extremes = nn.Conv2d(6, widths[-1], 1) if config.cell_extremes else None
        self.middle = nn.Sequential(*(block(widths[-1]) for _ in range(config.middle_blocks)))
        self.smooth = config.smooth_maps
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for count, coarse, fine in zip(config.decoder_blocks, widths[:0:-1], widths[-2::-1], strict=True):
            self.ups.append(_smooth_up(coarse, fine) if self.smooth else _shuffled_up(coarse, fine))
            self.decoders.append(nn.Sequential(*(block(fine) for _ in range(count))))
        outputs = self.kernel_outputs + self.num_scales
        self.head = nn.Conv2d(config.width, outputs * (1 if self.smooth else UNSHUFFLE**2), 1)
        # The four pixels of a feature differ only by its detail, so that even areas get even maps.
        self.corners = nn.Conv2d(config.width, outputs * UNSHUFFLE**2, 1, bias=False) if self.smooth else None
        initialise(self)
        if self.condition is not None:
            nn.init.zeros_(self.condition.weight)
        if self.extremes is not None:
            nn.init.zeros_(self.extremes.weight)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        if self.corners is not None:
            nn.init.zeros_(self.corners.weight)
        identity = torch.zeros(config.kernel_channels, TAPS)
        identity[:, CENTRE_TAP] = 1
        self.register_buffer("identity", identity.flatten(), persistent=False)
        self.identity: Tensor
        self.stride = UNSHUFFLE * 2 ** len(config.encoder_blocks)
        self.reach = self._reach(config)
        per_block = reach_of(config.block)
        self.decoder_reaches = [count * per_block for count in config.decoder_blocks]

    @staticmethod
    def _reach(config: OPIRConfig) -> int:
        """Add up, in pixels of the photo, how far each layer looks; strided layers align to their own grid."""
        per_block = reach_of(config.block)
        pixel = UNSHUFFLE
        reach = pixel  # intro
        if config.smooth_maps:
            reach += pixel  # the detail that the head is given
        for encoder, decoder in zip(config.encoder_blocks, reversed(config.decoder_blocks), strict=True):
            reach += (encoder + decoder) * per_block * pixel
            pixel *= 2
            if config.smooth_maps:
                reach += pixel  # what enlarging blends
        reach += config.middle_blocks * per_block * pixel
        return int(reach + pixel)

    def forward(self, image: Tensor, task_embedding: Tensor | None = None) -> PredictedKernels:
        """Predict kernels and scale weights.

        Args:
            image: (B, 3, H, W), H and W multiples of `stride`; stage 1 sees I, stage 2 sees Ĵ1·UM (Eq. 13).
            task_embedding: e_t, (B, D) or (1, D); needed by a conditioned predictor only.
        """
        return self.read_out(self.features(image, task_embedding))

    def features(self, image: Tensor, task_embedding: Tensor | None = None) -> Tensor:
        """Return all that the head reads: (B, 3, H, W) → (B, F, H / 2, W / 2).

        F is the width or, with `smooth_maps`, four times the width.
        """
        whole = Window(0, 0, *image.shape[-2:])
        return self.with_detail(*self.decode(image, task_embedding), whole)

    def decode(
        self, image: Tensor, task_embedding: Tensor | None = None, wanted: Window | None = None
    ) -> tuple[Tensor, Window]:
        """Run the U-Net: its features, (B, width, h / 2, w / 2), and which part of the image they are of.

        Args:
            image: as for `forward`.
            task_embedding: as for `forward`.
            wanted: the part of the image that is needed, of even bounds. The decoder leaves out what
                no wanted pixel depends on: for a tile and its surroundings more than a third.
        """
        features: Tensor = self.intro(self.unshuffle(image))
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            skips.append(features)
            features = down(features)
        if self.extremes is not None:
            # Haze brightens the darkest pixels around a place, which convolutions do not find easily.
            features = features + self.extremes(self._extremes(image))
        if self.condition is not None:
            # How thick haze is, and the colour of its light, can only be seen in the whole photo.
            assert task_embedding is not None
            factor, offset = self.condition(task_embedding)[:, :, None, None].to(features.dtype).chunk(2, dim=1)
            features = torch.addcmul(features, factor, features) + offset
        features = self.middle(features)
        place = Window(0, 0, *image.shape[-2:])
        if wanted is None:
            for up, decoder in zip(self.ups, self.decoders, strict=True):
                features = decoder(up(features) + skips.pop())
            return features, place
        pixel = self.stride
        for up, decoder, (coarse, fine) in zip(self.ups, self.decoders, self._needed(wanted, place), strict=True):
            features = up(coarse.within(place).shrunk(pixel).of(features))
            pixel //= 2
            features = fine.within(coarse).shrunk(pixel).of(features)
            features = decoder(features + fine.shrunk(pixel).of(skips.pop()))
            place = fine
        return features, place

    def _extremes(self, image: Tensor) -> Tensor:
        """Return the darkest and brightest of each colour around each coarsest feature: (B, 6, H, W) / stride.

        Reductions take a tenth of the time of a pooling layer, because channels are last in memory.
        """
        side = self.stride // 2 if self.smooth else self.stride
        rows = image.permute(0, 2, 3, 1).unflatten(2, (-1, side))  # type: ignore[no-untyped-call]
        cells = rows.unflatten(1, (-1, side))
        extremes = torch.cat([-cells.amin(dim=2).amin(dim=3), cells.amax(dim=2).amax(dim=3)], dim=3)
        extremes = extremes.permute(0, 3, 1, 2)
        if self.smooth:  # cells of twice the side, so that neighbouring cells overlap by half
            extremes = F.max_pool2d(extremes, 4, stride=2, padding=1)
        darkest, brightest = extremes.chunk(2, dim=1)
        return torch.cat([-darkest, brightest], dim=1)

    def with_detail(self, features: Tensor, place: Window, part: Window) -> Tensor:
        """Return what the head reads of a part of the image: features and, with `smooth_maps`, their surroundings.

        That is how a feature differs from the mean of the 3×3 features around it, and how much features change over a
        quarter of their distance, to the right and down. It is four times as much, so it is made row by row.

        Args:
            features: as `decode` returns them.
            place: likewise.
            part: of the image, of even bounds, within what `decode` was asked for.

        Returns:
            (B, F, rows / 2, columns / 2)
        """
        if not self.smooth:
            return part.within(place).shrunk(UNSHUFFLE).of(features)
        around = part.grown(UNSHUFFLE, place.bottom, place.right)
        seen, inner = around.within(place).shrunk(UNSHUFFLE).of(features), part.within(around).shrunk(UNSHUFFLE)
        mean = F.avg_pool2d(seen, 3, stride=1, padding=1, count_include_pad=False)
        right, down = (_change_along(seen, dim) for dim in (3, 2))
        return torch.cat([inner.of(one) for one in (seen, seen - mean, right, down)], dim=1)

    def _needed(self, wanted: Window, whole: Window) -> list[tuple[Window, Window]]:
        """Return for each decoder, coarsest first, the part of the coarser features that it reads, and its own part.

        A decoder sees zeros beyond its own part. That is right at the border of the photo, and elsewhere so far away
        that no wanted feature depends on it.
        """
        needed, pixel = [], UNSHUFFLE
        blended = 1 if self.smooth else 0  # neighbouring features that detail and enlarging read
        wanted = wanted.grown(blended * pixel, whole.bottom, whole.right)
        for reach in reversed(self.decoder_reaches):
            fine = wanted.grown(reach * pixel, whole.bottom, whole.right)
            pixel *= 2
            wanted = fine.aligned(pixel).grown(blended * pixel, whole.bottom, whole.right)
            needed.append((wanted, fine))
        return needed[::-1]

    def read_out(self, features: Tensor) -> PredictedKernels:
        """Turn features, or some rows of them, into kernels and scale weights at twice their resolution."""
        outputs = shuffle_up(mix_channels(features.float(), *self.head_weights()))
        kernels, logits = outputs[:, : self.kernel_outputs], outputs[:, self.kernel_outputs :]
        return PredictedKernels(kernels, logits.softmax(dim=1))

    def head_weights(self) -> tuple[Tensor, Tensor]:
        """Return the head as a matrix (4·(C·9 + S), F) and a bias with the identity; corners run fastest."""
        assert self.head.bias is not None
        identity = self.identity.repeat_interleave(UNSHUFFLE**2)
        weight, bias = self.head.weight.flatten(1), self.head.bias
        if self.corners is not None:
            shared = weight.repeat_interleave(UNSHUFFLE**2, dim=0)
            # A pixel's centre lies a quarter of the features' distance from that of its feature: ramps get no steps.
            to_right = shared * torch.tensor([-1, 1, -1, 1], device=weight.device).repeat(len(weight))[:, None]
            down = shared * torch.tensor([-1, -1, 1, 1], device=weight.device).repeat(len(weight))[:, None]
            weight = torch.cat([shared, self.corners.weight.flatten(1), to_right, down], dim=1)
            bias = bias.repeat_interleave(UNSHUFFLE**2)
        return HEAD_FACTOR * weight, HEAD_FACTOR * bias + F.pad(identity, (0, len(weight) - len(identity)))


def _change_along(features: Tensor, dim: int) -> Tensor:
    """Return how much features change over a quarter of their distance, from both neighbours; the border repeats."""
    size = features.shape[dim]
    before, after = features.narrow(dim, 0, 1), features.narrow(dim, size - 1, 1)
    edged = torch.cat([before, features, after], dim=dim)
    return (edged.narrow(dim, 2, size) - edged.narrow(dim, 0, size)) / 8


def _shuffled_up(coarse: int, fine: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(coarse, 4 * fine, 1), nn.PixelShuffle(2))


def _smooth_up(coarse: int, fine: int) -> nn.Sequential:
    """Mix channels, then enlarge bilinearly: separate weights for a feature's four pixels would show as a grid."""
    return nn.Sequential(nn.Conv2d(coarse, fine, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
