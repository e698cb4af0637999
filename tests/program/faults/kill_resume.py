#!/usr/bin/env python3
"""Kills an adversarial run with SIGKILL at random moments and resumes it each time. After every kill all files ending in
.safetensors must be loadable; in the end all tensors must equal those of the uninterrupted run, and metrics.jsonl must
hold every step once.

    kill_resume.py PROGRAM [--kills 10] [--seed 1]
"""
import argparse
import pathlib
import random
import subprocess
import tempfile
import time

from tiny_run import (ENVIRONMENT, call, check_loadable, check_metrics, check_same_end, last_checkpoint, partial_files,
                      train_words)

CHECKPOINT_EVERY = 2  # so that many kills hit the writing of one


def killed(program, words, seconds):
    """Starts the program and kills it after `seconds`; False if it had ended by itself."""
    process = subprocess.Popen([program, *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode != 0:
        raise AssertionError(f"exit code {process.returncode}: {err.decode().strip()}")
    return False


def step_of(run):
    try:
        return int(last_checkpoint(run).stem.removeprefix("step-"))
    except FileNotFoundError:
        return None  # killed before the first checkpoint


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    program, moments = wanted.program, random.Random(wanted.seed)
    steps = 60 * wanted.kills

    with tempfile.TemporaryDirectory(prefix="ascore-kill-") as name:
        folder = pathlib.Path(name)
        begin = time.monotonic()
        code, _, err = call(program, train_words(folder / "whole", steps, CHECKPOINT_EVERY))
        if code != 0:
            raise AssertionError(f"the uninterrupted run: {err.strip()}")
        seconds = time.monotonic() - begin

        run, kills, rounds, unfinished_files, early = folder / "killed", 0, 1, 0, 0
        words = train_words(run, steps, CHECKPOINT_EVERY) + ["--resume"]
        longest = 2 * seconds / wanted.kills
        while kills < wanted.kills:
            if killed(program, words, moments.uniform(0, longest)):
                kills += 1
                unfinished_files += bool(partial_files(run)) if run.exists() else 0
                early += step_of(run) is None
                if run.exists():
                    check_loadable(program, run)
            else:  # finished before all kills were spent: compared, and begun anew
                check_same_end(run, folder / "whole")
                run = folder / f"killed-{rounds}"
                rounds += 1
                words = train_words(run, steps, CHECKPOINT_EVERY) + ["--resume"]
        code, _, err = call(program, words)
        if code != 0:
            raise AssertionError(f"the last resumption: {err.strip()}")
        check_same_end(run, folder / "whole")
        check_metrics(run, steps)
        if left := partial_files(run):
            raise AssertionError(f"the finished run still holds {left}")
        print(f"{kills} kills of a run of {steps} steps ({seconds:.1f} s uninterrupted), {rounds} run(s): {early} before "
              f"the first checkpoint, {unfinished_files} amid the writing of a file; all ended in the same bits")


if __name__ == "__main__":
    main()
