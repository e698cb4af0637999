#!/usr/bin/env python3
"""Turns a PyTorch checkpoint into a .safetensors file that `ascore convert` reads. Needs torch and nothing else.

    tools/pth_to_safetensors.py checkpoint.pth weights.safetensors
    ascore convert weights.safetensors --recipe cifar10_ncsnv2 --out model.safetensors

Reads the checkpoints of the original implementation, a list of score network, optimizer, epoch, step and (if it was
trained with one) moving average, and plain state_dicts. The optimizer is left out. The moving average is written as
`ema.NAME`; `module.`, which DataParallel puts before every name, is taken away. Nothing but tensors and plain containers
is unpickled (weights_only).
"""
import argparse
import json
import os
import pathlib
import pickle
import struct
import sys

import torch

DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
          torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
WRAPPER = "module."


def is_state_dict(value):
    return isinstance(value, dict) and bool(value) and all(isinstance(v, torch.Tensor) for v in value.values())


def unwrapped(state):
    """The state_dict of the network itself, without DataParallel's prefix."""
    if all(name.startswith(WRAPPER) for name in state):
        return {name[len(WRAPPER):]: value for name, value in state.items()}
    return dict(state)


def parts_of(loaded):
    """(score network's state_dict, moving average or {}, metadata) of what torch.load returned."""
    if is_state_dict(loaded):
        return unwrapped(loaded), {}, {}
    if isinstance(loaded, (list, tuple)) and len(loaded) >= 4 and is_state_dict(loaded[0]):
        metadata = {"epoch": str(int(loaded[2])), "step": str(int(loaded[3]))}
        average = loaded[4] if len(loaded) > 4 else {}
        if average and not is_state_dict(average):
            raise ValueError("its fifth entry is no moving average (names and tensors)")
        return unwrapped(loaded[0]), unwrapped(average) if average else {}, metadata
    raise ValueError("it is neither a state_dict nor a list of score network, optimizer, epoch, step and moving average")


def write_safetensors(path, tensors, metadata):
    """Atomically, in order of names; the format is a header length, a JSON header and the arrays."""
    header, offset = {"__metadata__": {"format": "pt", **metadata}}, 0
    for name, value in sorted(tensors.items()):
        size = value.numel() * value.element_size()
        header[name] = {"dtype": DTYPES[value.dtype], "shape": list(value.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, value in sorted(tensors.items()):
                file.write(bytes(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_target(target):
    if target.suffix != ".safetensors":
        raise ValueError(f"{target}: the file's name must end in .safetensors")
    if target.exists():
        raise ValueError(f"{target}: exists; name another file")


def load(source):
    """What torch.load returns, of tensors and plain containers only."""
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # PyTorch's own words advise to turn weights_only off: never here
        raise ValueError(f"{source}: is no PyTorch checkpoint of tensors and plain containers") from error


def check_types(tensors):
    for name, value in tensors.items():
        if value.dtype not in DTYPES:
            raise ValueError(f"'{name}' is of type {value.dtype}")


def convert(source, target):
    check_target(target)
    loaded = load(source)
    try:
        score, average, metadata = parts_of(loaded)
        tensors = {**score, **{f"ema.{name}": value for name, value in average.items()}}
        check_types(tensors)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    write_safetensors(target, tensors, metadata)
    print(f"{target}: {len(score)} tensors, {len(average)} of a moving average")


def run(program, description, work):
    """Calls work(source, target) with the two files of the command line; an error is one line that names one of them."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("source", type=pathlib.Path, metavar="CHECKPOINT.pth")
    options.add_argument("target", type=pathlib.Path, metavar="WEIGHTS.safetensors")
    wanted = options.parse_args()
    try:
        work(wanted.source, wanted.target)
    except Exception as error:  # torch.load raises what the pickle, the zip or the disk make it raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        message = lines[0] if str(wanted.source) in lines[0] or str(wanted.target) in lines[0] else f"{wanted.source}: {lines[0]}"
        sys.exit(f"{program}: {message}")


if __name__ == "__main__":
    run("pth_to_safetensors", "Turns a PyTorch checkpoint into a file that `ascore convert` reads.", convert)
