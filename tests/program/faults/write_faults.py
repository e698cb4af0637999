#!/usr/bin/env python3
"""Makes every system call by which `ascore` writes fail in turn, by strace's fault injection; and dies there by SIGKILL,
once more for each. A failure must be exit code 8 and one line. Nothing half-written may be left, what was there before must
still be whole, and the same command (--resume for training) must then end in the same bits as if nothing had happened.

    write_faults.py PROGRAM [SCENARIO...]      train resume overwrite overwriterenames sample resample resamplerenames
                                               denoise import; all by default
"""
import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import tempfile
import zipfile

from tiny_run import (call, check_loadable, check_metrics, check_same_end, partial_files, tiny_array, tiny_images,
                      train_words)

# Calls that make, fill, sync, name or remove a file, and the error that each is made to fail with.
FAULTS = {"openat": "ENOSPC", "mkdir": "ENOSPC", "write": "ENOSPC", "fsync": "EIO", "close": "EIO", "rename": "ENOSPC",
          "renameat2": "EIO", "unlink": "EIO", "unlinkat": "EIO"}
TIDYING = ("unlink", "unlinkat")  # the work is done by then: what they fail to remove may stay
KILL = "signal=SIGKILL"
NO_EXCHANGE = ["-e", "inject=renameat2:error=EINVAL"]  # as network file systems answer
STEPS = 2


