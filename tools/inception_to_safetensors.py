#!/usr/bin/env python3
"""Turns the weights of Inception-V3 that the Frechet inception distance is defined by into a .safetensors file for
`ascore evaluate --features inception:WEIGHTS`. Needs torch and nothing else.

    tools/inception_to_safetensors.py pt_inception-2015-12-05-6726825d.pth inception.safetensors
    ascore evaluate samples --reference data --features inception:inception.safetensors

The .pth is a release of pytorch-fid (https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights), made from
TensorFlow's graph of 2015-12-05. torchvision's own Inception-V3 has other weights, of 1000 classes, and is refused.
"""
import sys

sys.dont_write_bytecode = True
import pth_to_safetensors as pth  # noqa: E402

CLASSES, FEATURES = 1008, 2048


def checked(state):
    """The entries that the network has, of a state_dict that must be the FID variant's."""
    if not pth.is_state_dict(state):
        raise ValueError("it is no state_dict")
    state = {name: value for name, value in pth.unwrapped(state).items() if not name.endswith(".num_batches_tracked")}
    for name in ("Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.running_var", "fc.weight"):
        if name not in state:
            raise ValueError(f"it has no '{name}', so it is no Inception-V3")
    shape = tuple(state["fc.weight"].shape)
    if shape != (CLASSES, FEATURES):
        raise ValueError(f"its fc.weight is {list(shape)}, not [{CLASSES}, {FEATURES}]: these are no weights for FID; "
                         "take pt_inception-2015-12-05-6726825d.pth")
    pth.check_types(state)
    return state


def convert(source, target):
    pth.check_target(target)
    loaded = pth.load(source)
    try:
        state = checked(loaded)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    pth.write_safetensors(target, state, {"network": "inception-v3 fid 2015-12-05"})
    print(f"{target}: {len(state)} tensors")


if __name__ == "__main__":
    pth.run("inception_to_safetensors", "Turns Inception-V3's weights for FID into a file that `ascore evaluate` reads.",
            convert)
