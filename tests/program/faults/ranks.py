#!/usr/bin/env python3
"""Training and sampling under mpirun beside one process: losses, gradients, bits, samples, a common end, ranks of other
options, a trace; and training with sums by NCCL's interface, which the library LIBRARY offers on the emulated device.

    ranks.py PROGRAM [training] [sampling] [stopping] [differing] [tracing] [by_nccl=LIBRARY]
"""
import array
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

from mpi_run import call, end_all, ranks_of, ranks_words, start
from tiny_run import check_same_end, last_checkpoint, tensors

SMALL = {"score.width": 4, "critic.width": 4, "noise.levels": 6, "training.batch_size": 10, "training.log_every": 1,
         "training.preview_every": 0, "training.held_out_samples": 8, "training.checkpoint_every": 0,
         "training.check_ranks_every": 2}

BUFFERS = ("_u", "_v", ".u", ".v", ".u0", ".sv0")  # vectors of spectral norms, which no optimizer moves


def train(program, ranks, out, precision, steps, **more):
    """Trains adversarial digits; the lines of metrics.jsonl."""
    words = ["train", "digits", "--out", str(out), "--threads", "1", "--quiet", "--precision", precision]
    for key, value in {**SMALL, "training.steps": steps, **more}.items():
        words += ["--set", f"{key}={value}"]
    code, out_text, err = call(ranks_words(ranks, program, words))
    if code != 0 or err.strip() or out_text.strip() != str(last_checkpoint(out)):
        raise AssertionError(f"{ranks} ranks: exit code {code}, stdout {out_text!r}, stderr {err!r}")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    share = 10 // ranks + (10 % ranks > 0)  # of rank 0
    wrong = [line for line in lines if (line["world_size"], line["local_batch"]) != (ranks, share)]
    if wrong or len(lines) != steps:
        raise AssertionError(f"{ranks} ranks: {len(lines)} lines of {steps}, of which tell other ranks: {wrong}")
    return lines


def check_losses(what, found, wanted, tolerance):
    for ours, theirs in zip(found, wanted):
        for key in ("loss", "dsm", "generator", "critic"):
            if abs(ours[key] - theirs[key]) > tolerance * abs(theirs[key]):
                raise AssertionError(f"{what}, step {ours['step']}: {key} {ours[key]!r}, on one rank {theirs[key]!r}")


def first_gradient(program, ranks, folder, player):
    """Of all parameters of "score" or "critic": what one step of plain descent took from them. The rate is so large that
    the parameters' own rounding is none to speak of, and the other player's so small that it stays where it is."""
    run, rates = folder / f"descent-{player}-{ranks}", {"score": 1e-30, "critic": 1e-30, player: 100.0}
    train(program, ranks, run, "f32", 1, **{f"{who}.optimizer.{key}": value for who, rate in rates.items()
                                            for key, value in (("name", "sgd"), ("lr", rate))})
    before, after = (tensors(run / "checkpoints" / f"step-00000{step}.safetensors") for step in (0, 1))
    gradient = {}
    for name, (_, _, data) in before.items():
        if name.startswith(f"{player}.") and not name.endswith(BUFFERS):
            gradient[name] = [(a - b) / rates[player]
                              for a, b in zip(array.array("f", data), array.array("f", after[name][2]))]
    return gradient


def check_gradient(ours, theirs, what):
    largest = max(abs(value) for values in theirs.values() for value in values)
    worst = max(abs(a - b) for name, values in theirs.items() for a, b in zip(ours[name], values))
    if not 0 < largest < 1e6 or worst > 1e-5 * largest:
        raise AssertionError(f"{what}: gradients differ by {worst:.3g}, the largest is {largest:.3g}")
    return worst / largest


def training(program, folder):
    exact = {ranks: train(program, ranks, folder / f"f64-{ranks}", "f64", 50) for ranks in (1, 2, 4)}
    single = {ranks: train(program, ranks, folder / f"f32-{ranks}", "f32", 5) for ranks in (1, 2, 4)}
    for ranks in (2, 4):
        check_losses(f"f64 on {ranks} ranks", exact[ranks], exact[1], 1e-9)
        check_losses(f"f32 on {ranks} ranks", single[ranks], single[1], 1e-3)
    train(program, 4, folder / "again", "f32", 5)
    check_same_end(folder / "again", folder / "f32-4")
    for player in ("score", "critic"):
        alone = first_gradient(program, 1, folder, player)
        for ranks in (2, 4):
            check_gradient(first_gradient(program, ranks, folder, player), alone, f"{player} on {ranks} ranks")


