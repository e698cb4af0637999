#!/usr/bin/env python3
"""Mutation test of the kernels: are the tests and the emulator's checks good enough to notice a missing barrier?

Makes copies of the .cu files (and of the headers with device code that they include) in which one barrier, bound or
mask is gone, compiles the emulated device's object of one operation against the copy, links the kernel tests with it
and runs that operation's tests on simt. A mutant is caught if a test fails, crashes or hangs. The source tree and the
build folder's own files stay as they are.

  tests/mutation/run.py BUILD                  2 bounds and 2 masks of each file, all barriers
  tests/mutation/run.py BUILD --per-kind 100   all of them
  tests/mutation/run.py BUILD --only fill/fill.cu:bound --only core/reduce.hpp:barrier

Prints a table (Markdown) and ends with 1 if fewer than --at-least of the mutants were caught.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
from mutants import KINDS, choose, mutants_of

SOURCE = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'#include "(kernels/[^"]+)"')
DEFINITION = re.compile(r"^(?:(?:__device__|__global__|inline|void)[^;=]*?\b(\w+)\(|(?:struct|class) (\w+))", re.M)
TIMEOUT = 300


def included(path, seen):
    """All files of kernels/ that `path` includes."""
    for name in INCLUDE.findall((SOURCE / path).read_text()):
        if name not in seen:
            seen.add(name)
            included(name, seen)
    return seen


class Build:
    """How an existing build folder compiles and links the kernel tests."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        lines = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", "ascore_tests_kernels"],
                               capture_output=True, text=True, check=True).stdout.splitlines()
        self.compile = {}
        for line in lines:
            found = re.search(r"-o (kernels/\S*/simt/(\S+)\.cu\.cpp\.o) -c", line)
            if found:
                self.compile[found.group(2)] = (line, found.group(1))
        self.link = next(line for line in reversed(lines) if "-o tests/ascore_tests_kernels" in line)

    def compile_against(self, overlay, unit, to):
        line, usual = self.compile[unit]
        line = line.replace("-I", f"-I{overlay} -I", 1).replace("-Werror", "-w").replace(usual, str(to))
        return self.run(line)

    def link_with(self, object_file, to):
        return self.run(self.link.replace("-o tests/ascore_tests_kernels", f"{object_file} -o {to}"))

    def run(self, command):
        return subprocess.run(command, shell=True, cwd=self.folder, capture_output=True, text=True,
                              env=dict(os.environ, CCACHE_DISABLE="1"))


def run_tests(program, tests):
    """None if they pass, else what caught the mutant."""
    environment = dict(os.environ, ASCORE_TEST_DEVICES="simt", OMP_WAIT_POLICY="passive")
    for test in tests:
        try:
            done = subprocess.run([program, "--filenames-as-tags", f"[#{test}]", "--abort", "-w", "NoTests"],
                                  capture_output=True, text=True, timeout=TIMEOUT, env=environment)
        except subprocess.TimeoutExpired:
            return "hang"
        if done.returncode < 0:
            return "crash"
        if done.returncode:
            words = " ".join(done.stdout.split())
            for sign, check in (("out of bounds", "bounds check"), ("read-only", "bounds check"), ("a race", "race check"),
                                ("uninitialised", "initialisation check"), ("misaligned", "alignment check"),
                                ("divergent", "barrier check"), ("no thread of the block can go on", "deadlock check"),
                                ("mbarrier", "asynchrony check"), ("wgmma", "asynchrony check")):
                if sign in words:
                    return check
            return "wrong numbers"
    return None


def judge(build, mutant, units, tests_of):
    """What becomes of a mutant: tries the .cu files that include it, one by one, until a test of theirs fails."""
    with tempfile.TemporaryDirectory(prefix="ascore-mutant-") as folder:
        overlay = Path(folder) / "overlay"
        copy = overlay / mutant.file
        copy.parent.mkdir(parents=True)
        copy.write_text(mutant.text)
        for unit in units:
            object_file, program = Path(folder) / "unit.o", Path(folder) / "tests"
            if build.compile_against(overlay, unit, object_file).returncode:
                return "does not compile"
            linked = build.link_with(object_file, program)
            if linked.returncode:
                raise RuntimeError(linked.stderr)
            verdict = run_tests(program, tests_of[unit])
            if verdict:
                return verdict
    return "survived"


