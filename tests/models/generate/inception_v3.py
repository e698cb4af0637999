#!/usr/bin/env python3
"""Reference numbers of Inception-V3's FID variant: tests/data/golden/inception_v3.safetensors. Needs torch and numpy.

    tests/models/generate/inception_v3.py OUT.safetensors

The network is computed by PyTorch in f64, from a table of its convolutions and with weights and a picture that a formula
makes (`drawn` below; tests/models/inception_weights.hpp has the same one), so that the file holds results alone:
features [2048], logits [1008], and how many names its state_dict has, with the CRC-32 of their list.
"""
import argparse
import pathlib
import sys
import zlib

import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))
from pth_to_safetensors import write_safetensors  # noqa: E402

MIX = [(30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)]
GOLDEN_GAMMA = 0x9E3779B97F4A7C15


def drawn(name, count):
    """`count` numbers in [-1, 1): splitmix64 of the place, seeded by the name's CRC-32, its upper 24 bits."""
    z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(zlib.crc32(name.encode()) << 32)) * np.uint64(GOLDEN_GAMMA)
    for shift, factor in MIX:
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1


def tensor(name, shape, middle, spread):
    values = middle + spread * drawn(name, int(np.prod(shape)))
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)


class Network:
    """Draws each convolution's tensors when it is first used, and notes their names."""

    def __init__(self):
        self.names = []

    def conv(self, x, name, out, window=(1, 1), stride=1, padding=None):
        inputs = x.shape[1]
        bound = (6 / (inputs * window[0] * window[1])) ** 0.5
        weight = tensor(f"{name}.conv.weight", (out, inputs, *window), 0, bound)
        gamma, beta = tensor(f"{name}.bn.weight", (out,), 1, 0.2), tensor(f"{name}.bn.bias", (out,), 0, 0.1)
        mean = tensor(f"{name}.bn.running_mean", (out,), 0, 0.1)
        variance = tensor(f"{name}.bn.running_var", (out,), 1, 0.3)
        self.names += [f"{name}.{leaf}" for leaf in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")]
        padding = tuple((side - 1) // 2 for side in window) if padding is None else padding
        y = F.conv2d(x, weight, stride=stride, padding=padding)
        return F.relu(F.batch_norm(y, mean, variance, gamma, beta, training=False, eps=0.001))

    def chain(self, x, block, *steps):
        for name, *rest in steps:
            x = self.conv(x, f"{block}.{name}", *rest)
        return x

    @staticmethod
    def mean(x):
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)

    def a(self, x, block, pooled):
        return torch.cat([self.chain(x, block, ("branch1x1", 64)),
                          self.chain(x, block, ("branch5x5_1", 48), ("branch5x5_2", 64, (5, 5))),
                          self.chain(x, block, ("branch3x3dbl_1", 64), ("branch3x3dbl_2", 96, (3, 3)),
                                     ("branch3x3dbl_3", 96, (3, 3))),
                          self.chain(self.mean(x), block, ("branch_pool", pooled))], 1)

    def b(self, x, block):
        return torch.cat([self.chain(x, block, ("branch3x3", 384, (3, 3), 2, 0)),
                          self.chain(x, block, ("branch3x3dbl_1", 64), ("branch3x3dbl_2", 96, (3, 3)),
                                     ("branch3x3dbl_3", 96, (3, 3), 2, 0)),
                          F.max_pool2d(x, 3, stride=2)], 1)

    def c(self, x, block, width):
        row, column = (1, 7), (7, 1)
        return torch.cat([self.chain(x, block, ("branch1x1", 192)),
                          self.chain(x, block, ("branch7x7_1", width), ("branch7x7_2", width, row),
                                     ("branch7x7_3", 192, column)),
                          self.chain(x, block, ("branch7x7dbl_1", width), ("branch7x7dbl_2", width, column),
                                     ("branch7x7dbl_3", width, row), ("branch7x7dbl_4", width, column),
                                     ("branch7x7dbl_5", 192, row)),
                          self.chain(self.mean(x), block, ("branch_pool", 192))], 1)

    def d(self, x, block):
        return torch.cat([self.chain(x, block, ("branch3x3_1", 192), ("branch3x3_2", 320, (3, 3), 2, 0)),
                          self.chain(x, block, ("branch7x7x3_1", 192), ("branch7x7x3_2", 192, (1, 7)),
                                     ("branch7x7x3_3", 192, (7, 1)), ("branch7x7x3_4", 192, (3, 3), 2, 0)),
                          F.max_pool2d(x, 3, stride=2)], 1)

    def e(self, x, block, pool):
        once = self.chain(x, block, ("branch3x3_1", 384))
        twice = self.chain(x, block, ("branch3x3dbl_1", 448), ("branch3x3dbl_2", 384, (3, 3)))
        return torch.cat([self.chain(x, block, ("branch1x1", 320)),
                          self.chain(once, block, ("branch3x3_2a", 384, (1, 3))),
                          self.chain(once, block, ("branch3x3_2b", 384, (3, 1))),
                          self.chain(twice, block, ("branch3x3dbl_3a", 384, (1, 3))),
                          self.chain(twice, block, ("branch3x3dbl_3b", 384, (3, 1))),
                          self.chain(pool(x), block, ("branch_pool", 192))], 1)

    def forward(self, x):
        x = F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
        x = self.conv(2 * x - 1, "Conv2d_1a_3x3", 32, (3, 3), 2, 0)
        x = self.conv(x, "Conv2d_2a_3x3", 32, (3, 3), 1, 0)
        x = F.max_pool2d(self.conv(x, "Conv2d_2b_3x3", 64, (3, 3)), 3, stride=2)
        x = self.conv(self.conv(x, "Conv2d_3b_1x1", 80), "Conv2d_4a_3x3", 192, (3, 3), 1, 0)
        x = F.max_pool2d(x, 3, stride=2)
        for block, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            x = self.a(x, block, pooled)
        x = self.b(x, "Mixed_6a")
        for block, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
            x = self.c(x, block, width)
        x = self.d(x, "Mixed_7a")
        x = self.e(x, "Mixed_7b", self.mean)
        x = self.e(x, "Mixed_7c", lambda image: F.max_pool2d(image, 3, stride=1, padding=1))
        features = x.mean((2, 3))
        weight, bias = tensor("fc.weight", (1008, 2048), 0, 0.05), tensor("fc.bias", (1008,), 0, 0.1)
        self.names += ["fc.weight", "fc.bias"]
        return features, F.linear(features, weight, bias)


def main():
    options = argparse.ArgumentParser(description="Reference numbers of Inception-V3's FID variant.")
    options.add_argument("out", type=pathlib.Path)
    out = options.parse_args().out
    network = Network()
    picture = tensor("picture", (1, 3, 40, 29), 0.5, 0.5)
    with torch.no_grad():
        features, logits = network.forward(picture)
    names = "\n".join(sorted(network.names))
    metadata = {"names": str(len(network.names)), "names_crc32": f"{zlib.crc32(names.encode()):08x}",
                "torch": torch.__version__}
    write_safetensors(out, {"features": features[0].float(), "logits": logits[0].float()}, metadata)
    print(f"{out}: features of mean {features.mean():.6g} and spread {features.std():.6g}, logits of spread {logits.std():.6g}")


if __name__ == "__main__":
    main()
