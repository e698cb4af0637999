#include "engine/training/training_ranks.hpp"

#include "engine/data/share.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/host_tensor.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace ascore {

TrainingRanks::TrainingRanks(Communicator& ranks, int64_t batch, size_t bucket_bytes)
    : ranks_(ranks), buckets_(ranks, bucket_bytes) {
  if (batch < ranks.size()) {
    throw ConfigError(
        fmt::format("training.batch_size = {}: {} ranks need a sample each at least", batch, ranks.size()));
  }
  for (int rank = 0; rank < ranks.size(); ++rank) counts_.push_back(share_of(batch, rank, ranks.size()).count);
  const Share mine = share_of(batch, ranks.rank(), ranks.size());
  share_ = {.global = batch, .first = mine.first, .count = mine.count};
}

BatchPeers TrainingRanks::peers() {
  if (alone()) return {};
  return {
      .gather =
          [this](Ctx& ctx, const Tensor& local) {
            const Tensor all = ctx.empty({share_.global}, local.dtype());
            ranks_.all_gather(ctx.stream, local, all.view(), counts_);
            return all;
          },
      .sum = [this](Ctx& ctx, const Tensor& values) { ranks_.all_reduce_sum(ctx.stream, values.view()); },
      .begin_gradients = [this](Ctx& ctx, Tape& tape, const Learner& learner) { begin_gradients(ctx, tape, learner); },
      .end_gradients = [this](Ctx& ctx) { buckets_.wait(ctx.stream); }};
}

/// Sums start as backward tells of the parameters whose gradients are complete, each with the gap behind it.
void TrainingRanks::begin_gradients(Ctx& ctx, Tape& tape, const Learner& learner) {
  const ParameterSet& parameters = learner.parameters;
  const auto* const origin = static_cast<const std::byte*>(learner.gradients.view().raw());
  const auto size = static_cast<int64_t>(size_of(parameters.dtype()));
  std::unordered_map<uint64_t, BatchPart> places;
  int64_t end = learner.gradients.count();
  for (size_t i = parameters.parameters().size(); i-- > 0;) {
    const auto* const slice = static_cast<const std::byte*>(parameters.slice(learner.gradients, i).view().raw());
    const int64_t first = (slice - origin) / size;
    places[parameters.parameters()[i]->value.id()] = {first, end};
    end = first;
  }
  for (const ParameterStack* stack : parameters.stacks()) {
    const BatchPart first = places.at(stack->parts.front()->value.id());
    const BatchPart last = places.at(stack->parts.back()->value.id());
    places[stack->value.id()] = {first.begin, last.end};
  }
  buckets_.begin(learner.gradients.view());
  tape.when_complete([this, &stream = ctx.stream, places = std::move(places)](uint64_t id) {
    const auto place = places.find(id);
    if (place != places.end()) buckets_.ready(stream, place->second.begin, place->second.end);
  });
}

bool TrainingRanks::any(bool mine) {
  if (alone()) return mine;
  const std::vector<std::string> all = ranks_.exchange(mine ? "1" : "0");
  return std::ranges::find(all, "1") != all.end();
}

std::vector<double> TrainingRanks::joined(const std::vector<double>& mine) {
  std::vector<double> all;
  const std::string_view bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(double));
  for (const std::string& words : ranks_.exchange(bytes)) {
    const size_t before = all.size();
    all.resize(before + words.size() / sizeof(double));
    std::copy_n(words.data(), words.size(), reinterpret_cast<char*>(all.data() + before));
  }
  return all;
}

void TrainingRanks::require_equal(Ctx& ctx, std::span<const Learner* const> learners, int64_t step) {
  Checksum sum;
  for (const Learner* learner : learners) {
    sum.add(download(ctx.stream, learner->parameters.flat()).bytes);
    for (const Parameter* buffer : learner->parameters.buffers()) sum.add(download(ctx.stream, buffer->value).bytes);
  }
  if (const auto rank = first_differing_rank(ranks_, sum.value())) {
    throw RanksDifferError(fmt::format(
        "step {}: the parameters of rank {} are not those of rank 0; its memory or its build differs: look at its "
        "machine, and go on with --resume",
        step, *rank));
  }
}

}  // namespace ascore