def sampling(program, folder):
    train(program, 1, folder / "run", "f32", 2)
    for count in (10, 70):  # one tile, and three
        for ranks in (1, 3):
            out = folder / f"samples-{count}-{ranks}"
            words = ["sample", str(folder / "run"), "--out", str(out), "--count", str(count), "--seed", "7",
                     "--threads", "1", "--quiet"]
            code, text, err = call(ranks_words(ranks, program, words))
            if code != 0 or text.strip() != str(out / "samples.npz"):
                raise AssertionError(f"{ranks} ranks: exit code {code}, stdout {text!r}, stderr {err!r}")
        for name in ("samples.npz", "samples_plain.npz", "grid.png"):
            ours, theirs = ((folder / f"samples-{count}-{ranks}" / name).read_bytes() for ranks in (3, 1))
            if ours != theirs:
                raise AssertionError(f"{name} of {count} samples differs between 3 ranks and one")


def stopping(program, folder):
    """SIGUSR1, which mpirun passes on to all ranks, and to one rank alone; then 2 ranks go on. An error is said once."""
    run, settings = folder / "run", []
    for key, value in {**SMALL, "training.steps": 1000000}.items():
        settings += ["--set", f"{key}={value}"]
    words = ["train", "digits", "--out", str(run), "--threads", "1", "--quiet", *settings]
    for to_one in (False, True):
        process = start(ranks_words(4, program, words + (["--resume"] if to_one else [])))
        try:
            before = (run / "metrics.jsonl").stat().st_size if to_one else 0
            while process.poll() is None and (not (run / "metrics.jsonl").exists()
                                              or (run / "metrics.jsonl").stat().st_size <= before):
                time.sleep(0.05)
            os.kill(ranks_of(process, program)[2] if to_one else process.pid, signal.SIGUSR1)
            _, err = process.communicate(timeout=60)
        finally:
            end_all(process)
        if process.returncode != 75 or err.count("checkpoint written; go on with --resume") != 1:
            raise AssertionError(f"SIGUSR1: exit code {process.returncode}: {err}")
        step = int(err.split("stopped at step ")[1].split()[0])
        if last_checkpoint(run).name != f"step-{step:06}.safetensors":
            raise AssertionError(f"stopped at step {step}, but the last checkpoint is {last_checkpoint(run)}")
    code, _, err = call(ranks_words(2, program, words + ["--resume", "--max-steps", str(step + 3)]))
    lines = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    if code != 0 or lines != list(range(1, step + 4)):
        raise AssertionError(f"--resume on 2 ranks: exit code {code}, steps {lines}: {err}")
    code, _, err = call(ranks_words(3, program, words))
    if code != 2 or err.count("ascore: rank 0: ") != 1 or err.count("ascore: ") != 1 or "--overwrite" not in err:
        raise AssertionError(f"a folder that exists: exit code {code}: {err}")


def differing(program, folder):
    """Rank 1 is started with other options than rank 0: all refuse, one says in what they differ."""
    settings = [word for key, value in {**SMALL, "training.steps": 3}.items() for word in ("--set", f"{key}={value}")]
    words = ["train", "digits", "--threads", "1", "--quiet", *settings, "--out", str(folder / "run")]
    launcher = ranks_words(2, program, [])[:-3]
    for more, named in ((["--set", "training.batch_size=12"], "training.batch_size = 12, rank 0 training.batch_size = 10"),
                        (["--set", "score.width=8"], "score.width = 8, rank 0 score.width = 4"),
                        (["--seed", "5"], "seed = 5, rank 0 seed = "),
                        (["--max-steps", "2"], "--max-steps = 2, rank 0 --max-steps = none"),
                        (["--precision", "f64"], "--precision = f64, rank 0 --precision = f32")):
        code, _, err = call([*launcher, "-n", "1", program, *words, ":", "-n", "1", program, *words, *more])
        if code != 2 or err.count("ascore: ") != 1 or named not in err or (folder / "run").exists():
            raise AssertionError(f"rank 1 with {more}: exit code {code}: {err}")
    train(program, 1, folder / "run", "f32", 2)
    words = ["sample", str(folder / "run"), "--out", str(folder / "samples"), "--count", "8", "--threads", "1", "--quiet"]
    code, _, err = call([*launcher, "-n", "1", program, *words, ":", "-n", "1", program, *words, "--seed", "5"])
    if code != 2 or err.count("ascore: ") != 1 or "seed = 5" not in err or (folder / "samples").exists():
        raise AssertionError(f"sampling by another seed: exit code {code}: {err}")


