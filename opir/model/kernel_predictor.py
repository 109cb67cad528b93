"""KPN: one base kernel and one set of scale weights for every pixel (Eqs. 9, 14 and 18)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from opir.config import OPIRConfig
from opir.model.blocks import BLOCKS, initialise
from opir.ops.filtering import CENTRE_TAP, TAPS
from opir.ops.shuffle import mix_channels, shuffle_up

UNSHUFFLE = 2
# The head feeds 9 taps at once, so a step of its weights moves a pixel far more than in a network that predicts a
# residual; small outputs keep the optimizer's steps in proportion.
HEAD_SCALE = 0.1


class PredictedKernels(NamedTuple):
    """What the KPN says of every pixel."""

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
        block = BLOCKS[config.block]
        width = config.width
        self.kernel_outputs = config.kernel_channels * TAPS
        self.num_scales = config.num_scales
        self.unshuffle = nn.PixelUnshuffle(UNSHUFFLE)
        self.intro = nn.Conv2d(3 * UNSHUFFLE**2, width, 3, padding=1)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        for count in config.encoder_blocks:
            self.encoders.append(nn.Sequential(*(block(width) for _ in range(count))))
            self.downs.append(nn.Conv2d(width, 2 * width, 2, stride=2))
            width *= 2
        self.middle = nn.Sequential(*(block(width) for _ in range(config.middle_blocks)))
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for count in config.decoder_blocks:
            self.ups.append(nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.PixelShuffle(2)))
            width //= 2
            self.decoders.append(nn.Sequential(*(block(width) for _ in range(count))))
        self.head = nn.Conv2d(width, (self.kernel_outputs + self.num_scales) * UNSHUFFLE**2, 1)
        initialise(self)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        identity = torch.zeros(1, config.kernel_channels, TAPS, 1, 1)
        identity[:, :, CENTRE_TAP] = 1
        self.register_buffer("identity", identity.flatten(1, 2), persistent=False)
        self.identity: Tensor
        self.stride = UNSHUFFLE * 2 ** len(config.encoder_blocks)
        self.reach = self._reach(config)

    @staticmethod
    def _reach(config: OPIRConfig) -> int:
        """Add up, in pixels of the photo, how far each layer looks; strided layers align to their own grid."""
        per_block = BLOCKS[config.block].reach  # type: ignore[attr-defined]
        pixel = UNSHUFFLE
        reach = pixel  # intro
        for encoder, decoder in zip(config.encoder_blocks, reversed(config.decoder_blocks), strict=True):
            reach += (encoder + decoder) * per_block * pixel
            pixel *= 2
        reach += config.middle_blocks * per_block * pixel
        return int(reach + pixel)

    def forward(self, image: Tensor) -> PredictedKernels:
        """Predict kernels and scale weights.

        Args:
            image: (B, 3, H, W), H and W multiples of `stride`; stage 1 sees I, stage 2 sees Ĵ1·UM (Eq. 13).
        """
        return self.read_out(self.features(image))

    def features(self, image: Tensor) -> Tensor:
        """Run the U-Net: (B, 3, H, W) → (B, width, H / 2, W / 2)."""
        features: Tensor = self.intro(self.unshuffle(image))
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            skips.append(features)
            features = down(features)
        features = self.middle(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop())
        return features

    def read_out(self, features: Tensor) -> PredictedKernels:
        """Turn features, or some rows of them, into kernels and scale weights at twice their resolution."""
        assert self.head.bias is not None
        identity = self.identity.flatten().repeat_interleave(UNSHUFFLE**2)
        weight = HEAD_SCALE * self.head.weight.flatten(1)
        bias = HEAD_SCALE * self.head.bias + F.pad(identity, (0, len(weight) - len(identity)))
        outputs = shuffle_up(mix_channels(features.float(), weight, bias))
        kernels, logits = outputs.tensor_split([self.kernel_outputs], dim=1)
        return PredictedKernels(kernels, logits.softmax(dim=1))
