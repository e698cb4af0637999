#include "engine/autograd/tape.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/core/op_observer.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace ascore {

bool Backward::wants(size_t i) const {
  return tape_.tracked_.contains(input_id(i));
}

uint64_t Backward::input_id(size_t i) const {
  return static_cast<const Tape::Node*>(node_)->inputs.at(i).id;
}

View Backward::grad_in(size_t i) {
  if (!wants(i)) return {};
  const Tape::Input& input = static_cast<const Tape::Node*>(node_)->inputs[i];
  if (tape_.gradients_.contains(input.id)) {
    to_add_.emplace_back(input.id, ctx.empty(input.shape, input.dtype, MemoryKind::gradients));
    return to_add_.back().second.view();
  }
  return (tape_.gradients_[input.id] = {tape_.slot(ctx, input), true}).tensor.view();
}

Tensor Backward::take_gradient(size_t i) {
  const uint64_t id = input_id(i);
  const auto watched = tape_.watched_.find(id);
  const bool has_own_place = watched != tape_.watched_.end() && watched->second.into;
  const auto found = tape_.gradients_.find(id);
  if (found == tape_.gradients_.end() || has_own_place) return {};
  Tensor taken = std::move(found->second.tensor);
  tape_.gradients_.erase(found);
  return taken;
}

void Backward::give(size_t i, const Tensor& gradient) {
  if (!wants(i)) return;
  const Tape::Input& input = static_cast<const Tape::Node*>(node_)->inputs[i];
  const bool has_own_place = tape_.watched_.contains(input.id) && tape_.watched_.at(input.id).into;
  if (has_own_place || tape_.gradients_.contains(input.id)) {
    copy(stream, grad_in(i), gradient);
  } else {
    tape_.gradients_[input.id] = {gradient, false};
  }
}

View Backward::workspace(size_t bytes) {
  scratch_.push_back(ctx.empty(Shape{static_cast<int64_t>(bytes)}, DType::u8, MemoryKind::workspace));
  return scratch_.back().view();
}

void Tape::watch(const Tensor& x, const Tensor& into) {
  if (into && (into.shape() != x.shape() || into.dtype() != x.dtype())) {
    throw ShapeError(fmt::format("watch: gradient {}{} for {}{}", name(into.dtype()), to_string(into.shape()),
                                 name(x.dtype()), to_string(x.shape())));
  }
  tracked_[x.id()] = true;
  watched_[x.id()] = {.shape = x.shape(), .dtype = x.dtype(), .into = into};
}

void Tape::watch_more(const Tensor& x, const Tensor& sum) {
  watch(x, sum);
  gradients_[x.id()] = {sum, true};
}

void Tape::record(const char* name, std::initializer_list<Tensor> inputs, const Tensor& output, BackwardFn backward) {
  if (std::ranges::none_of(inputs, [&](const Tensor& x) { return tracks(x); })) return;
  Node node{name, {}, output.id(), std::move(backward)};
  const bool counts = !is_repeated();
  for (const Tensor& x : inputs) {
    node.inputs.push_back({x.id(), x.shape(), x.dtype()});
    const auto watched = watched_.find(x.id());
    if (counts && watched != watched_.end()) ++watched->second.uses;
  }
  nodes_.push_back(std::move(node));
  tracked_[output.id()] = true;
}

Tensor Tape::slot(Ctx& ctx, const Input& input) {
  const auto watched = watched_.find(input.id);
  if (watched != watched_.end() && watched->second.into) return watched->second.into;
  return ctx.empty(input.shape, input.dtype, MemoryKind::gradients);
}

void Tape::run(Ctx& ctx, Node& node) {
  if (node.again) return run_again(*node.again);
  const auto found = gradients_.find(node.output);
  if (found == gradients_.end()) return;  // the loss does not depend on this output
  Tensor grad_out = found->second.tensor;
  if (!watched_.contains(node.output)) gradients_.erase(found);
  Backward backward(*this, ctx, &node, std::move(grad_out));
  node.backward(backward);
  for (auto& [id, more] : backward.to_add_) {
    Gradient& sum = gradients_.at(id);
    Tensor into = sum.owned ? sum.tensor : ctx.empty(more.shape(), more.dtype(), MemoryKind::gradients);
    kernels::scaled_add(ctx.stream, 1.0, sum.tensor, 1.0, more, into);
    sum = {into, true};
  }
}

void Tape::backward(Ctx& ctx, const Tensor& loss, const Tensor& seed) {
  if (seed) return backward(ctx, {{loss, seed}});
  if (loss.count() != 1) throw ShapeError("backward: the loss is no scalar and no seed is given");
  Tensor start = ctx.empty(loss.shape(), loss.dtype(), MemoryKind::gradients);
  kernels::fill(ctx.stream, start, 1.0);
  backward(ctx, {{loss, start}});
}

void Tape::backward(Ctx& ctx, std::initializer_list<Seed> seeds) {
  for (const auto& [of, gradient] : seeds) {
    if (!tracks(of)) throw Error("backward: the loss does not depend on anything watched");
    if (gradient.shape() != of.shape() || gradient.dtype() != of.dtype()) {
      throw ShapeError(fmt::format("backward: seed {} for {}", to_string(gradient.shape()), to_string(of.shape())));
    }
    gradients_[of.id()] = {gradient, false};
  }
  Ctx plain = ctx.detached();
  const ObservedOp observed(plain.stream, "backward");  // a trace shows its operations inside it
  run_all(plain);
}

/// No operation is left that could add to the gradient of watched tensor `id`.
void Tape::complete(Ctx& ctx, uint64_t id) {
  Watched& watched = watched_.at(id);
  watched.complete = true;
  if (!gradients_.contains(id)) {  // the loss does not depend on it
    const Tensor zeros = slot(ctx, {id, watched.shape, watched.dtype});
    fill_bytes(ctx.stream, zeros.view(), 0);
    gradients_[id] = {zeros, true};
  }
  if (told_) told_(id);
}

void Tape::run_all(Ctx& plain) {
  forget_remakes();
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    run(plain, node);
    for (const Input& input : node.inputs) {
      const auto watched = watched_.find(input.id);
      if (watched != watched_.end() && --watched->second.uses == 0) complete(plain, input.id);
    }
  }
  std::set<uint64_t> unused;
  for (const auto& [id, watched] : watched_) {
    if (!watched.complete) unused.insert(id);
  }
  for (const uint64_t id : unused) complete(plain, id);
  std::erase_if(gradients_, [&](const auto& entry) { return !watched_.contains(entry.first); });
  watched_.clear();
  tracked_.clear();
  remakes_.clear();
}

Tensor Tape::gradient(const Tensor& x) const {
  const auto found = gradients_.find(x.id());
  if (found == gradients_.end()) throw Error("gradient: this tensor was not watched");
  return found->second.tensor;
}

}  // namespace ascore