def cannot_trace():
    """Why faults cannot be injected on this machine; None if they can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=rmdir:error=EPERM", "true"],
                          capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


def calls_that_write(program, words, folder, always):
    """(name, ordinal among the thread's calls of that name) of what a run without further faults writes below `folder`."""
    log = folder / "strace.log"
    prefix = ["strace", "-f", "-qq", "-y", "-s", "256", "-o", str(log), "-e", "trace=" + ",".join(FAULTS), *always]
    code, _, err = call(program, words, prefix)
    if code != 0:
        raise AssertionError(f"without faults: {err.strip()}")
    seen, writing = collections.Counter(), []
    for line in log.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+)\s+(\w+)\((.*)", line)
        if not found:
            continue
        thread, name, arguments = found.groups()
        seen[thread, name] += 1
        only_reads = name == "openat" and "O_CREAT" not in arguments or name == "close" and ".partial>" not in arguments
        fails_anyway = any(f"inject={name}:" in word for word in always)
        if str(folder) in arguments and not only_reads and not fails_anyway:
            writing.append((name, seen[thread, name]))
    log.unlink()
    return writing


def listing(folder):
    """Every path below a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))}


class Scenario:
    """A command that writes below `place`, which is made anew for every fault."""

    owns_folder = True  # and so may remove what a killed process left in it
    always = []         # strace's words for what is wrong with the file system all the time

    def __init__(self, program, folder):
        self.program, self.folder, self.place = program, folder, folder / "place"

    def ascore(self, words):
        code, out, err = call(self.program, words)
        if code != 0:
            raise AssertionError(f"{' '.join(words)}: {err.strip()}")
        return out

    def prepare(self):
        """What is there before the command."""

    def words(self):
        raise NotImplementedError

    def recover(self):
        """What a user does after the failure; must complete the work."""
        self.ascore(self.words())

    def check_end(self):
        raise NotImplementedError

    def check_failed(self, before, after):
        """After a failure that is not a kill, `place` must be as before, or as it is after success."""

    def check_killed(self):
        """What else a user may do after a kill, instead of recover(); leaves `place` as it is."""

    def start(self):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        self.prepare()

    def run(self):
        self.start()
        calls = calls_that_write(self.program, self.words(), self.place, self.always)
        self.check_end()
        codes = collections.Counter()
        for name, ordinal in calls:
            for how in (f"error={FAULTS[name]}", KILL):
                try:
                    codes[self.run_one(name, ordinal, how)] += 1
                except AssertionError as error:
                    raise AssertionError(f"{type(self).__name__}, {name} {ordinal}, {how}: {error}") from error
        return len(calls), codes

    def run_one(self, name, ordinal, how):
        self.start()
        before = listing(self.place)
        code, _, err = call(self.program, self.words(), [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + ",".join(FAULTS), *self.always,
            "-e", f"inject={name}:{how}:when={ordinal}"])
        if how == KILL:
            if code not in (-9, 137):
                raise AssertionError(f"exit code {code} of a killed process")
            self.check_killed()
        else:
            if (code, err) != (0, "") and (code != 8 or err.count("\n") != 1 or not err.startswith("ascore: ")):
                raise AssertionError(f"exit code {code}, stderr {err!r}")
            if name not in TIDYING:
                if left := partial_files(self.place):
                    raise AssertionError(f"left {left}")
                if code != 0:
                    self.check_failed(before, listing(self.place))
        check_loadable(self.program, self.place)
        self.recover()
        self.check_end()
        left = partial_files(self.place)
        if left and self.owns_folder:
            raise AssertionError(f"{left} after the recovery")
        return code


class Train(Scenario):
    """A new run."""

    def __init__(self, program, folder):
        super().__init__(program, folder)
        self.whole = folder / "whole"
        if not self.whole.exists():
            self.ascore(train_words(self.whole, STEPS))

    def words(self):
        return train_words(self.place / "run", STEPS)

    def recover(self):
        self.ascore(self.words() + ["--resume"])

    def check_end(self):
        check_same_end(self.place / "run", self.whole)
        check_metrics(self.place / "run", STEPS)


class Resume(Train):
    """A run that goes on from its first step."""

    def prepare(self):
        self.ascore(train_words(self.place / "run", STEPS) + ["--max-steps", "1"])

    def words(self):
        return train_words(self.place / "run", STEPS) + ["--resume"]

    def recover(self):
        self.ascore(self.words())


class Overwrite(Train):
    """A run in the place of another, which stays until the new one has a checkpoint."""

    def prepare(self):
        self.ascore(train_words(self.place / "run", STEPS) + ["--seed", "5"])

    def words(self):
        return train_words(self.place / "run", STEPS) + ["--overwrite"]

    def recover(self):
        self.ascore(self.words())

    def check_failed(self, before, after):
        if before["run/recipe.toml"] == after["run/recipe.toml"]:
            if before != after:
                raise AssertionError("the old run is no longer whole")
        else:
            self.ascore(train_words(self.place / "run", STEPS) + ["--resume"])
            self.check_end()


    def check_killed(self):
        """--resume goes on with the run that is there, or refuses and says what to do."""
        copy = self.folder / "copy"
        shutil.copytree(self.place / "run", copy)
        code, _, err = call(self.program, ["train", "--resume", "--out", str(copy), "--threads", "1", "--quiet"])
        if code != 0 and (code != 2 or "--overwrite" not in err):
            raise AssertionError(f"--resume of a killed --overwrite: exit code {code}, {err!r}")
        shutil.rmtree(copy)


class OverwriteRenames(Overwrite):
    """The same where the file system cannot exchange two names."""

    always = NO_EXCHANGE


class Sample(Scenario):
    """New samples."""

    def __init__(self, program, folder):
        super().__init__(program, folder)
        self.model = folder / "model"
        if not self.model.exists():
            self.ascore(train_words(self.model, STEPS))
        self.good = folder / "good"
        if not self.good.exists():
            self.ascore(self.draw(self.good, 7))
        self.wanted = listing(self.good)

    def draw(self, out, seed, *more):
        return ["sample", str(self.model), "--out", str(out), "--count", "4", "--quiet", "--threads", "1", "--seed",
                str(seed), *more]

    def words(self):
        return self.draw(self.place / "samples", 7)

    def recover(self):
        self.ascore(self.words() + ["--overwrite"] if (self.place / "samples" / "samples.npz").exists() else self.words())

    def check_end(self):
        if listing(self.place / "samples") != self.wanted:
            raise AssertionError("the samples are not those of a run without faults")

    def check_failed(self, before, after):
        done = {"samples": None} | {f"samples/{name}": data for name, data in self.wanted.items()}
        if after not in (before, done):
            raise AssertionError(f"half a set of samples: {sorted(after)}")


class Resample(Sample):
    """Samples in the place of others."""

    def prepare(self):
        self.ascore(self.draw(self.place / "samples", 8))

    def words(self):
        return self.draw(self.place / "samples", 7, "--overwrite")

    def recover(self):
        self.ascore(self.words())


class ResampleRenames(Resample):
    """The same where the file system cannot exchange two names."""

    always = NO_EXCHANGE


class Denoise(Sample):
    """One array in the place of another."""

    owns_folder = False

    def prepare(self):
        (self.place / "y.npy").write_bytes(b"old")

    def words(self):
        array = self.folder / "x.npy"
        array.write_bytes(tiny_array())
        return ["denoise", str(self.model), "--input", str(array), "--sigma", "0.5", "--output", str(self.place / "y.npy"),
                "--overwrite", "--threads", "1"]

    def recover(self):
        self.ascore(self.words())

    def check_end(self):
        if not (self.place / "y.npy").read_bytes().startswith(b"\x93NUMPY"):
            raise AssertionError("no array was written")

    def check_failed(self, before, after):
        if before != after and not after["y.npy"].startswith(b"\x93NUMPY"):
            raise AssertionError("half an array")


class Import(Scenario):
    """A ready array in the place of another."""

    owns_folder = False

    def prepare(self):
        (self.place / "images.npz").write_bytes(b"old")

    def words(self):
        source = self.folder / "images.npy"
        source.write_bytes(tiny_images())
        return ["data", "import", str(source), "--out", str(self.place / "images.npz"), "--overwrite"]

    def check_end(self):
        with zipfile.ZipFile(self.place / "images.npz") as archive:
            if archive.testzip() is not None or "images.npy" not in archive.namelist():
                raise AssertionError("no array of images was written")

    def check_failed(self, before, after):
        if before != after:
            self.check_end()


SCENARIOS = {kind.__name__.lower(): kind for kind in
             (Train, Resume, Overwrite, OverwriteRenames, Sample, Resample, ResampleRenames, Denoise, Import)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []])
    wanted = options.parse_args()
    if reason := cannot_trace():
        print(f"skipped: faults cannot be injected here: {reason}")
        return
    with tempfile.TemporaryDirectory(prefix="ascore-faults-") as name:
        for scenario in wanted.scenarios or SCENARIOS:
            count, codes = SCENARIOS[scenario](wanted.program, pathlib.Path(name)).run()
            ends = ", ".join(f"{number} times {code}" for code, number in sorted(codes.items()))
            print(f"{scenario}: {count} calls failed, and were killed at; exit codes {ends}")


if __name__ == "__main__":
    main()
