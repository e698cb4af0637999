#!/usr/bin/env python3
"""The experiments of docs/results.md: recipes trained with and without a critic from several seeds, each swept over
samplers and step sizes from one sampling seed.

    experiments.py OUT EXPERIMENT... [--ascore PATH] [--seeds 1,2,3] [--threads N] [--table] [--document FILE]

OUT keeps every run and sweep: what is there already is not computed again, and a run that was stopped goes on. --table
writes each experiment's rows between the lines `<!-- NAME -->` and `<!-- /NAME -->` of docs/results.md.
"""
import argparse
import csv
import dataclasses
import pathlib
import statistics
import subprocess
import sys

import tables

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Experiment:
    recipe: str         # as shipped; NAME_plain is the same without a critic
    settings: tuple     # --set of training
    steps_per_level: str  # n_sigma
    count: int          # samples per setting


EXPERIMENTS = {
    "gaussians25": Experiment("gaussians25", (), "1,5", 1000),
    "swissroll": Experiment("swissroll", (), "1,5", 1000),
    "digits": Experiment("digits", ("training.steps=1500",), "1", 448),
}
SAMPLING_SEED = 7


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        sys.exit(f"experiments.py: {' '.join(str(part) for part in command)}: exit {done.returncode}: "
                 f"{said[-1] if said else 'nothing was said'}")


def train_and_sweep(args, experiment, recipe, seed):
    """The rows of the sweep of one trained run."""
    folder = args.out / f"{recipe}-{seed}"
    swept = folder / "sweep" / "sweep.csv"
    common = ["--threads", args.threads, "--quiet"]
    if not swept.exists():
        train = [args.ascore, "train", recipe, "--out", folder, "--seed", seed, *common]
        for setting in experiment.settings:
            train += ["--set", setting]
        run(train + (["--resume"] if (folder / "recipe.toml").exists() else []))
        run([args.ascore, "sweep", folder, "--out", folder / "sweep", "--overwrite", "--n-sigma",
             experiment.steps_per_level, "--count", experiment.count, "--seed", SAMPLING_SEED, *common])
    with open(swept, newline="") as file:
        return list(csv.DictReader(file))


def best(rows, sampler, n_sigma, sample):
    """The least distance over step sizes."""
    metric = list(rows[0])[-1]
    return min(float(row[metric]) for row in rows
               if (row["sampler"], row["n_sigma"], row["sample"]) == (sampler, n_sigma, sample))


def spread(values):
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.4f}"


def table(experiment, sweeps):
    """A row per training and setting of the sampler; `sweeps` maps a recipe to the sweeps of its seeds."""
    rows = []
    for recipe, of_seeds in sweeps.items():
        training = "plain" if recipe.endswith("_plain") else "adversarial"
        for sampler in ("cas", "als"):
            for n_sigma in experiment.steps_per_level.split(","):
                cells = [spread([best(sweep, sampler, n_sigma, sample) for sweep in of_seeds])
                         for sample in ("plain", "denoised")]
                rows.append([training, f"{sampler.upper()}, n_sigma {n_sigma}", *cells])
    return tables.markdown(["training", "sampler", "without the denoising step", "with it"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("experiments", metavar="EXPERIMENT", nargs="+", choices=list(EXPERIMENTS),
                        help=", ".join(EXPERIMENTS))
    parser.add_argument("--ascore", type=pathlib.Path, default=HERE.parent / "build/cpu/tools/ascore", metavar="PATH")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--table", action="store_true", help="fill the tables of the document")
    parser.add_argument("--document", type=pathlib.Path, default=HERE.parent / "docs/results.md", metavar="FILE")
    args = parser.parse_args()
    if not args.ascore.exists():
        sys.exit(f"experiments.py: {args.ascore}: no such program; build it (README), or name it by --ascore")
    for name in args.experiments:
        experiment = EXPERIMENTS[name]
        sweeps = {recipe: [train_and_sweep(args, experiment, recipe, seed) for seed in args.seeds]
                  for recipe in (experiment.recipe, experiment.recipe + "_plain")}
        rows = table(experiment, sweeps)
        print(f"{name}\n{rows}", flush=True)
        if args.table:
            try:
                args.document.write_text(tables.fill(args.document.read_text(), name, rows))
            except (OSError, tables.TableError) as error:
                sys.exit(f"experiments.py: {args.document}: {error}")


if __name__ == "__main__":
    main()
