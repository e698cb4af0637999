#!/usr/bin/env python3
"""Steps of ascore and of PyTorch side by side, in turns on one machine, so that what else runs there falls on both.

    compare.py ncsnv2/train unet/sample ... [--device cpu|cuda] [--precision f32|bf16] [--variants eager,compile]
               [--turns 5] [--batch N] [--width N] [--threads N] [--json FILE] [--table NAME]
    compare.py --kernels REPORT.json --table NAME

A case is a network (ncsnv2, unet, mlp) and a work (train, adversarial, critic, sample): see peers/steps.py. --json keeps
every line measured, beside those of other cases that FILE already holds, which come into the table too; --table writes the rows between the lines `<!-- NAME -->` and `<!-- /NAME -->` of docs/performance.md,
and --kernels makes them of what `ascore-bench kernels --benchmark_out=REPORT.json` wrote.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import tables

HERE = pathlib.Path(__file__).resolve().parent


def measured(command):
    """The JSON line that a program prints; its own words on stderr if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"compare.py: exit code {done.returncode} of: {' '.join(map(str, command))}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def given(options, *names):
    """The options of those names that were set, as the programs take them."""
    return [word for name in names if (value := getattr(options, name.replace("-", "_"))) for word in (f"--{name}", str(value))]


def ascore_command(options, case):
    network, work = case.split("/")
    adversarial = work in ("adversarial", "critic")
    return [options.ascore_bench, "step", "--network", network, "--work", "train" if work == "adversarial" else work,
            *(["--adversarial"] if adversarial else []), "--device", options.device, "--precision", options.precision,
            *given(options, "batch", "width", "threads", "warm-up", "rounds", "steps")]


def peer_command(options, case, variant):
    return [options.python, HERE / "peers" / "steps.py", case, "--variant", variant, "--device", options.device,
            "--precision", options.precision,
            *given(options, "batch", "width", "threads", "warm-up", "rounds", "steps")]


def compare(options):
    """All lines measured."""
    lines = []
    for case in options.cases:
        by_variant = {"ascore": []}
        for turn in range(options.turns):
            by_variant["ascore"].append(measured(ascore_command(options, case)))
            for variant in options.variants:
                by_variant.setdefault(variant, []).append(measured(peer_command(options, case, variant)))
            times = ", ".join(f"{variant} {found[-1]['ms']:.4g} ms" for variant, found in by_variant.items())
            print(f"{case}, turn {turn + 1}: {times}", file=sys.stderr)
        check_same_work(case, by_variant)
        lines += [line for found in by_variant.values() for line in found]
    return lines


def check_same_work(case, by_variant):
    """A ratio of different networks or batches would be worth nothing."""
    ours = by_variant["ascore"][0]
    for variant, lines in by_variant.items():
        for key in ("case", "batch", "width", "parameters", "threads"):
            if ours["device"] != "cpu" and key == "threads":
                continue
            if lines[0][key] != ours[key]:
                sys.exit(f"compare.py: {case}: {key} is {ours[key]} in ascore and {lines[0][key]} in {variant}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--ascore-bench", default=HERE.parent / "build/dev/benchmarks/ascore-bench", metavar="PATH")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="a Python that has PyTorch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--variants", default="eager", help="of the peers, by commas: eager, compile; none: ascore alone")
    for name, default in (("turns", 5), ("batch", 0), ("width", 0), ("threads", 0), ("warm-up", 3), ("rounds", 5),
                          ("steps", 1)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N")
    parser.add_argument("--kernels", metavar="REPORT.json")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--table", metavar="NAME")
    parser.add_argument("--document", default=HERE.parent / "docs/performance.md", metavar="FILE")
    options = parser.parse_args()
    if bool(options.cases) == bool(options.kernels):
        parser.error("give cases, or --kernels")
    options.variants = [v for v in options.variants.split(",") if v and v != "none"]
    return options


def main():
    options = parse()
    if options.kernels:
        table = tables.kernels_table(json.loads(pathlib.Path(options.kernels).read_text()))
    else:
        lines = compare(options)
        if options.json:
            file = pathlib.Path(options.json)
            lines = tables.with_earlier(lines, json.loads(file.read_text()) if file.exists() else [])
            file.write_text(json.dumps(lines, indent=1) + "\n")
        table = tables.steps_table(tables.by_case(lines))
    print(table, end="")
    if options.table:
        document = pathlib.Path(options.document)
        try:
            document.write_text(tables.fill(document.read_text(), options.table, table))
        except tables.TableError as error:
            sys.exit(f"compare.py: {document}: {error}")


if __name__ == "__main__":
    main()
