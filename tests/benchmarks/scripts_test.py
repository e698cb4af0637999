"""benchmarks/tables.py, compare.py and gpu_suite.sh beside programs that only print: no PyTorch and no GPU needed."""
import argparse
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.dont_write_bytecode = True
import scaling_model  # noqa: E402
import tables  # noqa: E402


def line(variant, ms, **more):
    return {"variant": variant, "case": "mlp/train", "precision": "f32", "device": "cpu", "batch": 4, "width": 8, "parameters": 10,
            "threads": 1, "ms": ms, "images_per_s": 4e3 / ms, "launches": None, "peak_bytes": 3 << 20, **more}


class Fill(unittest.TestCase):
    def test_replaces_what_is_between_the_markers_and_nothing_else(self):
        text = "a\n<!-- t -->\nold\nolder\n<!-- /t -->\nb\n<!-- u -->\n<!-- /u -->\n"
        filled = tables.fill(text, "t", "new\n")
        self.assertEqual(filled, "a\n<!-- t -->\nnew\n<!-- /t -->\nb\n<!-- u -->\n<!-- /u -->\n")
        self.assertEqual(tables.fill(filled, "t", "new\n"), filled)

    def test_refuses_a_document_without_one_pair_in_order(self):
        for text in ("", "<!-- t -->\n", "<!-- /t -->\n<!-- t -->\n", 2 * "<!-- t -->\n<!-- /t -->\n"):
            with self.assertRaises(tables.TableError):
                tables.fill(text, "t", "new")

    def test_every_table_of_the_document_has_its_markers(self):
        text = (ROOT / "docs/performance.md").read_text()
        suite = (ROOT / "benchmarks/gpu_suite.sh").read_text()
        for name in ("cpu-kernels", "cpu-steps", "gpu-kernels-bf16", "gpu-kernels-f32", "gpu-conv2d-bf16", "gpu-attention", "gpu-steps-bf16"):
            tables.fill(text, name, "")
            made = name in suite or (name.startswith("gpu-kernels-") and '"gpu-kernels-$dtype"' in suite)
            self.assertTrue(name.startswith("cpu") or made, name)


class Scaling(unittest.TestCase):
    OPTIONS = argparse.Namespace(step_ms=15.0, batch=128, parameters=29694083, bucket_mb=25.0, gpus_per_node=8,
                                 nvlink_gbs=360.0, network_gbits=400.0)

    def test_the_document_holds_what_the_model_says(self):
        text = (ROOT / "docs/scaling.md").read_text()
        self.assertEqual(tables.fill(text, "scaling-model", scaling_model.table(self.OPTIONS)), text)

    def test_an_all_reduce_takes_what_its_links_take(self):
        hops = 2 * scaling_model.NVLINK_LATENCY
        self.assertAlmostEqual(scaling_model.all_reduce_seconds(4e9, 2, 1, 1e9, 1e9), 4 + hops)
        self.assertAlmostEqual(scaling_model.all_reduce_seconds(4e9, 1, 2, 1e9, 2e9), 2 + 2 * scaling_model.NETWORK_LATENCY)

    def test_only_what_backward_does_not_hide_is_waited_for(self):
        self.assertAlmostEqual(scaling_model.exposed_seconds(3.0, 4, 0.1), 0.1)   # the last bucket
        self.assertAlmostEqual(scaling_model.exposed_seconds(3.0, 4, 1.0), 2.5)   # 4 of 1 s, from 0.5 s of 2 s on
        self.assertEqual(scaling_model.scaled_step(1, self.OPTIONS), (0.015, 0.0))


class Steps(unittest.TestCase):
    def test_ratio_is_of_the_medians(self):
        cases = {("mlp/train", "f32"): {"ascore": [line("ascore", ms) for ms in (9, 2, 1)],
                                        "eager": [line("eager", ms) for ms in (3, 100, 1)],
                                        "compile": [line("compile", 1, launches=7)]}}
        cells = [cell.strip() for cell in tables.steps_table(cases).splitlines()[2].strip("|").split("|")]
        self.assertEqual(cells[:7], ["mlp/train, f32, batch 4", "2 ms", "2000", "3 ms", "1.50", "1 ms", "0.50"])
        self.assertEqual(cells[7:], ["- / - / 7", "3 MiB"])

    def test_rows_have_as_many_cells_as_the_head(self):
        cases = {("a/train", "f32"): {"ascore": [line("ascore", 1)], "eager": [line("eager", 1)]},
                 ("b/train", "f32"): {"ascore": [line("ascore", 1500)]}}
        rows = tables.steps_table(cases).splitlines()
        self.assertEqual({row.count("|") for row in rows}, {rows[0].count("|")})
        self.assertIn("1.5 s", rows[3])


