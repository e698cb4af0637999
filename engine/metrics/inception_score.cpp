#include "engine/metrics/inception_score.hpp"

#include "engine/metrics/rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ascore {

namespace {

/// ln p(y|x) of one sample.
std::vector<double> log_shares(std::span<const double> logits) {
  const double most = std::ranges::max(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - most);
  std::vector<double> result;
  for (const double logit : logits) result.push_back(logit - most - std::log(sum));
  return result;
}

/// The score of one part: mean KL(p(y|x) || p(y)) = entropy of p(y) - mean entropy of p(y|x).
double score_of(std::span<const double> logits, size_t classes) {
  const double samples = static_cast<double>(logits.size() / classes);
  std::vector<double> marginal(classes);
  double divergence = 0;
  for (size_t row = 0; row < logits.size(); row += classes) {
    const std::vector<double> logs = log_shares(logits.subspan(row, classes));
    for (size_t k = 0; k < classes; ++k) {
      const double share = std::exp(logs[k]);
      marginal[k] += share / samples;
      if (share > 0) divergence += share * logs[k] / samples;
    }
  }
  for (const double share : marginal) {
    if (share > 0) divergence -= share * std::log(share);
  }
  return std::exp(divergence);
}

}  // namespace

InceptionScore inception_score(std::span<const double> logits, int64_t classes, int parts) {
  const int64_t samples = count_rows("inception score", logits, classes, std::max(parts, 1));
  std::vector<double> scores;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * samples / parts, end = (part + 1) * samples / parts;
    const auto begin = static_cast<size_t>(first * classes), size = static_cast<size_t>((end - first) * classes);
    scores.push_back(score_of(logits.subspan(begin, size), static_cast<size_t>(classes)));
  }
  InceptionScore result;
  for (const double score : scores) result.mean += score / parts;
  for (const double score : scores) result.deviation += (score - result.mean) * (score - result.mean) / parts;
  result.deviation = std::sqrt(result.deviation);
  return result;
}

}  // namespace ascore