def main():
    parser = argparse.ArgumentParser(description="Mutation test of the kernels.")
    parser.add_argument("build", help="build folder with ascore_tests_kernels built, ASCORE_SIMT_CHECKS on")
    parser.add_argument("--per-kind", type=int, default=2, help="bounds and masks of each file (default 2)")
    parser.add_argument("--only", action="append", metavar="FILE:KIND",
                        help="only the first mutant of this kind (barrier, bound, mask) in the file of this name")
    parser.add_argument("--units", type=int, default=3, help=".cu files to try for a header (default 3)")
    parser.add_argument("--at-least", type=float, default=0.9, help="fraction that must be caught (default 0.9)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="list the mutants and stop")
    arguments = parser.parse_args()

    build = Build(arguments.build)
    includes = {unit: included(f"kernels/{unit}.cu", {f"kernels/{unit}.cu"}) for unit in build.compile}
    tests_of = {unit: [] for unit in build.compile}
    for test in sorted((SOURCE / "tests/kernels").glob("*_test.cpp")):
        text = test.read_text()
        for unit in tests_of:
            folder = Path(unit).parent.name
            if f'#include "kernels/{folder}/{folder}.hpp"' in text:
                tests_of[unit].append(test.stem)
    tested = [unit for unit in sorted(tests_of) if tests_of[unit]]

    work = []
    for path in sorted([*SOURCE.glob("kernels/*/*.cu"), *SOURCE.glob("kernels/*/*.hpp")]):
        file = str(path.relative_to(SOURCE))
        if file.startswith("kernels/simt/") or file.endswith("_ptx.hpp"):  # the emulator itself; what only nvcc reads
            continue
        text = path.read_text()
        units = [unit for unit in tested if file in includes[unit]]
        if path.suffix == ".hpp":
            # Of those that include a header, the ones that name its functions most often, themselves or by another header.
            names = {function or type_name for function, type_name in DEFINITION.findall(text)}
            words = {unit: re.findall(r"\w+", "".join((SOURCE / name).read_text() for name in includes[unit] - {file}))
                     for unit in units}
            uses = {unit: sum(word in names for word in words[unit]) for unit in units}
            units = sorted((unit for unit in units if uses[unit]), key=lambda unit: -uses[unit])
        found = mutants_of(file, text)
        if arguments.only:
            firsts = [next((m for m in found if f"{file}:{m.kind}" == f"kernels/{one}"), None) for one in arguments.only]
            found = [m for m in firsts if m]
        else:
            found = choose(found, arguments.per_kind)
        if units:
            work += [(mutant, units[:arguments.units]) for mutant in found]
    if arguments.only and len(work) != len(arguments.only):
        sys.exit(f"{len(arguments.only)} mutants asked for, {len(work)} found")
    if arguments.list:
        for mutant, units in work:
            print(mutant.name, units)
        print(len(work), "mutants")
        return 0

    started = time.monotonic()
    counts = Counter()
    rows = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for (mutant, _), verdict in zip(work, pool.map(lambda w: judge(build, *w, tests_of), work)):
            counts[mutant.file, mutant.kind, verdict] += 1
            rows.append((mutant, verdict))
            print(f"{verdict:20} {mutant.name}", file=sys.stderr, flush=True)
    report(rows)
    alive = [m for m, verdict in rows if verdict == "survived"]
    judged = [m for m, verdict in rows if verdict != "does not compile"]
    caught = len(judged) - len(alive)
    print(f"\n{caught} of {len(judged)} mutants caught ({100 * caught / max(1, len(judged)):.1f} %), "
          f"{time.monotonic() - started:.0f} s.")
    for mutant in alive:
        print(f"- survived: `{mutant.name}`")
    return 0 if judged and caught >= arguments.at_least * len(judged) else 1


def report(rows):
    """A line per file: caught of all, by kind; and what caught them."""
    print("| file | barriers | bounds | masks | caught by |\n|---|---|---|---|---|")
    for file in sorted({mutant.file for mutant, _ in rows}):
        cells = []
        for kind in KINDS:
            verdicts = [v for m, v in rows if m.file == file and m.kind == kind and v != "does not compile"]
            cells.append(f"{sum(v != 'survived' for v in verdicts)} of {len(verdicts)}" if verdicts else "")
        by = Counter(v for m, v in rows if m.file == file and v not in ("survived", "does not compile"))
        print(f"| {file} | {' | '.join(cells)} | {', '.join(f'{v} {n}' for v, n in by.most_common())} |")


if __name__ == "__main__":
    sys.exit(main())
