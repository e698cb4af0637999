#pragma once

#include "engine/data/dataset.hpp"
#include "engine/io/host_tensor.hpp"
#include "engine/nn/interfaces.hpp"
#include "samplers/interpolation.hpp"
#include "samplers/sampling.hpp"
#include "tools/recipe/recipe.hpp"

#include <cstdint>
#include <functional>

namespace ascore::tools {

/// Samples in host memory, as files hold them: images u8 [N,H,W,C], points f32 [N,D].
struct DrawnSamples {
  HostTensor denoised, plain;
};

/// What is known of the samples beforehand.
struct KnownRegion {
  HostTensor references;  ///< f32 [R,...], as the network sees them: sample i is to match reference i modulo R
  HostTensor mask;        ///< u8, of one sample's shape: 1 where known
};

/// Looks on while samples are drawn, tile by tile, and changes nothing.
class DrawWatcher {
 public:
  virtual ~DrawWatcher() = default;
  /// The sampler has asked for the score of a tile's states x: evaluation by evaluation, in their order.
  virtual void asked(Ctx& ctx, const Tensor& x, double sigma, const Tensor& score) = 0;
  /// The tile is done; its first `rows` rows were asked for.
  virtual void finished(Ctx& ctx, const Samples& samples, int64_t rows) = 0;
};

/// What to draw, and how.
struct DrawRequest {
  uint64_t seed = 0;
  int64_t count = 0;  ///< of all samples, numbered from 0
  /// Which share of them to draw: they are cut into tiles, which run together anyway, and these split evenly; a rank
  /// draws none where there are fewer tiles than ranks.
  int rank = 0, ranks = 1;
  int64_t batch = 0;  ///< cuda: rows that run together; elsewhere tiles of a fixed size run, whatever it says; with
                      ///< score.standardize: at least `count`, and all run together
  SamplingPlan plan;
  Start init = Start::uniform;
  const Dataset* data = nullptr;       ///< for init `data`: sample i starts from training sample i modulo their number
  const KnownRegion* known = nullptr;  ///< inpainting
  SeedMix mix = {};                    ///< interpolation, from `seed` to another
  DrawWatcher* watcher = nullptr;      ///< steps that it looks at are not captured
};

/// Draws the request's share of the samples 0, 1, ... of a seed (or of its mixture with another). On cpu and simt their
/// bytes are a function of network, plan, seed and index alone. `progress` hears how many of all network evaluations
/// are done. Throws ConfigError.
DrawnSamples draw_samples(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network, const DrawRequest& request,
                          const std::function<void(int64_t done, int64_t all)>& progress = {});

/// All samples in one picture: a grid of images, or a scatter plot of points.
HostTensor picture(const Recipe& recipe, const HostTensor& samples);

}  // namespace ascore::tools
