#!/usr/bin/env python3
"""Steps of ascore and of PyTorch side by side, in turns on one machine, so that what else runs there falls on both.

    compare.py ncsnv2/train unet/sample ... [--device cpu|cuda] [--precision f32|bf16] [--variants eager,compile]
               [--turns 5] [--batch N] [--width N] [--threads N] [--json FILE] [--table NAME]
    compare.py --kernels REPORT.json ... [--shapes OPERATION] [--table NAME]
    compare.py --attention LINES [--table NAME]

A case is a network (ncsnv2, unet, mlp) and a work (train, adversarial, critic, sample): see peers/steps.py. --json keeps
every line measured, beside those of other cases that FILE already holds, which come into the table too; it is written
after every turn, so that a run that is stopped keeps what it measured. --table writes the rows between the lines
`<!-- NAME -->` and `<!-- /NAME -->` of docs/performance.md. --kernels makes them of what `ascore-bench kernels
--benchmark_out=REPORT.json` wrote, reports together, a row per operation, or with --shapes a row per shape of those
whose names begin so; --attention of what peers/attention.py printed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import tables

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = ("ncsnv2", "unet", "mlp")
WORKS = ("train", "adversarial", "critic", "sample")


def refuse(what):
    """What the caller gave is wrong: one line, exit code 2."""
    print(f"compare.py: {what}", file=sys.stderr)
    sys.exit(2)


def measured(command):
    """The JSON line that a program prints; its own words on stderr if it fails."""
    words = " ".join(map(str, command))
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        sys.exit(f"compare.py: cannot run {words}: {error.strerror}")
    if done.returncode != 0:
        sys.exit(f"compare.py: exit code {done.returncode} of: {words}")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        sys.exit(f"compare.py: no JSON line from: {words}")


def read_json(path):
    """What a file of ours holds."""
    try:
        return json.loads(pathlib.Path(path).read_text())
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    except json.JSONDecodeError as error:
        refuse(f"{path}: no JSON: {error}")


def write_whole(path, text):
    """The file as it was, or all of `text`, whenever this is stopped."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text)
    os.replace(partial, path)


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


def compare(options, keep):
    """Measures all cases; keep(lines) is told of all lines so far after every turn."""
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
            keep(lines + [line for found in by_variant.values() for line in found])
        lines += [line for found in by_variant.values() for line in found]


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
    parser.add_argument("--kernels", nargs="+", metavar="REPORT.json")
    parser.add_argument("--shapes", metavar="OPERATION")
    parser.add_argument("--attention", metavar="LINES")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--table", metavar="NAME")
    parser.add_argument("--document", default=HERE.parent / "docs/performance.md", metavar="FILE")
    options = parser.parse_intermixed_args()
    if sum(map(bool, (options.cases, options.kernels, options.attention))) != 1:
        parser.error("give cases, or --kernels, or --attention")
    for case in options.cases:
        network, _, work = case.partition("/")
        if network not in NETWORKS or work not in WORKS:
            refuse(f"no case '{case}'; a case is one of {', '.join(NETWORKS)}, then /, then one of {', '.join(WORKS)}")
    for name, least in (("turns", 1), ("rounds", 1), ("steps", 1), ("warm_up", 0), ("batch", 0), ("width", 0), ("threads", 0)):
        if getattr(options, name) < least:
            refuse(f"--{name.replace('_', '-')} {getattr(options, name)}: at least {least}")
    options.variants = [v for v in options.variants.split(",") if v and v != "none"]
    return options


def write_table(options, table):
    if not options.table:
        return
    document = pathlib.Path(options.document)
    try:
        write_whole(document, tables.fill(document.read_text(), options.table, table))
    except tables.TableError as error:
        refuse(f"{document}: {error}")


def compare_steps(options):
    file = pathlib.Path(options.json) if options.json else None
    earlier = read_json(file) if file and file.exists() else []
    table = ""

    def keep(lines):
        nonlocal table
        lines = tables.with_earlier(lines, earlier)
        table = tables.steps_table(tables.by_case(lines))
        if file:
            write_whole(file, json.dumps(lines, indent=1) + "\n")
        write_table(options, table)

    compare(options, keep)
    return table


def main():
    options = parse()
    try:
        if options.kernels:
            report = tables.merged([read_json(path) for path in options.kernels])
            table = tables.shapes_table(report, options.shapes) if options.shapes else tables.kernels_table(report)
        elif options.attention:
            table = tables.attention_table(pathlib.Path(options.attention).read_text().splitlines())
        else:
            table = compare_steps(options)
    except tables.TableError as error:
        refuse(error)
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    print(table, end="")
    if options.kernels or options.attention:
        write_table(options, table)


if __name__ == "__main__":
    main()
