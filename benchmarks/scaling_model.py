#!/usr/bin/env python3
"""A model of data-parallel training: step time, throughput and efficiency from 1 to 1,024 GPUs. It computes; it measures
nothing. docs/scaling.md has the table and says which of its numbers were measured.

    scaling_model.py [--step-ms 15] [--batch 128] [--parameters 29694083] [--bucket-mb 25] [--gpus-per-node 8]
                     [--nvlink-gbs 360] [--network-gbits 400] [--table FILE]

Every GPU keeps its batch (weak scaling), so its step without communication takes --step-ms whatever the number of GPUs.
Gradients are f32. An all-reduce of G bytes over n GPUs of a node and m nodes is a reduce-scatter in the node, a ring
between equal places of the nodes, each with its own network card, and an all-gather in the node:

    seconds(G) = 2 (n-1)/n G / nvlink + 2 (m-1)/m (G/n) / network + latency (2 (n-1) a + 2 (m-1) b)

with a ring over the m nodes, or a tree (2 ceil(log2 m) b instead of 2 (m-1) b, and the same bytes twice as slow at
worst), whichever is faster. Buckets become ready evenly over backward, two thirds of the step, and follow one another;
what has not ended with backward is exposed: at least the last bucket.
"""
import argparse
import math
import pathlib
import sys

import tables

GPUS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
NVLINK_LATENCY, NETWORK_LATENCY = 3e-6, 8e-6  # seconds a hop, of launches and protocols: assumed
BACKWARD_SHARE = 2 / 3                        # of a step: backward is two products for each one of forward


def all_reduce_seconds(size, gpus, nodes, nvlink, network):
    """Of `size` bytes over `gpus` of each of `nodes` nodes; rates in bytes per second and GPU."""
    inside = 2 * (gpus - 1) / gpus * size / nvlink + 2 * (gpus - 1) * NVLINK_LATENCY
    if nodes == 1:
        return inside
    piece = size / gpus
    ring = 2 * (nodes - 1) / nodes * piece / network + 2 * (nodes - 1) * NETWORK_LATENCY
    tree = 4 * piece / network + 2 * math.ceil(math.log2(nodes)) * NETWORK_LATENCY
    return inside + min(ring, tree)


def exposed_seconds(step, buckets, one_bucket):
    """How long the step waits for its buckets: bucket i is ready when (i+1)/buckets of backward have passed."""
    backward, free = BACKWARD_SHARE * step, 0.0
    for i in range(buckets):
        free = max(free, (i + 1) / buckets * backward) + one_bucket
    return max(0.0, free - backward)


def scaled_step(gpus, options):
    """Seconds of a step on so many GPUs, and of its all-reduces."""
    step, size = options.step_ms * 1e-3, 4 * options.parameters
    if gpus == 1:
        return step, 0.0
    per_node = min(gpus, options.gpus_per_node)
    buckets = max(1, math.ceil(size / (options.bucket_mb * 1e6)))
    one = all_reduce_seconds(size / buckets, per_node, gpus // per_node, options.nvlink_gbs * 1e9,
                             options.network_gbits / 8 * 1e9)
    return step + exposed_seconds(step, buckets, one), buckets * one


def table(options):
    rows = ["| GPUs | nodes | global batch | all-reduces | step | images/s | efficiency |",
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    alone, _ = scaled_step(1, options)
    for gpus in GPUS:
        step, reduces = scaled_step(gpus, options)
        nodes = max(1, gpus // options.gpus_per_node)
        rows.append(f"| {gpus} | {nodes} | {gpus * options.batch} | {reduces * 1e3:.2f} ms | {step * 1e3:.2f} ms | "
                    f"{gpus * options.batch / step:,.0f} | {alone / step:.1%} |")
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step-ms", type=float, default=15.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--parameters", type=int, default=29694083)
    parser.add_argument("--bucket-mb", type=float, default=25.0)
    parser.add_argument("--gpus-per-node", type=int, default=8)
    parser.add_argument("--nvlink-gbs", type=float, default=360.0)
    parser.add_argument("--network-gbits", type=float, default=400.0)
    parser.add_argument("--table", type=pathlib.Path, help="a document: its table `scaling-model` is written anew")
    options = parser.parse_args()
    for name in ("step_ms", "batch", "parameters", "bucket_mb", "gpus_per_node", "nvlink_gbs", "network_gbits"):
        if getattr(options, name) <= 0:
            sys.exit(f"scaling_model.py: --{name.replace('_', '-')}: must be above 0")
    text = table(options)
    if options.table:
        options.table.write_text(tables.fill(options.table.read_text(), "scaling-model", text))
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
