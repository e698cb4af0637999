#include "tools/sample_output.hpp"

#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/evaluation/sample_facts.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore::tools {

namespace fs = std::filesystem;

ProgressingDraw::ProgressingDraw(bool quiet, int64_t parts)
    : display_(quiet), parts_(parts), begin_(std::chrono::steady_clock::now()) {}

DrawnSamples ProgressingDraw::draw(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network,
                                   const DrawRequest& request) {
  DrawnSamples drawn = draw_samples(ctx, recipe, network, request, [&](int64_t of_part, int64_t per_part) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const int64_t done = part_ * per_part + of_part, all = parts_ * per_part;
    const double rate = static_cast<double>(done) / seconds;
    display_.show(
        done, all,
        fmt::format("evaluations, {:.1f}/s, {} to go", rate, duration(static_cast<double>(all - done) / rate)));
  });
  ++part_;
  return drawn;
}

namespace {
/// Sample i of u8 [N,H,W,C] as a picture.
HostTensor one_image(const HostTensor& images, int64_t i) {
  HostTensor image({images.shape[1], images.shape[2], images.shape[3]}, DType::u8);
  const size_t size = image.bytes.size();
  std::copy_n(images.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i) * size), size,
              image.bytes.begin());
  return image;
}
}  // namespace

void write_pictures(const fs::path& folder, int64_t count, const std::function<HostTensor(int64_t)>& picture) {
  try {
    fs::create_directories(folder / "images");
    for (int64_t i = 0; i < count; ++i) write_png(folder / "images" / fmt::format("{:05}.png", i), picture(i));
  } catch (const fs::filesystem_error& error) {
    throw DiskError(fmt::format("{}: {}", (folder / "images").string(), error.code().message()));
  }
}

void write_sample_arrays(const fs::path& folder, const DrawnSamples& drawn, const LoadedModel& model,
                         const SamplingOptions& options) {
  write_npz(folder / "samples_plain.npz", {{"arr_0", drawn.plain}});
  write_npz(folder / "samples.npz", {{"arr_0", drawn.denoised}});
  write_sample_facts(folder, !options.no_ema, model.step);
}

void write_samples(const fs::path& folder, const DrawnSamples& drawn, const LoadedModel& model,
                   const SamplingOptions& options) {
  const Recipe& recipe = model.recipe;
  if (!is_point_data(recipe.data.name)) {
    write_pictures(folder, drawn.denoised.shape[0], [&](int64_t i) { return one_image(drawn.denoised, i); });
  }
  write_png(folder / "grid.png", picture(recipe, drawn.denoised));
  write_png(folder / "grid_plain.png", picture(recipe, drawn.plain));
  write_sample_arrays(folder, drawn, model, options);
}

std::unique_ptr<OutputFolder> open_samples_folder(const SamplingOptions& options) {
  return std::make_unique<OutputFolder>(options.out, samples_output(),
                                        options.overwrite ? IfExists::overwrite : IfExists::refuse);
}

void finish_samples_folder(OutputFolder& output) {
  output.commit();
  fmt::print("{}\n", (output.path() / "samples.npz").string());
}

void make_samples_folder(const SamplingOptions& options, const std::function<void(const fs::path&)>& write) {
  const std::unique_ptr<OutputFolder> output = open_samples_folder(options);
  write(output->staging());
  finish_samples_folder(*output);
}

}  // namespace ascore::tools
