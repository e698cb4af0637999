#!/usr/bin/env python3
"""tools/pth_to_safetensors.py over checkpoints as the original writes them. Skipped where there is no torch."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "pth_to_safetensors.py"


def tensors_of(file):
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata, body = header.pop("__metadata__"), data[8 + length:]
    return metadata, {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
                      for name, entry in header.items()}


def call(*words):
    return subprocess.run([sys.executable, "-B", TOOL, *words], capture_output=True, text=True, check=False)


def raw(tensor):
    return tensor.contiguous().numpy().tobytes()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(source, target, words):
    done = call(source, target)
    check(done.returncode == 1 and done.stderr.count("\n") == 1 and words in done.stderr, done.stderr)


def main():
    try:
        import torch
    except ImportError:
        print("skipped: there is no torch")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        optimizer = torch.optim.Adam(network.parameters())
        network(torch.rand(2, 3, 5, 5)).sum().backward()
        optimizer.step()
        state = network.state_dict()
        average = {key: value.detach() * 2 for key, value in network.named_parameters()}
        wrapped = {f"module.{key}": value for key, value in state.items()}
        torch.save([wrapped, optimizer.state_dict(), 3, 1234, average], folder / "checkpoint.pth")
        done = call(folder / "checkpoint.pth", folder / "a.safetensors")
        check(done.returncode == 0, done.stderr)
        metadata, tensors = tensors_of(folder / "a.safetensors")
        check(metadata == {"format": "pt", "epoch": "3", "step": "1234"}, metadata)
        wanted = {**state, **{f"ema.{key}": value for key, value in average.items()}}
        check(tensors.keys() == wanted.keys(), tensors.keys())
        for key, value in wanted.items():
            check(tensors[key][1] == list(value.shape) and tensors[key][2] == raw(value), key)
        check(tensors["1.num_batches_tracked"][0] == "I64", "num_batches_tracked")

        torch.save(state, folder / "plain.pth")
        check(call(folder / "plain.pth", folder / "b.safetensors").returncode == 0, "a plain state_dict")
        check(tensors_of(folder / "b.safetensors")[1].keys() == state.keys(), "a plain state_dict")

        torch.save({"weights": [1, 2]}, folder / "other.pth")
        refused(folder / "other.pth", folder / "c.safetensors", "neither a state_dict nor")
        torch.save(network, folder / "pickled.pth")
        refused(folder / "pickled.pth", folder / "c.safetensors", "pickled.pth")
        (folder / "text.pth").write_text("no checkpoint")
        refused(folder / "text.pth", folder / "c.safetensors", "text.pth")
        refused(folder / "nowhere.pth", folder / "c.safetensors", "nowhere.pth")
        refused(folder / "plain.pth", folder / "b.safetensors", "exists")
        refused(folder / "plain.pth", folder / "c.npz", "must end in .safetensors")
        check(not (folder / "c.safetensors").exists(), "a refused file was written")
        check(not list(folder.glob("*.partial")), "left a partial file")


if __name__ == "__main__":
    main()