class Kernels(unittest.TestCase):
    REPORT = {"context": {"ceiling GFLOP/s": "100", "ceiling GB/s": "10", "batch": "4", "yardsticks": "Eigen 3"},
              "benchmarks": [
                  {"name": "conv/a", "GFLOPs": 50, "GBs": 1, "of_ceiling": 0.5, "ratio": 2, "error": 1e-7, "label": "L"},
                  {"name": "conv/b", "GFLOPs": 80, "GBs": 1, "of_ceiling": 0.8, "ratio": 8, "error": 3e-7, "label": "L"},
                  {"name": "conv/c", "error_occurred": True, "error_message": "wrong result"},
                  {"name": "pool/a", "error_occurred": True, "error_message": "wrong result"}]}

    def test_takes_the_shapes_of_an_operation_together(self):
        rows = tables.kernels_table(self.REPORT).splitlines()
        self.assertEqual(rows[2], "| conv | 3 (1 wrong) | 80 GFLOP/s | 50% to 80% | 4.00 | L | 3.0e-07 |")

    def test_what_is_wrong_has_no_time(self):
        rows = tables.kernels_table(self.REPORT).splitlines()
        self.assertEqual(rows[3], "| pool | 1 (1 wrong) | - | - | - | - | - |")

    def test_a_row_per_shape(self):
        report = {**self.REPORT, "benchmarks": [{**row, "median_us": 12.5} for row in self.REPORT["benchmarks"]]}
        rows = tables.shapes_table(report, "conv").splitlines()
        self.assertEqual(rows[2], "| conv/a | 12.5 us | 50 GFLOP/s | 50% | 2.00 | L | 1.0e-07 |")
        self.assertEqual(rows[4], "| conv/c | wrong result | - | - | - | - | - |")
        self.assertNotIn("pool", "".join(rows))
        with self.assertRaises(tables.TableError):
            tables.shapes_table(report, "norm")

    def test_reports_add_up_and_the_last_of_a_row_counts(self):
        again = {**self.REPORT, "benchmarks": [{**self.REPORT["benchmarks"][0], "ratio": 9}, {"name": "new/a", "GBs": 1}]}
        rows = {row["name"]: row for row in tables.merged([self.REPORT, again])["benchmarks"]}
        self.assertEqual((len(rows), rows["conv/a"]["ratio"], rows["conv/b"]["ratio"]), (5, 9, 8))
        for broken in ({}, [], {"benchmarks": []}, {"benchmarks": [{}], "context": {}}):
            with self.assertRaises(tables.TableError):
                tables.merged([broken])

    def test_attention_reads_its_lines_among_others(self):
        row = {"version": "2", "name": "attention_forward/a/manual_time", "median_us": 30, "ascore_us": 20, "ratio": 1.5}
        table = tables.attention_table(["a warning", json.dumps(row)])
        self.assertIn("| attention_forward/a | 20 us | 30 us | 1.50 |", table)
        with self.assertRaises(tables.TableError):
            tables.attention_table(["a warning"])


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def script(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def program(self, name, printed, code=0):
        return self.script(name, f"echo '{json.dumps(printed)}'\nexit {code}")


class Compare(Scripts):

    def run_compare(self, ours, theirs, *more):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, ROOT / "benchmarks/compare.py", "mlp/train", "--ascore-bench", ours,
                               "--python", theirs, "--turns", "2", *more], capture_output=True, text=True, env=environment)

    def test_writes_table_and_lines(self):
        document, lines = self.folder / "d.md", self.folder / "l.json"
        document.write_text("x\n<!-- t -->\n<!-- /t -->\ny\n")
        done = self.run_compare(self.program("a", line("ascore", 2)), self.program("p", line("eager", 5)), "--table", "t",
                                "--document", document, "--json", lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| 2.50 |", done.stdout)
        self.assertEqual(document.read_text(), f"x\n<!-- t -->\n{done.stdout}<!-- /t -->\ny\n")
        self.assertEqual([row["variant"] for row in json.loads(lines.read_text())], ["ascore"] * 2 + ["eager"] * 2)

    def test_keeps_other_cases_of_an_earlier_run_and_not_the_same(self):
        lines = self.folder / "l.json"
        lines.write_text(json.dumps([line("ascore", 7), line("ascore", 9, case="unet/train")]))
        done = self.run_compare(self.program("a", line("ascore", 2)), self.program("p", line("eager", 5)), "--json", lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([row["ms"] for row in json.loads(lines.read_text())], [9, 2, 2, 5, 5])
        self.assertEqual(done.stdout.count("unet/train"), 1)

    def test_refuses_different_work(self):
        done = self.run_compare(self.program("a", line("ascore", 2)), self.program("p", line("eager", 5, parameters=11)))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("parameters is 10 in ascore and 11 in eager", done.stderr)

    def test_a_run_that_is_stopped_keeps_the_turns_that_were_done(self):
        lines, document = self.folder / "l.json", self.folder / "d.md"
        document.write_text("<!-- t -->\n<!-- /t -->\n")
        count = self.folder / "count"
        hangs = self.script("a", f"""echo x >> {count}
[ $(wc -l < {count}) -lt 3 ] || exec sleep 60
echo '{json.dumps(line("ascore", 2))}'""")
        command = [sys.executable, "-B", ROOT / "benchmarks/compare.py", "mlp/train", "--ascore-bench", hangs, "--variants", "none",
                   "--turns", "3", "--json", lines, "--table", "t", "--document", document]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(os.killpg, process.pid, signal.SIGKILL)
        for _ in range(600):
            if count.exists() and len(count.read_text().split()) == 3:
                break
            time.sleep(0.05)
        self.assertEqual(len(json.loads(lines.read_text())), 2)
        self.assertIn("| mlp/train, f32, batch 4 | 2 ms |", document.read_text())

    def test_wrong_input_is_one_line(self):
        ours, theirs = self.program("a", line("ascore", 2)), self.program("p", line("eager", 5))
        broken = self.folder / "b.json"
        broken.write_text("{}")
        for words, culprit in ((["mlp"], "no case 'mlp'"), (["mlp/fly"], "no case 'mlp/fly'"), (["--turns", "0"], "--turns 0"),
                               (["--json", self.folder], "Is a directory"), (["--table", "nowhere"], "no one pair")):
            done = self.run_compare(ours, theirs, *words)
            self.assertEqual((done.returncode, done.stderr.count("compare.py: ")), (2, 1), done.stderr)
            self.assertIn(culprit, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        for words, culprit in ((["--kernels", self.folder / "no.json"], "No such file"), (["--kernels", broken], "no report"),
                               (["--attention", broken], "no line of")):
            done = subprocess.run([sys.executable, "-B", ROOT / "benchmarks/compare.py", *words], capture_output=True, text=True)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(culprit, done.stderr)
        done = self.run_compare(self.folder / "absent", theirs)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)

    def test_a_program_that_fails_is_an_error(self):
        done = self.run_compare(self.program("a", line("ascore", 2), 6), self.program("p", line("eager", 5)))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exit code 6 of:", done.stderr)


class Suite(Scripts):
    """gpu_suite.sh, with the programs it calls replaced by ones that write down that they were called."""

    def run_suite(self, *words):
        self.called = self.folder / "called"
        self.called.write_text("")
        (self.folder / "bin").mkdir(exist_ok=True)
        for name in ("nvidia-smi", "nvcc", "cmake", "ctest", "compute-sanitizer"):
            self.script(f"bin/{name}", f"echo {name} >> {self.called}; [ {name} != ctest ] || sleep ${{CTEST_SECONDS:-0}}")
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        return subprocess.run(["bash", ROOT / "benchmarks/gpu_suite.sh", "--out", self.folder / "out", *words],
                              capture_output=True, text=True, env=environment)

    def test_does_the_phases_asked_for(self):
        done = self.run_suite("--only", "tests,sanitizer")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.called.read_text().split(), ["ctest"] * 3 + ["compute-sanitizer"] * 4 + ["nvidia-smi"])
        self.assertEqual(done.stdout.count("passed"), 7)

    def test_does_one_of_a_group(self):
        done = self.run_suite("--only", "tests-rest,sanitizer-initcheck")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.called.read_text().split(), ["ctest", "compute-sanitizer", "nvidia-smi"])

    def test_leaves_out_what_has_no_time(self):
        os.environ["CTEST_SECONDS"] = "60"
        self.addCleanup(os.environ.pop, "CTEST_SECONDS")
        done = self.run_suite("--only", "tests", "--seconds", "4")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED", done.stdout)
        self.assertIn("left out: no time", done.stdout)

    def test_refuses_words_that_it_does_not_know(self):
        for words in (["--only", "test"], ["--seconds", "many"], ["--phase"], ["--only"]):
            self.assertEqual(self.run_suite(*words).returncode, 2, words)
            self.assertEqual(self.called.read_text(), "")


