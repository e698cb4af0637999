"""The networks of ascore in PyTorch, as plain as PyTorch is usually written: NCSNv2 (Song & Ermon 2020), the UNet of DDPM,
the MLPs of the plane, the BigGAN critic; and what the shipped recipes set around them. NCHW."""
import dataclasses
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def conv3(i, o, dilation=1, bias=True, stride=1):
    return nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation, bias=bias, stride=stride)


# NCSNv2 ---------------------------------------------------------------------------------------------------------------


class InstanceNormPlus(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.alpha, self.gamma = nn.Parameter(1 + 0.02 * torch.randn(c)), nn.Parameter(1 + 0.02 * torch.randn(c))
        self.beta = nn.Parameter(torch.zeros(c))

    def forward(self, x):
        means = x.mean(dim=(2, 3))
        spread = (means - means.mean(dim=1, keepdim=True)) / torch.sqrt(means.var(dim=1, keepdim=True) + 1e-5)
        h = F.instance_norm(x) + (self.alpha * spread)[..., None, None]
        return self.gamma[:, None, None] * h + self.beta[:, None, None]


class MeanPoolConv(nn.Module):
    def __init__(self, i, o, kernel):
        super().__init__()
        self.conv = nn.Conv2d(i, o, kernel, padding=kernel // 2)

    def forward(self, x):
        y = self.conv(x)
        return (y[:, :, ::2, ::2] + y[:, :, 1::2, ::2] + y[:, :, ::2, 1::2] + y[:, :, 1::2, 1::2]) / 4


class Residual(nn.Module):
    def __init__(self, i, o, down=False, dilation=1):
        super().__init__()
        middle = i if down else o
        self.norm1, self.norm2 = InstanceNormPlus(i), InstanceNormPlus(middle)
        self.conv1 = conv3(i, middle, dilation)
        if down and dilation == 1:
            self.conv2, self.shortcut = MeanPoolConv(middle, o, 3), MeanPoolConv(i, o, 1)
        else:
            self.conv2 = conv3(middle, o, dilation)
            self.shortcut = conv3(i, o, dilation) if down else nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.elu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(F.elu(self.norm2(h)))


class ConvUnits(nn.Module):
    def __init__(self, c, blocks):
        super().__init__()
        self.blocks = nn.ModuleList(nn.ModuleList(conv3(c, c, bias=False) for _ in range(2)) for _ in range(blocks))

    def forward(self, x):
        for block in self.blocks:
            h = x
            for conv in block:
                h = conv(F.elu(h))
            x = x + h
        return x


class Refine(nn.Module):
    def __init__(self, inputs, out, end=False):
        super().__init__()
        self.adapt = nn.ModuleList(ConvUnits(c, 2) for c in inputs)
        self.fuse = nn.ModuleList(conv3(c, out) for c in inputs) if len(inputs) > 1 else None
        self.pool = nn.ModuleList(conv3(out, out, bias=False) for _ in range(2))
        self.output = ConvUnits(out, 3 if end else 1)

    def forward(self, *inputs):
        hs = [adapt(x) for adapt, x in zip(self.adapt, inputs)]
        if self.fuse:
            size = inputs[0].shape[2:]
            h = sum(F.interpolate(conv(x), size=size, mode="bilinear", align_corners=True)
                    for conv, x in zip(self.fuse, hs))
        else:
            h = hs[0]
        h = path = F.elu(h)
        for conv in self.pool:
            path = conv(F.max_pool2d(path, 5, 1, 2))
            h = h + path
        return self.output(h)


class NCSNv2(nn.Module):
    def __init__(self, width, channels=3):
        super().__init__()
        n = width
        self.begin, self.norm, self.end = conv3(channels, n), InstanceNormPlus(n), conv3(n, channels)
        stages = ((n, n, False, 1), (n, 2 * n, True, 1), (2 * n, 2 * n, True, 2), (2 * n, 2 * n, True, 4))
        self.stages = nn.ModuleList(nn.Sequential(Residual(i, o, down, d), Residual(o, o, False, d))
                                    for i, o, down, d in stages)
        self.refine = nn.ModuleList((Refine([2 * n], 2 * n), Refine([2 * n, 2 * n], 2 * n), Refine([2 * n, 2 * n], n),
                                     Refine([n, n], n, end=True)))

    def forward(self, x, sigma):
        h, levels = self.begin(2 * x - 1), []
        for stage in self.stages:
            h = stage(h)
            levels.append(h)
        h = self.refine[0](levels[3])
        for i in (1, 2, 3):
            h = self.refine[i](levels[3 - i], h)
        return self.end(F.elu(self.norm(h)))


# UNet -----------------------------------------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, c, eps=1e-6)
        self.query, self.key, self.value, self.out = (nn.Linear(c, c) for _ in range(4))

    def forward(self, x):
        n, c, h, w = x.shape
        rows = self.norm(x).flatten(2).transpose(1, 2)[:, None]  # one head
        mixed = F.scaled_dot_product_attention(self.query(rows), self.key(rows), self.value(rows))
        return x + self.out(mixed)[:, 0].transpose(1, 2).reshape(n, c, h, w)


class UNetBlock(nn.Module):
    def __init__(self, i, o, groups):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, i, eps=1e-6), nn.GroupNorm(groups, o, eps=1e-6)
        self.conv1, self.conv2 = conv3(i, o), conv3(o, o)
        self.shortcut = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class UNet(nn.Module):
    """Unconditional, as the CIFAR-10 recipes have it: attention at the second level and in the middle. The two layers of
    the level embedding, which it does not use, stand in the original and here, for equal parameters."""

    def __init__(self, width, channels=3, multipliers=(1, 2, 2, 2), attention=(1,), groups=32):
        super().__init__()
        groups = min(groups, width)  # narrow trials
        unit = lambda i, o, attend: nn.Sequential(UNetBlock(i, o, groups), *[Attention(o, groups)] * attend)
        self.embedding = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width))
        self.embedding.requires_grad_(False)
        self.begin, skips, h = conv3(channels, width), [width], width
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, multiple in enumerate(multipliers):
            for _ in range(2):
                self.down.append(unit(h, multiple * width, level in attention))
                h = multiple * width
                skips.append(h)
            if level + 1 < len(multipliers):
                self.down.append(conv3(h, h, stride=2))
                skips.append(h)
        self.middle = nn.Sequential(unit(h, h, True), unit(h, h, False))
        for level in reversed(range(len(multipliers))):
            for _ in range(3):
                self.up.append(unit(h + skips.pop(), multipliers[level] * width, level in attention))
                h = multipliers[level] * width
            if level:
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv3(h, h)))
        self.norm, self.end = nn.GroupNorm(groups, h, eps=1e-6), conv3(h, channels)

    def forward(self, x, sigma):
        h = self.begin(x)
        skips = [h]
        for block in self.down:
            h = block(h)
            skips.append(h)
        h = self.middle(h)
        for block in self.up:
            h = block(h) if isinstance(block[0], nn.Upsample) else block(torch.cat((h, skips.pop()), dim=1))
        return self.end(F.silu(self.norm(h)))


