"""Tables of docs/performance.md, made from what ascore-bench and benchmarks/peers measured. A table stands between the
lines `<!-- NAME -->` and `<!-- /NAME -->`; what is outside is written by hand."""
import json
import math
import statistics


class TableError(Exception):
    """What a file lacks, in one line."""


def fill(text, name, table):
    """`text` with `table` between the markers of that name. Raises TableError unless they stand there once, in order."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise TableError(f"no one pair of lines '{begin}' and '{end}'")
    return text[:text.index(begin) + len(begin)] + "\n" + table.rstrip("\n") + "\n" + text[text.index(end):]


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines) + "\n"


def milliseconds(value):
    return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"


def median_line(lines):
    """Of several measurements of one case, the one whose time is the median (the lower of two middle ones)."""
    return sorted(lines, key=lambda line: line["ms"])[(len(lines) - 1) // 2]


def by_case(lines):
    """Measured lines as steps_table takes them, in the order of their first appearance."""
    cases = {}
    for line in lines:
        cases.setdefault((line["case"], line["precision"]), {}).setdefault(line["variant"], []).append(line)
    return cases


def with_earlier(lines, earlier):
    """`lines`, behind those of `earlier` that are of other cases."""
    new = {(line["case"], line["precision"]) for line in lines}
    return [line for line in earlier if (line["case"], line["precision"]) not in new] + lines


def steps_table(cases):
    """A row per case: `cases` maps (case, precision) to {variant: [measured lines]}; "ascore" is ours."""
    variants = [v for v in dict.fromkeys(v for by in cases.values() for v in by) if v != "ascore"]
    head = ["case", "ascore", "images/s", *[name for v in variants for name in (f"PyTorch {v}", "times as long")],
            "kernels launched", "peak memory"]
    rows = []
    for (case, precision), by in cases.items():
        ours = median_line(by["ascore"])
        row = [f"{case}, {precision}, batch {ours['batch']}", milliseconds(ours["ms"]), f"{ours['images_per_s']:.4g}"]
        for variant in variants:
            if variant not in by:
                row += ["-", "-"]
                continue
            theirs = median_line(by[variant])
            row += [milliseconds(theirs["ms"]), f"{theirs['ms'] / ours['ms']:.2f}"]
        launches = [line.get("launches") for line in [ours] + [median_line(by[v]) for v in variants if v in by]]
        row.append(" / ".join("-" if n is None else f"{n:.0f}" for n in launches))
        row.append(f"{ours['peak_bytes'] / 2**20:.0f} MiB")
        rows.append(row)
    return markdown(head, rows)


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def merged(reports):
    """Reports of several runs of one build as one: of rows that several have, the last."""
    rows = {}
    for report in reports:
        try:
            rows |= {row["name"]: row for row in report["benchmarks"]}
            context = report["context"]
            context["batch"], context["yardsticks"], context["ceiling GFLOP/s"], context["ceiling GB/s"]
        except (KeyError, TypeError):
            raise TableError("no report of ascore-bench kernels: give what --benchmark_out wrote") from None
    return {"context": context, "benchmarks": list(rows.values())}


def rate(row):
    return f"{row['GFLOPs']:.4g} GFLOP/s" if "GFLOPs" in row else f"{row['GBs']:.4g} GB/s"


def ceilings(context):
    return (f"Ceilings measured in the same run: {context['ceiling GFLOP/s']} GFLOP/s (square product), "
            f"{context['ceiling GB/s']} GB/s (copy). Batch {context['batch']}; {context['yardsticks']}.\n")


def kernels_table(report):
    """A row per operation of a report of `ascore-bench kernels`: its shapes taken together."""
    operations = {}
    for row in report["benchmarks"]:
        operations.setdefault(row["name"].split("/")[0], []).append(row)
    rows = []
    for operation, measured in operations.items():
        right = [row for row in measured if not row.get("error_occurred")]
        wrong = len(measured) - len(right)
        shapes = f"{len(measured)}" + (f" ({wrong} wrong)" if wrong else "")
        if not right:
            rows.append([operation, shapes, "-", "-", "-", "-", "-"])
            continue
        ratios = [row["ratio"] for row in right if "ratio" in row]
        shares = [row["of_ceiling"] for row in right if "of_ceiling" in row]
        best = max(right, key=lambda row: row.get("GFLOPs", row["GBs"]))
        share = f"{min(shares):.0%} to {max(shares):.0%}" if shares else "-"
        rows.append([operation, shapes, rate(best), share, f"{geometric_mean(ratios):.2f}" if ratios else "-",
                     right[0].get("label", "-"), f"{max(row['error'] for row in right):.1e}"])
    head = ["operation", "shapes", "fastest shape", "of the ceiling that binds", "times as fast (geometric mean)", "as",
            "largest relative error"]
    return markdown(head, rows) + "\n" + ceilings(report["context"])


def shapes_table(report, operation):
    """A row per shape of the operations whose names begin with `operation`."""
    rows = []
    for row in report["benchmarks"]:
        name = row["name"].removesuffix("/manual_time")
        if not name.startswith(operation):
            continue
        if row.get("error_occurred"):
            rows.append([name, "wrong result", "-", "-", "-", "-", "-"])
            continue
        rows.append([name, f"{row['median_us']:.4g} us", rate(row),
                     f"{row['of_ceiling']:.0%}" if "of_ceiling" in row else "-",
                     f"{row['ratio']:.2f}" if "ratio" in row else "-", row.get("label", "-"), f"{row['error']:.1e}"])
    if not rows:
        raise TableError(f"the report has no operation that begins with '{operation}'")
    head = ["operation and shape", "time", "rate", "of the ceiling that binds", "times as fast", "as", "relative error"]
    return markdown(head, rows) + "\n" + ceilings(report["context"])


def attention_table(lines):
    """A row per JSON line of peers/attention.py; other lines (warnings of PyTorch) are passed over."""
    measured = [json.loads(line) for line in lines if line.startswith("{") and '"ascore_us"' in line]
    if not measured:
        raise TableError("no line of peers/attention.py")
    rows = [[line["name"].removesuffix("/manual_time"), f"{line['ascore_us']:.4g} us", f"{line['median_us']:.4g} us",
             f"{line['ratio']:.2f}"] for line in measured]
    return markdown(["attention", "ascore", f"PyTorch {measured[0]['version']}", "times as long"], rows)