class Memory(Scripts):
    def stand_in(self, name, mib, more=""):
        """A program that holds so many MiB per image of its --batch."""
        code = f"import sys; w = sys.argv; n = int(w[w.index(\"--batch\") + 1]); kept = bytearray(b\"x\") * (n * {mib << 20}); {more}"
        return self.script(name, f"exec '{sys.executable}' -c '{code}' \"$@\"")

    def test_divides_by_the_images_between_two_batches(self):
        program = self.stand_in("ascore", 8, 'f = open(w[w.index("--json") + 1], "w"); f.write("{\\"peak_bytes\\": %d}" % (n * 5e6))')
        document = self.folder / "memory.md"
        document.write_text("<!-- t -->\n<!-- /t -->\n")
        done = subprocess.run([sys.executable, ROOT / "benchmarks/memory.py", "ncsnv2", "--batches", "4,12", "--ascore", program,
                               "--python", self.stand_in("python", 16), "--settings", "none,block", "--table", "t",
                               "--document", document], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in document.read_text().splitlines()[3:-1]]
        self.assertEqual([row[0] for row in rows], ["ncsnv2, f32, none", "ncsnv2, f32, block"])
        for row in rows:
            self.assertAlmostEqual(float(row[1].split()[0]), 8.4, delta=0.6)
            self.assertEqual(row[2], "5.0 MB")
            self.assertAlmostEqual(float(row[4]), 0.5, delta=0.05)

    def test_a_program_that_fails_is_an_error(self):
        done = subprocess.run([sys.executable, ROOT / "benchmarks/memory.py", "unet", "--python", "none", "--ascore",
                               self.script("ascore", "exit 4")], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exit code 4 of:", done.stderr)


if __name__ == "__main__":
    unittest.main()