# The plane ------------------------------------------------------------------------------------------------------------


def layers(i, width, o):
    act = nn.LeakyReLU
    return nn.Sequential(nn.Linear(i, width), act(), nn.Linear(width, width), act(), nn.Linear(width, width), act(),
                         nn.Linear(width, o))


class MLP(nn.Module):
    """Conditional: sigma is an input."""

    def __init__(self, width):
        super().__init__()
        self.net = layers(3, width, 2)

    def forward(self, x, sigma):
        return self.net(torch.cat((x, sigma.view(-1, 1)), dim=1))


class MLPCritic(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = layers(2, width, 1)

    def forward(self, x):
        return self.net(x).view(-1)


# The critic of images -------------------------------------------------------------------------------------------------


class CriticBlock(nn.Module):
    def __init__(self, i, o, down, first):
        super().__init__()
        self.down, self.first = down, first
        self.conv1, self.conv2 = spectral_norm(conv3(i, o)), spectral_norm(conv3(o, o))
        self.shortcut = spectral_norm(nn.Conv2d(i, o, 1)) if i != o or down else nn.Identity()

    def forward(self, x):
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.down:
            return h + self.shortcut(x)
        s = self.shortcut(F.avg_pool2d(x, 2)) if self.first else F.avg_pool2d(self.shortcut(x), 2)
        return F.avg_pool2d(h, 2) + s


class BigGANCritic(nn.Module):
    def __init__(self, width, channels=3):
        super().__init__()
        c = 4 * width
        self.blocks = nn.Sequential(CriticBlock(channels, c, True, True), CriticBlock(c, c, True, False),
                                    CriticBlock(c, c, False, False), CriticBlock(c, c, False, False))
        self.linear = spectral_norm(nn.Linear(c, 1))

    def forward(self, x):
        return self.linear(F.relu(self.blocks(x)).sum(dim=(2, 3))).view(-1)


# What a case is made of -----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Setting:
    """A network with its critic, sample shape, noise levels and learning, as the shipped recipes have them. Adam of
    PyTorch takes no negative beta1, which the critics of the recipes have: 0 costs the same."""
    network: type
    critic: type
    sample: tuple
    sigma_begin: float
    levels: int
    batch: int
    width: int
    critic_width: int
    rate: float
    decay: float
    critic_steps: int
    generator_weight: float
    clamp: bool
    betas: tuple = (0.9, 0.999)
    critic_betas: tuple = (0.0, 0.9)

    def sigmas(self):
        return torch.exp(torch.linspace(math.log(self.sigma_begin), math.log(0.01), self.levels))


SETTINGS = {
    "ncsnv2": Setting(NCSNv2, BigGANCritic, (3, 32, 32), 50, 232, 128, 128, 64, 1e-4, 0.9999, 1, 1, True),
    "unet": Setting(UNet, BigGANCritic, (3, 32, 32), 50, 232, 128, 128, 64, 1e-4, 0.9999, 2, 1, True),
    "mlp": Setting(MLP, MLPCritic, (2,), 4, 60, 256, 256, 128, 2e-3, 0.999, 1, 0.1, False),
}
