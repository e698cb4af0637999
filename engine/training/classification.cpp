#include "engine/training/classification.hpp"

#include "engine/autograd/cross_entropy.hpp"
#include "kernels/core/memory.hpp"

namespace ascore {

namespace {

Tensor label_tensor(Ctx& ctx, int64_t count) {
  return ctx.empty({count}, DType::i32, MemoryKind::data);
}

void write_labels(Ctx& ctx, std::span<const int64_t> labels, const Tensor& into) {
  const std::vector<int32_t> narrow(labels.begin(), labels.end());
  copy(ctx.stream, into.view(), ConstView(narrow.data(), into.shape(), DType::i32, Device::cpu));
}

}  // namespace

Classification::Classification(Ctx& ctx, const Module& network, Learner& learner, int64_t batch, Recompute recompute)
    : network_(network), learner_(learner), recompute_(recompute), labels_(label_tensor(ctx, batch)) {}

void Classification::take(Ctx& ctx, std::span<const int64_t> labels) const {
  write_labels(ctx, labels, labels_);
}

void Classification::queue(Ctx& ctx, const Tensor& samples, const UpdateRecord& record) const {
  Tape tape(recompute_);
  Ctx learning = ctx;
  learning.training = true;
  learning.tape = &tape;
  learner_.watch(tape);
  const Tensor loss = cross_entropy(learning, network_.forward(learning, samples), labels_);
  learner_.minimise(learning, tape, loss, Player::classifier, record);
}

ClassVerdicts Classification::judge(Ctx& ctx, const Tensor& samples, std::span<const int64_t> labels) const {
  const Tensor logits = network_.forward(ctx, samples);
  const Tensor truth = label_tensor(ctx, samples.dim(0));
  write_labels(ctx, labels, truth);
  const Tensor losses = ctx.empty({samples.dim(0)}, logits.dtype()), hits = ctx.empty_like(losses);
  cross_entropy(ctx, logits, truth, losses, hits);
  return {.losses = ctx.to_host(losses), .hits = ctx.to_host(hits)};
}

}  // namespace ascore
