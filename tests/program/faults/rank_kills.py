#!/usr/bin/env python3
"""Ends or stops one of 4 ranks of a run at random moments of its training, under mpirun. Every time the job must end by itself, not with
0, within 30 seconds and without a process left; what it saved must be whole; and in the end 2 ranks go on with
--resume and finish the run.

    rank_kills.py PROGRAM [--kills 20] [--seed 1] [--peer-timeout 20]
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time

from mpi_run import call, end_all, left_of, ranks_of, ranks_words, start
from tiny_run import check_loadable, train_words

RANKS, LONGEST = 4, 30  # seconds
ENDLESS = 1_000_000


def hit(program, run, words, how, moments):
    """Starts the job, hits one of its ranks, and waits for its end: the seconds that it took."""
    metrics = run / "metrics.jsonl"
    before = metrics.stat().st_size if metrics.exists() else 0
    process = start(ranks_words(RANKS, program, words))
    try:
        found = ranks_of(process, program, RANKS)
        # ranks watch each other from when they have met: one that is stopped before, MPI waits for
        while process.poll() is None and (not metrics.exists() or metrics.stat().st_size <= before):
            time.sleep(0.02)
        if found is None:
            raise AssertionError(f"ended by itself: {process.communicate()[1]}")
        time.sleep(moments.uniform(0, 3))
        victim, begin = moments.choice(found), time.monotonic()
        os.kill(victim, how)
        try:
            _, err = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{how.name}: the job goes on after {LONGEST} s") from None
        seconds = time.monotonic() - begin
        if process.returncode == 0:
            raise AssertionError(f"{how.name}: the job ended with 0")
        while left := left_of(process):
            if time.monotonic() - begin > LONGEST:
                raise AssertionError(f"{how.name}: processes are left after {LONGEST} s: {left}; {err}")
            time.sleep(0.05)
        return seconds
    finally:
        end_all(process)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--peer-timeout", type=int, default=20)
    wanted = options.parse_args()
    moments = random.Random(wanted.seed)
    with tempfile.TemporaryDirectory(prefix="ascore-rank-kills-") as name:
        run = pathlib.Path(name) / "run"
        words = train_words(run, ENDLESS, 5) + ["--set", "training.preview_every=0", "--resume"]
        job = words + ["--peer-timeout", str(wanted.peer_timeout)]
        waits = {signal.SIGKILL: [], signal.SIGSTOP: []}
        for number in range(wanted.kills):
            how = (signal.SIGKILL, signal.SIGSTOP)[number % 2]
            waits[how].append(hit(wanted.program, run, job, how, moments))
            print(f"{how.name} {waits[how][-1]:.1f} s", flush=True)
            check_loadable(wanted.program, run)
        reached = int((run / "checkpoints" / "latest").read_text().strip()[5:11])
        code, _, err = call(ranks_words(2, wanted.program, words + ["--max-steps", str(reached + 7)]))
        if code != 0:
            raise AssertionError(f"--resume on 2 ranks: exit code {code}: {err}")
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        if [line["step"] for line in lines] != list(range(1, reached + 8)) or lines[-1]["world_size"] != 2:
            raise AssertionError(f"{run}/metrics.jsonl does not hold the steps 1 to {reached + 7} once each")
        longest = ", ".join(f"{how.name} {max(times):.1f} s" for how, times in waits.items() if times)
        print(f"{wanted.kills} of {RANKS} ranks hit, {reached} steps reached; the job had ended after at most: {longest}")


if __name__ == "__main__":
    main()
