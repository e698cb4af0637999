#include "benchmarks/kernels_command.hpp"

#include "benchmarks/measure/case.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/core/error.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::bench {

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Runs cases as Google Benchmark asks for them: several times each, in a row, so that one prepared case is kept.
class Runner {
 public:
  explicit Runner(const KernelOptions& options) : bench_(options), ceilings_(measure_ceilings(bench_)) {
    benchmark::AddCustomContext("device", name(options.device));
    benchmark::AddCustomContext("yardsticks", yardstick_versions(options.device));
    benchmark::AddCustomContext("batch", std::to_string(options.batch));
    benchmark::AddCustomContext("threads", std::to_string(bench_.stream().threads()));
    benchmark::AddCustomContext("ceiling GFLOP/s", fmt::format("{:.4g}", ceilings_.flops * 1e-9));
    benchmark::AddCustomContext("ceiling GB/s", fmt::format("{:.4g}", ceilings_.bytes * 1e-9));
  }

  void run(benchmark::State& state, const Case& row) {
    try {
      measure(state, row);
    } catch (const std::exception& error) {
      fail(state, error.what());
    }
  }
  bool failed() const { return failed_; }

 private:
  /// A case whose result was looked at.
  struct Prepared {
    const Case* row;
    Subject subject;
    double error, yardstick_error;
    double allowed;
  };

  void fail(benchmark::State& state, const std::string& what) {
    failed_ = true;
    state.SkipWithError(what.c_str());
  }

  const Prepared& prepared(const Case& row) {
    if (prepared_ && prepared_->row == &row) return *prepared_;
    prepared_.reset();  // gives its memory back first
    Prepared next{&row, row.prepare(bench_), 0, 0, 0};
    next.subject.run();
    next.error = next.subject.error(next.subject.result);
    const Yardstick& library = next.subject.yardstick;
    if (library.run) library.run();
    if (library.run && library.result) next.yardstick_error = next.subject.error(library.result);
    next.allowed = bench_.options().allowed_error >= 0 ? bench_.options().allowed_error : next.subject.allowed;
    return prepared_.emplace(std::move(next));
  }

  void measure(benchmark::State& state, const Case& row) {
    const Prepared& p = prepared(row);
    if (!(p.error <= p.allowed)) {
      return fail(state,
                  fmt::format("wrong result: relative error {:.2e}, at most {:.0e} is rounding", p.error, p.allowed));
    }
    const double allowed = std::max(p.subject.allowed, rounding_error(bench_.options().dtype));
    const bool compare = p.subject.yardstick.run && p.yardstick_error <= allowed;
    std::vector<double> ours, library;
    for ([[maybe_unused]] const auto _ : state) {
      ours.push_back(bench_.seconds(p.subject.run));
      state.SetIterationTime(ours.back());
      if (compare) library.push_back(bench_.seconds(p.subject.yardstick.run));  // in turns, under the same load
    }
    report(state, row, p, median(ours), library);
  }

  void report(benchmark::State& state, const Case& row, const Prepared& p, double seconds,
              const std::vector<double>& library) {
    auto& counters = state.counters;
    counters["median_us"] = seconds * 1e6;
    if (row.flops > 0) counters["GFLOPs"] = row.flops / seconds * 1e-9;
    counters["GBs"] = row.bytes / seconds * 1e-9;
    if (ceilings_.bytes > 0) {
      const double least = std::max(row.flops / ceilings_.flops, row.bytes / ceilings_.bytes);
      counters["of_ceiling"] = least / seconds;
    }
    counters["error"] = p.error;
    const Yardstick& yardstick = p.subject.yardstick;
    if (library.empty()) {
      state.SetLabel(yardstick.run ? fmt::format("{}: wrong result, error {:.2e}", yardstick.name, p.yardstick_error)
                                   : yardstick.name);
      return;
    }
    const double theirs = median(library);
    counters["library_us"] = theirs * 1e6;
    counters["ratio"] = theirs / seconds;  // above 1: ours is faster
    if (yardstick.result) counters["library_error"] = p.yardstick_error;
    state.SetLabel(yardstick.name);
  }

  Workbench bench_;
  Ceilings ceilings_;
  std::optional<Prepared> prepared_;
  bool failed_ = false;
};

Cases all_cases(const KernelOptions& options) {
  Cases cases;
  for (const auto add : {add_conv2d_cases, add_linear_cases, add_attention_cases, add_norm_cases, add_resampling_cases,
                         add_critic_cases, add_pointwise_cases, add_sampling_cases, add_update_cases}) {
    add(options, cases);
  }
  return cases;
}

}  // namespace

int kernels_command(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);  // takes its own --benchmark_... options out
  KernelOptions options;
  CLI::App program("Every kernel over the shapes of NCSNv2, UNet and the critic", "ascore-bench kernels");
  const std::map<std::string, Device> devices = {{"cpu", Device::cpu}, {"simt", Device::simt}, {"cuda", Device::cuda}};
  const std::map<std::string, DType> dtypes = {{"f32", DType::f32}, {"bf16", DType::bf16}};
  program.add_option("--device", options.device, "cpu, cuda, or simt (times of the emulator mean nothing)")
      ->transform(CLI::CheckedTransformer(devices));
  program.add_option("--dtype", options.dtype, "of activations: f32 or bf16")
      ->transform(CLI::CheckedTransformer(dtypes));
  program.add_option("--batch", options.batch, "images")->check(tools::whole_number(1, 1 << 20));
  program.add_option("--width", options.width, "channels of the networks' first stage")
      ->check(tools::whole_number(8, 1 << 12));
  program.add_option("--size", options.size, "height and width of the images")->check(tools::whole_number(8, 1 << 12));
  program.add_option("--threads", options.threads, "cpu: threads (default: all)")->check(tools::whole_number(1, 4096));
  program.add_option("--max-error", options.allowed_error,
                     "relative error above which a result is wrong (default: by dtype and operation)");
  program.footer(
      "--benchmark_filter=REGEX, --benchmark_min_time=SECONDS, --benchmark_out=FILE and the other options\n"
      "of Google Benchmark are taken too.");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  Runner runner(options);
  const Cases cases = all_cases(options);
  for (const Case& row : cases) {
    benchmark::RegisterBenchmark(row.name.c_str(), [&](benchmark::State& state) { runner.run(state, row); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }
  const size_t run = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  if (run == 0) throw ConfigError("no row has a name that --benchmark_filter finds");
  return runner.failed() ? 1 : 0;
}

}  // namespace ascore::bench
