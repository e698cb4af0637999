"""ascore-bench itself, over tiny shapes: every row is right, a wrong row has no time, steps say what they measured.

    bench_test.py ASCORE_BENCH DEVICE
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM, DEVICE = sys.argv[1:3]
# Of the emulated device one shape per operation: it is there for the results, its times mean nothing.
EVERY_OPERATION = {
    "cpu": [("f32", "."), ("bf16", ".")],
    "cuda": [("f32", "."), ("bf16", ".")],
    "simt": [("bf16", "conv2d_.*/2x2/32-32/|conv2d_residual_elu/ncsnv2/4x4|linear_.*/unet/8x64|attention|_norm.*/4x4x32/|pool"
                      "|_plus.*/4x4x32/|bilinear|nearest2|concat/unet/1x1|elu_|residual_add|images|gan|spectral|ema|cast|joined.*/4x4x48/|batch_norm.*/2x2x32/|pixel_sum")],
}


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True)


def kernels(*words):
    """Exit code, and the JSON report."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        done = run("kernels", "--device", DEVICE, "--batch", "2", "--width", "16", "--size", "8", "--threads", "1",
                   "--benchmark_min_time=1e-9", f"--benchmark_out={report}", *words)
        return done, json.loads(report.read_text())


class Kernels(unittest.TestCase):
    def test_every_result_is_right(self):
        for dtype, shapes in EVERY_OPERATION[DEVICE]:
            with self.subTest(dtype=dtype):
                done, report = kernels("--dtype", dtype, f"--benchmark_filter={shapes}")
                wrong = {row["name"]: row["error_message"] for row in report["benchmarks"] if "error_message" in row}
                self.assertEqual(wrong, {})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check_rows(report, dtype)

    def check_rows(self, report, dtype):
        operations = {row["name"].split("/")[0] for row in report["benchmarks"]}
        for operation in ("conv2d_wgrad", "conv2d_residual_elu", "linear_dgrad", "instance_norm_plus_backward", "max_pool5_backward",
                          "bilinear_forward", "batch_norm_backward", "max_pool2_forward", "pixel_sum_forward", "cast", "sigma_draw",
                          "joined_group_norm_silu_backward", "adam_ema", "langevin_step", "perturb", "score_loss_backward"):
            self.assertIn(operation, operations)
        for row in report["benchmarks"]:
            self.assertLess(row["error"], 3e-2 if "bf16" in row["name"] else 1e-3, row["name"])
            self.assertGreater(row["median_us"], 0, row["name"])
            if DEVICE == "cpu":
                self.assertGreater(row["of_ceiling"], 0, row["name"])
            if DEVICE == "cpu" and row["name"].startswith(("conv2d_forward", "conv2d_wgrad")) and dtype == "f32":
                self.assertLess(row["library_error"], 1e-3, row["name"])
                self.assertGreater(row["ratio"], 0, row["name"])

    def test_a_wrong_result_has_no_time(self):
        done, report = kernels("--max-error", "0", "--benchmark_filter=random_normal")
        self.assertEqual(done.returncode, 1)
        for row in report["benchmarks"]:
            self.assertIn("wrong result", row["error_message"])
            self.assertEqual(row["real_time"], 0)
            self.assertNotIn("GBs", row)


class Steps(unittest.TestCase):
    def test_training_and_sampling_of_the_plane(self):
        done = run("step", "--network", "mlp", "--adversarial", "--work", "train,critic,sample", "--device", DEVICE,
                   "--width", "16", "--batch", "4", "--rounds", "2", "--steps", "2", "--warm-up", "1", "--threads", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["case"] for line in lines], ["mlp/adversarial", "mlp/critic", "mlp/sample"])
        for line in lines:
            self.assertEqual((line["device"], line["batch"], line["width"], line["parameters"]), (DEVICE, 4, 16, 642))
            self.assertGreater(line["ms"], 0)
            self.assertGreater(line["peak_bytes"], 4 * 642)
            self.assertAlmostEqual(line["images_per_s"], 4e3 / line["ms"], delta=1e-6 * line["images_per_s"])
            self.assertEqual(line["launches"] is None, DEVICE == "cpu")
        if DEVICE == "simt":  # kernels of a sampling step, and of training: more of them
            self.assertGreater(lines[0]["launches"], lines[1]["launches"])
            self.assertGreaterEqual(lines[2]["launches"], 8)

    def test_says_what_is_wrong_with_the_words_given(self):
        for words, told in ((["step"], "--recipe or --network"), (["step", "--network", "mlp", "--work", "critic"], "no critic"),
                            (["steps"], "usage"), (["kernels", "--width", "2"], "--width")):
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(told, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
