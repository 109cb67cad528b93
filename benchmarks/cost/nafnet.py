"""NAFNet of width 32 (Chen et al. 2022), with random weights: the yardstick that times are divided by."""

import torch
from torch import Tensor, nn

from opir.model.blocks import ChannelNorm

ENCODER, MIDDLE, DECODER = (2, 2, 4, 8), 12, (2, 2, 2, 2)


class _Gate(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        first, second = features.chunk(2, dim=1)
        return first * second


class _ChannelAttention(nn.Module):
    """SCA: multiplies channels by a mix of their means over the whole picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        scales: Tensor = self.mix(features.mean(dim=(2, 3), keepdim=True))
        return features * scales


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = nn.Sequential(
            ChannelNorm(width),
            nn.Conv2d(width, 2 * width, 1),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width),
            _Gate(),
            _ChannelAttention(width),
            nn.Conv2d(width, width, 1),
        )
        self.channel = nn.Sequential(
            ChannelNorm(width), nn.Conv2d(width, 2 * width, 1), _Gate(), nn.Conv2d(width, width, 1)
        )
        self.gains = nn.Parameter(torch.zeros(2, width, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        features = features + self.gains[0] * self.spatial(features)
        change: Tensor = self.channel(features)
        return features + self.gains[1] * change


class NAFNet(nn.Module):
    """29 M parameters, 16 GMACs at 256×256: the denoising size of its paper. H and W are multiples of 16."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.intro, self.ending = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        for count in ENCODER:
            self.encoders.append(nn.Sequential(*(_Block(width) for _ in range(count))))
            self.downs.append(nn.Conv2d(width, 2 * width, 2, stride=2))
            width *= 2
        self.middle = nn.Sequential(*(_Block(width) for _ in range(MIDDLE)))
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for count in DECODER:
            self.ups.append(nn.Sequential(nn.Conv2d(width, 2 * width, 1, bias=False), nn.PixelShuffle(2)))
            width //= 2
            self.decoders.append(nn.Sequential(*(_Block(width) for _ in range(count))))

    def forward(self, picture: Tensor) -> Tensor:
        """Restore (B, 3, H, W)."""
        features = self.intro(picture)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            skips.append(encoder(features))
            features = down(skips[-1])
        features = self.middle(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop())
        restored: Tensor = self.ending(features) + picture
        return restored
