#!/usr/bin/env python3
"""Makes the pictures of this folder and expected.npz, what PIL makes of them: make_images.py, with Pillow and numpy. The
picture is drawn by numpy: waves, edges and noise, so that nobody's rights are touched."""
import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
H, W = 37, 53


def picture():
    y, x = np.mgrid[0:H, 0:W].astype(float)
    planes = [128 + 90 * np.sin(x / 5 + c) * np.cos(y / (4 + c)) for c in range(3)]
    image = np.stack(planes, axis=-1)
    image[10:22, 30:45] = (250, 20, 60)
    image += np.random.default_rng(7).normal(0, 6, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def shorter_side(image, size):
    """torchvision.transforms.Resize(size), then CenterCrop(size)."""
    w, h = image.size
    image = image.resize((int(size * w / h), size) if h < w else (size, int(size * h / w)), Image.BILINEAR)
    w, h = image.size
    left, top = int(round((w - size) / 2.0)), int(round((h - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


def main():
    pixels = picture()
    color = Image.fromarray(pixels)
    grey = color.convert("L")
    alpha = np.dstack([pixels, np.linspace(0, 255, H * W).reshape(H, W).astype(np.uint8)])
    color.save(HERE / "color.png")
    color.save(HERE / "color.ppm")
    color.save(HERE / "color.jpg", quality=92)
    color.save(HERE / "progressive.jpg", quality=92, progressive=True)
    color.save(HERE / "lossy.webp", quality=90)
    color.save(HERE / "lossless.webp", lossless=True)
    grey.save(HERE / "grey.png")
    grey.save(HERE / "grey.pgm")
    grey.save(HERE / "grey.jpg", quality=92)
    color.quantize(17).save(HERE / "palette.png")
    Image.fromarray(alpha).save(HERE / "alpha.png")

    expected = {}
    for file in sorted(HERE.iterdir()):
        if file.suffix in (".png", ".ppm", ".pgm", ".jpg", ".webp"):
            expected["rgb_" + file.name] = np.asarray(Image.open(file).convert("RGB"))
    expected["luma"] = np.asarray(grey)[..., None]
    for h, w in ((16, 23), (74, 90), (37, 20), (11, 53), (1, 1), (5, 120)):
        expected["resized_%dx%d" % (h, w)] = np.asarray(color.resize((w, h), Image.BILINEAR))
    expected["resized_grey_12x31"] = np.asarray(grey.resize((31, 12), Image.BILINEAR))[..., None]
    for size in (24, 25, 64):
        expected["square_%d" % size] = np.asarray(shorter_side(color, size))
        expected["upright_%d" % size] = np.asarray(shorter_side(color.transpose(Image.TRANSPOSE), size))
    np.savez_compressed(HERE / "expected.npz", **expected)


main()
