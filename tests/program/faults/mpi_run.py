"""Programs under mpirun, on one machine with fewer cores than ranks."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from tiny_run import ENVIRONMENT

MPIRUN = shutil.which("mpirun")
if MPIRUN is None:
    print("skipped: no mpirun on this machine")
    sys.exit(0)

# As root, in a container; on the loopback alone; ranks that wait give their core to those that compute.
MPI_ENVIRONMENT = {**ENVIRONMENT, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "OMPI_MCA_btl": "self,vader,tcp", "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo",
                   "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}


def ranks_words(ranks, program, words):
    """The command that runs a program on so many ranks; one needs no launcher."""
    launcher = [MPIRUN, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    return [*launcher, program, *words]


def start(command, variables=None, **more):
    """In a session of its own, so that whatever is left of it can be found and ended."""
    return subprocess.Popen(command, env={**MPI_ENVIRONMENT, **(variables or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, **more)


def left_of(process):
    """The processes of the session that `start` began: mpirun gives each rank a group of its own."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == process.pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def ranks_of(process, program, size=None):
    """The ranks of a job, waited for until there are `size`; None if it has ended before."""
    while process.poll() is None:
        found = []
        for pid in left_of(process):
            try:
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            except OSError:
                continue
            if command == program:
                found.append(pid)
        if size is None or len(found) == size:
            return found
        time.sleep(0.02)
    return None


def end_all(process):
    """Kills what is left of a command and its ranks."""
    for pid in left_of(process):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def call(command, seconds=240, **variables):
    """Runs a command to its end, with more variables of the environment: (exit code, stdout, stderr)."""
    process = start(command, variables)
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        end_all(process)
    return process.returncode, out, err
