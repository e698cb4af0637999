#!/usr/bin/env python3
"""PyTorch's scaled_dot_product_attention at the shapes of a report of `ascore-bench kernels`, forward and
backward, one JSON line per row of the report with the ratio of the times (above 1: ascore is faster).

    attention.py --kernels REPORT.json [--rounds 30]
"""
import argparse
import json
import pathlib
import statistics
import time

import torch
from torch.nn import functional as F


def seconds(work, device, flush):
    """Once: on cuda between events, with the level 2 cache emptied before, as ascore-bench measures."""
    if device == "cpu":
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    flush.zero_()
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) * 1e-3


def works(operation, shape, dtype, device):
    """The forward pass, or the backward pass alone."""
    q, k, v, dy = (torch.randn(shape, dtype=dtype, device=device)[:, None] for _ in range(4))
    if operation == "attention_forward":
        return lambda: F.scaled_dot_product_attention(q, k, v)
    for x in (q, k, v):
        x.requires_grad_()
    y = F.scaled_dot_product_attention(q, k, v)
    return lambda: torch.autograd.grad(y, (q, k, v), dy, retain_graph=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", required=True, metavar="REPORT.json")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    report = json.loads(pathlib.Path(options.kernels).read_text())
    device = report["context"]["device"]
    torch.set_num_threads(int(report["context"]["threads"]))
    flush = torch.empty(256 << 20, dtype=torch.uint8, device=device) if device == "cuda" else None
    for row in report["benchmarks"]:
        operation, _, shape, dtype = row["name"].removesuffix("/manual_time").split("/")[:4]
        if not operation.startswith("attention") or "median_us" not in row:
            continue
        shape = [int(n) for n in shape.split("x")]
        work = works(operation, shape, torch.bfloat16 if dtype == "bf16" else torch.float32, device)
        for _ in range(3):
            work()
        us = 1e6 * statistics.median(seconds(work, device, flush) for _ in range(options.rounds))
        print(json.dumps({"program": "pytorch", "version": torch.__version__, "name": row["name"], "median_us": us,
                          "ascore_us": row["median_us"], "ratio": us / row["median_us"]}))


if __name__ == "__main__":
    main()
