#!/usr/bin/env python3
"""Registers of every CUDA kernel, read from the objects that nvcc wrote, and none of them on the stack; Hopper's
instructions in the kernels that are made of them.

  tools/cuda_registers.py BUILD --nvcc 13.0.88             check against tests/kernels/registers.txt
  tools/cuda_registers.py BUILD --nvcc 13.0.88 --write     rewrite that table (and look at its diff)

BUILD is a folder with *.cu.o files. The check fails on a kernel that has a stack frame (where spilled registers go),
that needs more registers than the table says, that the table does not have, or that is no longer there. Another release
of nvcc allocates other numbers: then only stack frames are looked for.

Of hopper_product_kernel (kernels/gemm/hopper_product.hpp) the code for sm_90a must multiply by wgmma, and nothing may
have come between: ptxas reports products that it runs one by one (C7510, C7520), waits that it adds (C7517) and changes
of the register count that it drops (C7504, C7508) as mere information, but the code tells. Nor may it reach shared memory by generic addresses, which is
slow: ptxas does so where it has lost sight of where a pointer comes from.

An object holds its device code as ELF images, one per architecture, not compressed. Section .nv.info of an image lists
the registers (attribute 0x2f) and the stack frame (0x11) of each kernel; the kernel's code is section .text.KERNEL, 16
bytes an instruction, its opcode in the low 12 bits.
"""
import argparse
import collections
import pathlib
import re
import struct
import subprocess
import sys

TABLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "kernels" / "registers.txt"
MACHINE_CUDA, NO_BITS = 190, 8
REGISTERS, FRAME_SIZE = 0x2F, 0x11
HOPPER_KERNEL = "hopper_product_kernel<"
HGMMA, WARPGROUP, USETMAXREG, GENERIC_LOAD, GENERIC_STORE = 0x9F0, 0x9C5, 0x9C8, 0x980, 0x985


def images(data):
    """The CUDA ELF files inside an object file."""
    at = data.find(b"\x7fELF", 4)
    while at >= 0:
        machine, = struct.unpack_from("<H", data, at + 18)
        if machine == MACHINE_CUDA:
            yield data[at:]
        at = data.find(b"\x7fELF", at + 4)


def sections(elf):
    """name -> content."""
    offset, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * size) for i in range(count)]
    strings = headers[names][4]
    result = {}
    for header in headers:
        start = strings + header[0]
        occupies = header[5] if header[1] != NO_BITS else 0
        result[elf[start:elf.index(b"\0", start)].decode()] = elf[header[4]:header[4] + occupies]
    return result


def symbol_names(parts):
    table, strings = parts[".symtab"], parts[".strtab"]
    names = []
    for at in range(0, len(table), 24):
        start, = struct.unpack_from("<I", table, at)
        names.append(strings[start:strings.index(b"\0", start)].decode())
    return names


def usage(elf):
    """kernel -> {attribute: value} of one image."""
    parts = sections(elf)
    names = symbol_names(parts)
    info, at, found = parts.get(".nv.info", b""), 0, {}
    while at < len(info):
        form, attribute, size = struct.unpack_from("<BBH", info, at)
        at += 4
        if form != 4:  # a value in place of a size
            continue
        if attribute in (REGISTERS, FRAME_SIZE):
            symbol, value = struct.unpack_from("<II", info, at)
            found.setdefault(names[symbol], {})[attribute] = value
        at += size
    return {name: values | {"code": opcodes(parts[".text." + name])}
            for name, values in found.items() if ".text." + name in parts}


def opcodes(code):
    """How often a kernel's code has each opcode."""
    return collections.Counter(struct.unpack_from("<H", code, at)[0] & 0xFFF for at in range(0, len(code), 16))


def architecture(elf):
    """"sm_80" or "sm_90a": the image records what ptxas was called with."""
    return re.search(rb"-arch (sm_\w+)", sections(elf)[".note.nv.tkinfo"]).group(1).decode()


def short_names(symbols):
    """Symbol -> C++ name without the namespaces that all of them share."""
    text = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True).stdout
    noise = re.compile(r"^void |ascore::kernels::(cuda::)?|ascore::|\(anonymous namespace\)::")
    return {symbol: noise.sub("", name) for symbol, name in zip(symbols, text.splitlines())}


