"""A run of `ascore train` that takes moments, and what the fault tests look at in its folder."""
import json
import os
import pathlib
import struct
import subprocess

from event_files import events

# Waiting threads that sleep: and the program need not replace itself to have them (one exec less to trace).
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive", "NO_COLOR": "1"}


def train_words(out, steps, checkpoint_every=1, keep=2):
    """An adversarial multilayer perceptron on 25 Gaussians; previews too, so that every kind of file is written."""
    settings = {
        "score.width": 16, "critic.width": 16, "noise.levels": 5, "training.batch_size": 16, "training.steps": steps,
        "sampling.step_size": 0.0, "training.checkpoint_every": checkpoint_every, "training.keep_checkpoints": keep,
        "training.preview_every": steps, "training.log_every": 1, "training.held_out_samples": 16,
    }
    words = ["train", "gaussians25", "--out", str(out), "--threads", "1", "--quiet"]
    for key, value in settings.items():
        words += ["--set", f"{key}={value}"]
    return words


def call(program, words, prefix=()):
    """Runs the program to its end: (exit code, stdout, stderr)."""
    done = subprocess.run([*prefix, program, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def tensors(file):
    """Names, types, shapes and bytes of a safetensors file."""
    data = pathlib.Path(file).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length:]
    return {name: (entry["dtype"], tuple(entry["shape"]), body[slice(*entry["data_offsets"])])
            for name, entry in header.items()}


def last_checkpoint(run):
    folder = pathlib.Path(run) / "checkpoints"
    return folder / (folder / "latest").read_text().strip()


def check_loadable(program, folder):
    """Every file whose name ends in .safetensors is whole, and so is what `latest` names. Returns how many there are."""
    files = sorted(pathlib.Path(folder).rglob("*.safetensors"))
    for file in files + sorted(pathlib.Path(folder).rglob("latest")):
        code, _, err = call(program, ["info", str(file)])
        if code != 0:
            raise AssertionError(f"{file} cannot be loaded: {err.strip()}")
    return len(files)


def check_metrics(run, steps):
    """metrics.jsonl has one line for every step, in order; the event files have the same numbers, and the preview."""
    lines = [json.loads(line) for line in (pathlib.Path(run) / "metrics.jsonl").read_text().splitlines()]
    for line in lines:  # the same at every step, and told by metrics.jsonl alone
        if (line.pop("world_size"), line.pop("local_batch")) != (1, 16):
            raise AssertionError(f"{run}/metrics.jsonl tells of ranks that there were not")
    found = [line["step"] for line in lines]
    if found != list(range(1, steps + 1)):
        raise AssertionError(f"{run}/metrics.jsonl holds the steps {found}, not 1 to {steps}")
    scalars, previews = [], []
    for step, shown in events(run):
        (previews if "preview" in shown else scalars).append((step, shown))
    rounded = [(line.pop("step"), {tag: struct.unpack("<f", struct.pack("<f", value))[0] for tag, value in line.items()})
               for line in lines]
    if scalars != rounded:
        raise AssertionError(f"the event files of {run} hold {scalars}, metrics.jsonl {rounded}")
    shown = [step for step, _ in previews]  # also of steps that --max-steps made the last of a run
    if not shown or shown[-1] != steps or shown != sorted(set(shown)):
        raise AssertionError(f"the event files of {run} hold previews of the steps {shown}")
    if not all(picture["preview"].startswith(b"\x89PNG") for _, picture in previews):
        raise AssertionError(f"the event files of {run} hold previews that are no pictures")


def check_same_end(run, reference):
    """The last checkpoints hold the same tensors, bit for bit."""
    ours, theirs = tensors(last_checkpoint(run)), tensors(last_checkpoint(reference))
    differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if differing or not ours:
        raise AssertionError(f"{run} does not end as the uninterrupted run: {differing[:3]} differ")


def partial_files(folder):
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*") if path.name.endswith(".partial"))


def npy(descr, shape, data):
    """An .npy file."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def tiny_array():
    """Two points of the plane."""
    return npy("<f4", (2, 2), struct.pack("<4f", 0.5, 1, -1, 2))


def tiny_images():
    """Three grey pictures of 4 by 4 pixels."""
    return npy("|u1", (3, 4, 4, 1), bytes(range(48)))
