// ascore interpolate RUN|CKPT --seeds A,B --frames N --out DIR: the way from one seed's samples to another's.
#include "engine/io/image_grid.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/sample_output.hpp"
#include "tools/sampling_options.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <charconv>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

struct Options : SamplingOptions {
  std::string seeds;
  int64_t frames = 9;
};

struct Seeds {
  uint64_t from = 0, to = 0;
};

/// "7,8"
Seeds parse_seeds(const std::string& text) {
  Seeds seeds;
  const char *const begin = text.data(), *const end = begin + text.size();
  const auto first = std::from_chars(begin, end, seeds.from);
  const bool comma = first.ec == std::errc() && first.ptr != end && *first.ptr == ',';
  const auto second = comma ? std::from_chars(first.ptr + 1, end, seeds.to) : first;
  if (!comma || second.ec != std::errc() || second.ptr != end) {
    throw ConfigError(fmt::format("--seeds: must be two whole numbers of at least 0, as in 7,8, not '{}'", text));
  }
  return seeds;
}

/// Frame after frame, each [count,...], as sample after sample: row i frames + k is frame k of sample i.
HostTensor by_sample(const std::vector<HostTensor>& frames) {
  const Shape& shape = frames.front().shape;
  std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
  dims[0] *= static_cast<int64_t>(frames.size());
  HostTensor all(Shape(std::span<const int64_t>(dims)), frames.front().dtype);
  const size_t row = frames.front().bytes.size() / static_cast<size_t>(shape[0]);
  std::byte* to = all.bytes.data();
  for (size_t i = 0; i < static_cast<size_t>(shape[0]); ++i) {
    for (const HostTensor& frame : frames) to = std::copy_n(frame.bytes.data() + i * row, row, to);
  }
  return all;
}

/// Rows [begin, end) of an array.
HostTensor rows(const HostTensor& array, int64_t begin, int64_t end) {
  std::vector<int64_t> dims(array.shape.dims().begin(), array.shape.dims().end());
  dims[0] = end - begin;
  HostTensor part(Shape(std::span<const int64_t>(dims)), array.dtype);
  const size_t row = part.bytes.size() / static_cast<size_t>(dims[0]);
  std::copy_n(array.bytes.data() + static_cast<size_t>(begin) * row, part.bytes.size(), part.bytes.data());
  return part;
}

/// A strip per sample, and the first of them together; points: all of them in one plot.
void write(const fs::path& folder, const LoadedModel& model, const Options& options,
           const std::vector<HostTensor>& denoised, const std::vector<HostTensor>& plain) {
  const Recipe& recipe = model.recipe;
  const auto frames = static_cast<int64_t>(denoised.size()), count = denoised.front().shape[0];
  const HostTensor all = by_sample(denoised), all_plain = by_sample(plain);
  if (is_point_data(recipe.data.name)) {
    write_png(folder / "grid.png", picture(recipe, all));
    write_png(folder / "grid_plain.png", picture(recipe, all_plain));
  } else {
    constexpr int64_t kMostStrips = 16;
    const int64_t shown = std::min(count, kMostStrips) * frames;
    const GridLayout strip{.columns = frames};
    write_pictures(folder, count, [&](int64_t i) { return make_grid(rows(all, i * frames, (i + 1) * frames), strip); });
    write_png(folder / "grid.png", make_grid(rows(all, 0, shown), strip));
    write_png(folder / "grid_plain.png", make_grid(rows(all_plain, 0, shown), strip));
  }
  write_sample_arrays(folder, {.denoised = all, .plain = all_plain}, model, options);
}

void run(Ctx& ctx, const Options& options) {
  const Seeds seeds = parse_seeds(options.seeds);
  if (options.common.seed) throw ConfigError("--seed: two seeds are needed here: give --seeds A,B alone");
  Sampling sampling = prepare_sampling(ctx, options);
  make_samples_folder(options, [&](const fs::path& folder) {
    ProgressingDraw progress(options.common.quiet, options.frames);
    const LoadedModel& model = sampling.model;
    std::vector<HostTensor> denoised, plain;
    sampling.request.seed = seeds.from;
    for (int64_t frame = 0; frame < options.frames; ++frame) {
      const double t = static_cast<double>(frame) / static_cast<double>(options.frames - 1);
      sampling.request.mix = {.other = seeds.to, .t = t};
      DrawnSamples drawn = progress.draw(ctx, model.recipe, *model.network, sampling.request);
      denoised.push_back(std::move(drawn.denoised));
      plain.push_back(std::move(drawn.plain));
    }
    write(folder, model, options, denoised, plain);
  });
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_interpolate_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("interpolate", "Draw the way from one seed's samples to another's");
  auto options = std::make_shared<Options>();
  options->count = 8;
  command->add_option("--seeds", options->seeds, "the seeds at both ends, as in 7,8")->required()->type_name("A,B");
  command->add_option("--frames", options->frames, "pictures on the way, both ends included (9)")
      ->check(whole_number(2, 10'000))
      ->type_name("N");
  add_sampling_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
