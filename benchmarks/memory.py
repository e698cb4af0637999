#!/usr/bin/env python3
"""Memory per training image, of ascore and of PyTorch eager: the slope of a process's own peak between two batch sizes,
each in a fresh process.

    memory.py ncsnv2 unet [--batches 2,6] [--precision f32|bf16] [--settings none,norm,block] [--device cpu|cuda]
              [--threads N] [--python PATH] [--ascore PATH] [--table NAME] [--document FILE]

On the cpu a peak is the largest resident set (as wait4 tells); on cuda it is the allocators' own:
torch.cuda.max_memory_allocated, and the ledger's of ascore. A setting is a value of training.recompute. --python none
leaves PyTorch out.
"""
import argparse
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

import tables

HERE = pathlib.Path(__file__).resolve().parent
SIDE, CHANNELS = 32, 3


def write_images(file, count):
    """Images of random bytes, as the data set `array` reads them."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {SIDE}, {SIDE}, {CHANNELS}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    pixels = random.Random(1).randbytes(count * SIDE * SIDE * CHANNELS)
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pixels
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", npy)


def run(command):
    """What a program prints, and the peak of its resident set in bytes."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([str(word) for word in command], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"memory.py: exit code {os.waitstatus_to_exitcode(status)} of: {' '.join(map(str, command))}")
        out.seek(0)
        return out.read().decode(), usage.ru_maxrss * 1024


def ascore_peak(options, network, setting, batch, folder):
    images, report = folder / "images.npz", folder / "memory.json"
    if not images.exists():
        write_images(images, 4 * max(options.batches))
    recompute = [] if setting == "none" else ["--recompute", setting]
    _, resident = run([options.ascore, "profile", f"cifar10_{network}", "--batch", batch, "--steps", 2, *recompute,
                       "--set", "data.name=array", "--set", f"data.path={images}", "--set", "data.image_size=32",
                       "--set", "data.channels=3", "--device", options.device, "--precision", options.precision,
                       "--threads", options.threads, "--memory", "1B", "--json", report, "--overwrite"])
    ledger = json.loads(report.read_text())["peak_bytes"]
    return (resident, ledger) if options.device == "cpu" else (ledger, ledger)


def peer_peak(options, network, batch):
    out, resident = run([options.python, HERE / "peers" / "steps.py", f"{network}/train", "--batch", batch, "--device",
                         options.device, "--precision", options.precision, "--threads", options.threads, "--warm-up", 1,
                         "--rounds", 1])
    return resident if options.device == "cpu" else json.loads(out.splitlines()[-1])["peak_bytes"]


def slope(options, peak):
    """MB per image between the two batch sizes."""
    small, large = options.batches
    return (peak(large) - peak(small)) / (large - small) / 1e6


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", choices=("ncsnv2", "unet"), metavar="NETWORK")
    parser.add_argument("--batches", default="2,6", metavar="A,B")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--settings", default="none", metavar="LIST")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="a Python that has PyTorch, or none")
    parser.add_argument("--ascore", default=HERE.parent / "build/dev/tools/ascore", metavar="PATH")
    parser.add_argument("--table", metavar="NAME")
    parser.add_argument("--document", default=HERE.parent / "docs/memory.md", metavar="FILE")
    options = parser.parse_args()
    options.batches = [int(batch) for batch in options.batches.split(",")]
    if len(options.batches) != 2 or not 0 < options.batches[0] < options.batches[1]:
        parser.error("--batches: give two sizes, the smaller first")
    return options


def main():
    options = parse()
    rows = []
    for network in options.networks:
        peer = None if options.python == "none" else slope(options, lambda batch: peer_peak(options, network, batch))
        for setting in options.settings.split(","):
            with tempfile.TemporaryDirectory() as name:
                peaks = {batch: ascore_peak(options, network, setting, batch, pathlib.Path(name))
                         for batch in options.batches}
            process, ledger = (slope(options, lambda batch: peaks[batch][i]) for i in (0, 1))
            rows.append([f"{network}, {options.precision}, {setting}", f"{process:.1f} MB", f"{ledger:.1f} MB",
                         f"{peer:.1f} MB" if peer else "-", f"{process / peer:.2f}" if peer else "-"])
    table = tables.markdown(["training, recompute", "ascore, process", "ascore, ledger", "PyTorch eager", "of it"], rows)
    print(table, end="")
    if options.table:
        document = pathlib.Path(options.document)
        try:
            document.write_text(tables.fill(document.read_text(), options.table, table))
        except tables.TableError as error:
            sys.exit(f"memory.py: {document}: {error}")


if __name__ == "__main__":
    main()
