#!/usr/bin/env python3
"""Writes what the fuzzers start from: make_corpus.py FOLDER RECIPES. For each of them FOLDER/NAME/ with small valid files,
and FOLDER/NAME.dict with the words of the format. Made with Python's own zip, gzip and tar, so that the readers meet files
that others wrote."""
import gzip
import io
import json
import pathlib
import struct
import sys
import tarfile
import zipfile


def npy(descr, shape, data, fortran=False, version=1):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    header += " " * (-(len(header) + 11) % 16) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def npys():
    yield npy("<f4", (2, 3), bytes(24))
    yield npy("|u1", (2, 2, 2, 1), b"abcdefgh", version=2)
    yield npy(">f8", (2,), bytes(16), version=3)
    yield npy("<i8", (2, 2), bytes(32), fortran=True)
    yield npy("<f2", (3, 1, 2), bytes(12), fortran=True)
    yield npy("|b1", (), b"\x01")
    yield npy("<i2", (0, 4), b"")


def npzs():
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", packing) as archive:
            for name, array in zip(("images.npy", "labels.npy"), npys()):
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=packing == zipfile.ZIP_STORED) as member:
                    member.write(array)
        yield out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = b"a comment"
    yield out.getvalue()


def safetensors():
    def file(header, data):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    yield file({}, b"")
    yield file({"__metadata__": {"step": "1", "recipe": "[data]\n"}}, b"")
    yield file({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                "h": {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]},
                "e": {"dtype": "F64", "shape": [0, 7], "data_offsets": [26, 26]}}, bytes(26))
    yield file({"a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
                "b": {"dtype": "I8", "shape": [1, 1], "data_offsets": [4, 5]},
                "c": {"dtype": "BOOL", "shape": [1], "data_offsets": [5, 6]}}, bytes(6))


def idxs():
    for code, size in ((8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)):
        plain = struct.pack(">BBBBII", 0, 0, code, 2, 2, 3) + bytes(6 * size)
        yield plain
        yield gzip.compress(plain, mtime=0)
    yield struct.pack(">BBBB", 0, 0, 8, 0) + b"x"


def cifar10_archives():
    names = ["data_batch_%d.bin" % i for i in range(1, 6)] + ["test_batch.bin", "readme.html"]
    def archive_of(kind, record):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
            for label, name in enumerate(names):
                member = tarfile.TarInfo("cifar-10-batches-bin/" + name)
                data = (bytes([label]) + bytes(record))[:record] if name.endswith(".bin") else b"<html>"
                member.size = len(data)
                if kind == tarfile.PAX_FORMAT and label == 0:
                    member.pax_headers = {"comment": "a comment"}
                archive.addfile(member, io.BytesIO(data))
            end = archive.offset
        return out.getvalue()[:end + 1024]

    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        yield archive_of(kind, 0)
        yield gzip.compress(archive_of(kind, 3073), mtime=0)


def pnms():
    yield b"P5 3 2 255\n" + bytes(6)
    yield b"P6\n# a comment\n2\t1\n# another\n255\n" + bytes(range(6))
    yield b"P5 1 2 65535\n" + b"\xff\xff\x01\x00"
    yield b"P6 1 1 15 " + b"\x0f\x00\x07"


def recipes(folder):
    for path in sorted(folder.glob("*.toml")):
        yield path.read_bytes()
    yield b"[data]\n[noise]\n[score]\n[training]\n"
    yield b"seed = 0x7f\n[data]\nname = 'array'\npath = \"\"\"x.npy\"\"\"\nimage_size = 32\nchannels = 3\n[noise]\nsigma_end = 1e-3\n" \
          b"[score]\nema = 0.5\n[score.optimizer]\nlr = 1_0.0\n[training]\n"


WORDS = {
    "safetensors": ['{\\"', '\\"dtype\\":', '\\"shape\\":[', '\\"data_offsets\\":[', '\\"__metadata__\\":{', '\\"F32\\"',
                    '\\"F16\\"', '\\"U64\\"', '18446744073709551615', '4294967296'],
    "npy": ["\\x93NUMPY", "'descr': ", "'fortran_order': ", "'shape': (", "True", "False", "'<f4'", "'>f2'", "'|b1'",
            "9223372036854775807"],
    "npz": ["PK\\x01\\x02", "PK\\x03\\x04", "PK\\x05\\x06", "PK\\x06\\x06", "PK\\x06\\x07", "\\xff\\xff\\xff\\xff", ".npy"],
    "idx": ["\\x00\\x00\\x08\\x03", "\\x00\\x00\\x0d\\x01", "\\x1f\\x8b\\x08", "\\xff\\xff\\xff\\xff"],
    "pnm": ["P5 ", "P6 ", "# ", "\\x0a", "255 ", "65535 ", "999999999 "],
    "cifar10_archive": ["data_batch_1.bin", "test_batch.bin", "ustar", "00000006001", "77777777777", "\\x1f\\x8b\\x08"],
}


def write(folder, name, seeds, words):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / name / ("seed%02d" % number)).write_bytes(seed)
    (folder / (name + ".dict")).write_text("".join('"%s"\n' % word for word in words))


def main():
    folder, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    seeds = {"safetensors": safetensors(), "npy": npys(), "npz": npzs(), "idx": idxs(), "cifar10_archive": cifar10_archives(),
             "pnm": pnms()}
    for name, files in seeds.items():
        write(folder, name, files, WORDS[name])
    keys = {line.split("=")[0].strip() for recipe in recipes(source) for line in recipe.decode().splitlines() if "=" in line}
    write(folder, "recipe", recipes(source), sorted(key for key in keys if key.isidentifier()))


main()
