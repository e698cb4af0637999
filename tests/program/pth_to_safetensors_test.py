#!/usr/bin/env python3
"""tools/pth_to_safetensors.py over checkpoints as the original writes them, tools/inception_to_safetensors.py over what
has the names of Inception-V3. Skipped where there is no torch."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
TOOL, INCEPTION = TOOLS / "pth_to_safetensors.py", TOOLS / "inception_to_safetensors.py"


def tensors_of(file):
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata, body = header.pop("__metadata__"), data[8 + length:]
    return metadata, {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
                      for name, entry in header.items()}


def call(*words, tool=TOOL):
    return subprocess.run([sys.executable, "-B", tool, *words], capture_output=True, text=True, check=False)


def raw(tensor):
    return tensor.contiguous().numpy().tobytes()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(source, target, words, tool=TOOL):
    done = call(source, target, tool=tool)
    check(done.returncode == 1 and done.stderr.count("\n") == 1 and words in done.stderr, done.stderr)


def check_inception(torch, folder):
    """Of the network's many entries those that tell it from others."""
    state = {"Conv2d_1a_3x3.conv.weight": torch.rand(32, 3, 3, 3), "Mixed_7c.branch_pool.bn.running_var": torch.rand(192),
             "fc.weight": torch.rand(1008, 2048), "Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(0)}
    torch.save(state, folder / "fid.pth")
    done = call(folder / "fid.pth", folder / "fid.safetensors", tool=INCEPTION)
    check(done.returncode == 0, done.stderr)
    metadata, tensors = tensors_of(folder / "fid.safetensors")
    check(metadata["network"] == "inception-v3 fid 2015-12-05", metadata)
    check(tensors.keys() == {name for name in state if "tracked" not in name}, tensors.keys())
    for key, (_, shape, data) in tensors.items():
        check(shape == list(state[key].shape) and data == raw(state[key]), key)

    torch.save({**state, "fc.weight": torch.rand(1000, 2048)}, folder / "vision.pth")
    refused(folder / "vision.pth", folder / "v.safetensors", "no weights for FID", INCEPTION)
    refused(folder / "plain.pth", folder / "v.safetensors", "no 'Conv2d_1a_3x3.conv.weight'", INCEPTION)
    refused(folder / "other.pth", folder / "v.safetensors", "no state_dict", INCEPTION)
    refused(folder / "text.pth", folder / "v.safetensors", "text.pth", INCEPTION)
    refused(folder / "fid.pth", folder / "fid.safetensors", "exists", INCEPTION)
    check(not (folder / "v.safetensors").exists(), "a refused file was written")


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
        check_inception(torch, folder)
        check(not list(folder.glob("*.partial")), "left a partial file")


if __name__ == "__main__":
    main()
