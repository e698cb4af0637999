#!/usr/bin/env python3
"""Median time of a score matching training step of NCSNv2 in PyTorch, as plain as PyTorch is usually written: the peer
of `ascore-bench step`. Same architecture, batch, loss, Adam and average.

    ncsnv2_step.py [--width 128] [--size 32] [--batch 4] [--threads 2] [--steps 10] [--channels-last]
"""
import argparse
import copy
import math
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


def conv3(i, o, dilation=1, bias=True):
    return nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation, bias=bias)


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
    def __init__(self, c, n):
        super().__init__()
        self.begin, self.norm, self.end = conv3(c, n), InstanceNormPlus(n), conv3(n, c)
        stages = ((n, n, False, 1), (n, 2 * n, True, 1), (2 * n, 2 * n, True, 2), (2 * n, 2 * n, True, 4))
        self.stages = nn.ModuleList(nn.Sequential(Residual(i, o, down, d), Residual(o, o, False, d))
                                    for i, o, down, d in stages)
        self.refine = nn.ModuleList((Refine([2 * n], 2 * n), Refine([2 * n, 2 * n], 2 * n), Refine([2 * n, 2 * n], n),
                                     Refine([n, n], n, end=True)))

    def forward(self, x):
        h, levels = self.begin(2 * x - 1), []
        for stage in self.stages:
            h = stage(h)
            levels.append(h)
        h = self.refine[0](levels[3])
        for i in (1, 2, 3):
            h = self.refine[i](levels[3 - i], h)
        return self.end(F.elu(self.norm(h)))


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("width", 128), ("size", 32), ("channels", 3), ("batch", 4), ("threads", 2), ("steps", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--channels-last", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    network = NCSNv2(a.channels, a.width)
    x = torch.rand(a.batch, a.channels, a.size, a.size)
    if a.channels_last:
        network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9))
    sigmas = torch.exp(torch.linspace(math.log(50), math.log(0.01), 232))

    def step():
        sigma = sigmas[torch.randint(len(sigmas), (a.batch,))].view(-1, 1, 1, 1)
        z = torch.randn_like(x)
        loss = (0.5 * (network(x + sigma * z) + z) ** 2).sum(dim=(1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for p, e in zip(network.parameters(), average.parameters()):
                e.mul_(0.9999).add_(p, alpha=1 - 0.9999)
        return loss.item()

    for _ in range(a.warm_up):
        loss = step()
    times = []
    for _ in range(a.steps):
        start = time.perf_counter()
        loss = step()
        times.append(1e3 * (time.perf_counter() - start))
    count = sum(p.numel() for p in network.parameters())
    print(f"step ms {statistics.median(times):.1f} threads {a.threads} parameters {count} loss {loss:.1f}")


if __name__ == "__main__":
    main()