def measure(build):
    """kernel -> {architecture: (registers, stack bytes, opcodes)}."""
    found = []
    for path in sorted(pathlib.Path(build).rglob("*.cu.o")):
        for elf in images(path.read_bytes()):
            arch = architecture(elf)
            found += [(name, arch, values) for name, values in usage(elf).items()]
    names = short_names(sorted({name for name, _, _ in found}))
    kernels = {}
    for name, arch, values in found:
        kernels.setdefault(names[name], {})[arch] = (values[REGISTERS], values.get(FRAME_SIZE, 0), values["code"])
    return kernels


def read_table():
    """The nvcc that wrote the table, and kernel -> {architecture: registers}."""
    first, header, *lines = TABLE.read_text().splitlines()
    archs = header.split()[:-1]
    rows = [line.split(maxsplit=len(archs)) for line in lines]
    return first.split()[-1], {row[-1]: dict(zip(archs, map(int, row))) for row in rows}


def write_table(kernels, nvcc):
    archs = sorted({arch for usage_of in kernels.values() for arch in usage_of})
    lines = ["registers per thread, by tools/cuda_registers.py from nvcc " + nvcc, "  ".join(archs) + "  kernel"]
    for name in sorted(kernels):
        lines.append("".join("%*d  " % (len(arch), kernels[name][arch][0]) for arch in archs) + name)
    TABLE.write_text("\n".join(lines) + "\n")


def hopper_faults(code):
    """The main loop has one fence and one wait, and there is one wait after it; two roles set their registers.
    Loads and stores say whether they are of shared or of global memory."""
    if code[HGMMA] == 0:
        yield "no product by wgmma"
    if code[WARPGROUP] != 3:
        yield "%d fences of and waits for products, not 3: ptxas has added some" % code[WARPGROUP]
    if code[USETMAXREG] != 2:
        yield "%d changes of the register count, not 2: ptxas has dropped some" % code[USETMAXREG]
    if code[GENERIC_LOAD] + code[GENERIC_STORE] > 0:
        yield "%d loads and %d stores by generic addresses" % (code[GENERIC_LOAD], code[GENERIC_STORE])


def faults(kernels, nvcc):
    for name, usage_of in sorted(kernels.items()):
        for arch, (_, stack, code) in sorted(usage_of.items()):
            if arch == "sm_90a" and name.startswith(HOPPER_KERNEL):
                yield from ("%s %s: %s" % (arch, name, fault) for fault in hopper_faults(code))
            if stack:
                yield "%s %s: %d bytes of stack: registers are spilled, or an array is indexed at run time" % (arch, name, stack)
    writer, table = read_table()
    if writer != nvcc:
        print("the table is of nvcc %s, this is %s: registers are not compared" % (writer, nvcc))
        return
    for name in sorted(kernels.keys() - table.keys()):
        yield "%s: not in %s (run tools/cuda_registers.py --write)" % (name, TABLE.name)
    for name in sorted(table.keys() - kernels.keys()):
        yield "%s: in %s, but no longer in the build (run tools/cuda_registers.py --write)" % (name, TABLE.name)
    for name in sorted(kernels.keys() & table.keys()):
        for arch, (registers, _, _) in sorted(kernels[name].items()):
            allowed = table[name].get(arch, 0)
            if registers > allowed:
                yield "%s %s: %d registers, %d in %s" % (arch, name, registers, allowed, TABLE.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="a folder with *.cu.o files")
    parser.add_argument("--nvcc", required=True, metavar="VERSION", help="the release of nvcc that wrote them")
    parser.add_argument("--write", action="store_true", help="rewrite the table instead of checking against it")
    arguments = parser.parse_args()
    kernels = measure(arguments.build)
    if not kernels:
        sys.exit("no CUDA kernel below %s" % arguments.build)
    if arguments.write:
        write_table(kernels, arguments.nvcc)
    found = list(faults(kernels, arguments.nvcc))
    for fault in found:
        print(fault)
    print("%d kernels, %d faults" % (len(kernels), len(found)))
    return 1 if found else 0


sys.exit(main())
