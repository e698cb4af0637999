#pragma once

#include <cstdint>
#include <span>

namespace ascore {

struct InceptionScore {
  double mean = 0,
         deviation = 0;  ///< over the parts; the deviation is that of the parts as they are (divided by their number)
};

/// Inception score (Salimans et al. 2016, arXiv:1606.03498), exp(mean over x of KL(p(y|x) || p(y))), p(y) the mean of
/// p(y|x): between 1, for samples that all look alike or like nothing, and the number of classes. As is usual, of
/// `parts` consecutive parts of the samples, as equal as can be. `logits`: rows of `classes` values, of which p(y|x) is
/// the softmax. Throws DataError for fewer samples than parts.
InceptionScore inception_score(std::span<const double> logits, int64_t classes, int parts = 10);

}  // namespace ascore