def tracing(program, folder):
    """The sum of a bucket of gradients begins while backward has operations left to run."""
    trace, bucket = folder / "trace.json", 25 << 20
    words = ["profile", "gaussians25_plain", "--set", "score.width=2600", "--batch", "8", "--steps", "2", "--threads", "1",
             "--trace", str(trace)]
    code, out, err = call(ranks_words(2, program, words))
    if code != 0 or "batch 4 on each of 2 ranks" not in out:
        raise AssertionError(f"profile on 2 ranks: exit code {code}: {out}{err}")
    spans = [event for event in json.loads(trace.read_text())["traceEvents"] if event["ph"] == "X"]
    operations = [event for event in spans if event["tid"] == 1]
    sums = [event for event in spans if event["tid"] == 2 and event["args"]["bytes"] == bucket]
    backwards = [event for event in operations if event["name"] == "backward"]
    if len(backwards) != 2 or len(sums) != 4:  # a step has two buckets of 25 MiB, and a smaller one
        raise AssertionError(f"{len(backwards)} backward passes and {len(sums)} sums of {bucket} bytes")
    for backward, of_step in zip(backwards, (sums[:2], sums[2:])):
        end = backward["ts"] + backward["dur"]
        inner = [event for event in operations if backward["ts"] < event["ts"] and event["ts"] + event["dur"] <= end]
        last = max(event["ts"] + event["dur"] for event in inner)
        beside = [one for one in of_step if backward["ts"] < one["ts"] < last]
        if not beside or any(one["dur"] <= 0 for one in of_step):
            raise AssertionError(f"no sum begins between {backward['ts']} and {last}: {of_step}")


def by_nccl(program, folder, library):
    """A run on the emulated device whose sums go by NCCL, from captured steps, has the bits of one whose sums go over MPI:
    both add in the order of ranks. A library that is not there ends all ranks with 6, and one line."""
    runs = {}
    for sums, variable in (("mpi", ""), ("nccl", library)):
        run = runs[sums] = folder / sums
        words = ["train", "gaussians25", "--device", "simt", "--out", str(run), "--threads", "1", "--quiet"]
        for key, value in {**SMALL, "sampling.step_size": 0.0, "training.steps": 4, "training.log_every": 2}.items():
            words += ["--set", f"{key}={value}"]
        code, _, err = call(ranks_words(2, program, words), ASCORE_NCCL=variable, STANDIN_NCCL_LOG=str(folder / f"calls-{sums}"))
        if code != 0 or err.strip():
            raise AssertionError(f"sums by {sums}: exit code {code}: {err}")
    check_same_end(runs["nccl"], runs["mpi"])
    calls = [(folder / f"calls-nccl.{rank}").read_text().splitlines() for rank in (0, 1)]
    if calls[0] != calls[1] or calls[0][-1] != "destroy" or sum("all_reduce" in line for line in calls[0]) < 12:
        raise AssertionError(f"calls of the ranks: {calls}")
    if list(folder.glob("calls-mpi*")):
        raise AssertionError("sums over MPI have gone by NCCL")
    code, out, err = call(ranks_words(2, program, [*words[:4], "--out", str(folder / "none")]), ASCORE_NCCL="/nowhere/nccl.so")
    lines = [line for line in err.splitlines() if line.startswith("ascore: ")]
    if code != 6 or len(lines) != 1 or "/nowhere/nccl.so" not in lines[0] or (folder / "none").exists():
        raise AssertionError(f"without a library: exit code {code}: {err}")


def main():
    program, *wanted = sys.argv[1:]
    arguments = dict(word.partition("=")[::2] for word in wanted)
    for part in (training, sampling, stopping, differing, tracing, by_nccl):
        if part.__name__ not in arguments and (part is by_nccl or arguments):
            continue
        more = [arguments[part.__name__]] if part is by_nccl else []
        with tempfile.TemporaryDirectory(prefix="ascore-ranks-") as name:
            part(program, pathlib.Path(name), *more)


if __name__ == "__main__":
    main()
