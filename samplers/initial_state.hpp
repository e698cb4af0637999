#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/core/step_scalars.hpp"

#include <cstdint>
#include <string_view>

namespace ascore {

/// Where sampling starts: `uniform` over the range of the values, `prior` normal with sd sigma_1, `data` plus noise
/// sigma_1.
enum class Start : uint8_t { uniform, prior, data };
const char* name(Start start);
/// Throws ConfigError naming the known ones.
Start parse_start(std::string_view text);

/// Initial states [N,...], f32 (f64 where networks compute in it): row n is sample key.first_sample + n, whatever the batch.
/// Uniform in (low, high]: [0,1] for images without transform, [-1,1] for rescaled ones, [-3,3] for point data.
Tensor uniform_start(Ctx& ctx, const Shape& shape, double low, double high, const NoiseKey& key);
/// sigma z.
Tensor prior_start(Ctx& ctx, const Shape& shape, double sigma, const NoiseKey& key);
/// data + sigma z, of data's shape and dtype (f32, f64).
Tensor data_start(Ctx& ctx, const Tensor& data, double sigma, const NoiseKey& key);

}  // namespace ascore
