"""Mutants of the kernels: copies of one file in which one barrier, one bound or one mask is missing or off by one."""

import re
from dataclasses import dataclass

# What is not a constant: one step past the end of an array of fixed size is undefined, and the compiler need not take it.
VARIABLE = r"(?!\d|k[A-Z]|[A-Z][a-z]|[\w.]+\.stages)(?=[\w(])"
RULES = [
    # kind, what it looks like, what becomes of it
    ("barrier", re.compile(r"(?:__sync(?:threads|warp)\(\w*\)|cp_async_wait<[^;]*>\(\));"), lambda m: ";"),
    ("barrier", re.compile(r"(?:mbarrier_wait\([^;]*\)|wgmma_(?:fence|wait<[^;]*>)\(\)|fence_mbarrier_init\(\));"), lambda m: ";"),
    ("bound", re.compile(r"if \([^;]*?(?:>=|<)[^;]*?\) (?:return|break|continue)\b[^;]*;"), lambda m: ";"),
    ("bound", re.compile(rf"(?<=[\w\])]) < {VARIABLE}"), lambda m: " <= "),
    ("bound", re.compile(rf"(?<=[\w\])]) >= {VARIABLE}"), lambda m: " > "),
    ("mask", re.compile(r"\b(?:inside|pairs|[\w.]+ < [\w.]+) && "), lambda m: ""),
    ("mask", re.compile(r"threadIdx\.[xy](?: % \w+)? == 0|\bwarp != 0"), lambda m: str("==" in m.group()).lower()),
    ("mask", re.compile(rf"(?<=return )[\w.]+ < {VARIABLE}[\w.]+(?= \?)|\blane < warps(?= \?)"), lambda m: "true"),
]
KINDS = ("barrier", "bound", "mask")
FUNCTION = re.compile(r"__(?:global|device)__[^;{]*\{")


@dataclass(frozen=True)
class Mutant:
    file: str      # relative to the source tree
    line: int
    kind: str
    before: str
    after: str
    text: str      # the whole mutated file

    @property
    def name(self):
        return f"{self.file}:{self.line} {self.kind}: {self.before} -> {self.after or 'nothing'}"


def device_code(text):
    """Ranges of `text` that are bodies of kernels and device functions: host code is not mutated."""
    ranges = []
    for found in FUNCTION.finditer(text):
        depth, end = 1, found.end()
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if not ranges or end > ranges[-1][1]:
            ranges.append((found.end(), end))
    return ranges


def mutants_of(file, text):
    """All mutants of a file, in the order of their lines."""
    result = []
    ranges = device_code(text)
    for kind, pattern, change in RULES:
        for begin, end in ranges:
            for found in pattern.finditer(text, begin, end):
                line_start = text.rfind("\n", 0, found.start()) + 1
                if re.search("//|static_assert|constexpr", text[line_start:found.start()]):
                    continue
                after = change(found)
                line_end = text.find("\n", found.start())
                old = text[line_start:line_end].strip()
                mutated = text[:found.start()] + after + text[found.end():]
                new = mutated[line_start:mutated.find("\n", line_start)].strip()
                result.append(Mutant(file, text.count("\n", 0, found.start()) + 1, kind, old, new, mutated))
    return sorted(result, key=lambda m: (m.line, m.kind, m.after))


def choose(mutants, per_kind):
    """At most `per_kind` mutants of each kind and file, spread over the file; all barriers."""
    chosen = []
    for kind in KINDS:
        some = [m for m in mutants if m.kind == kind]
        wanted = len(some) if kind == "barrier" or per_kind is None else min(per_kind, len(some))
        chosen += [some[i * len(some) // wanted] for i in range(wanted)]
    return sorted(chosen, key=lambda m: (m.line, m.kind, m.after))
