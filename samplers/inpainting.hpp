#pragma once

#include "kernels/core/step_scalars.hpp"
#include "samplers/score.hpp"

namespace ascore {

/// Inpainting: before every evaluation of the score the known region is replaced by reference + sigma z, so that the
/// rest is sampled in its company (Song & Ermon 2019, arXiv:1907.05600, appendix B.3). What it returns is handed to a
/// sampler as its StateEdit.
///
///   reference   [N,...]  as x: what row n's known elements are
///   mask        [...]    u8, of one sample's shape: 1 where known
/// Row n belongs to sample key.first_sample + n, evaluation k to step key.step + k.
StateEdit keep_known(Tensor reference, Tensor mask, const NoiseKey& key);

}  // namespace ascore
