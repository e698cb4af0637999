#include "engine/nn/parameters.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kAlignment = 16;  // elements

int64_t aligned(int64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}
}  // namespace

ParameterSet::ParameterSet(Ctx& ctx, Module& module, DType dtype) : dtype_(dtype) {
  for (Parameter* p : module.parameters()) (p->trainable ? trainable_ : buffers_).push_back(p);
  std::unordered_map<const Parameter*, ParameterStack*> stack_of;
  for (ParameterStack* stack : module.stacks()) {
    for (const Parameter* part : stack->parts) stack_of[part] = stack;
  }
  int64_t total = 0;
  for (const Parameter* p : trainable_) {
    const auto found = stack_of.find(p);
    stacked_.push_back(found != stack_of.end());
    const bool first = !stacked_.back() || p == found->second->parts.front();
    if (first) total = aligned(total);
    if (first && stacked_.back()) stacks_.push_back({found->second, total});
    offsets_.push_back(total);
    total += p->shape.count();
  }
  total = aligned(total);
  flat_ = ctx.zeros(Shape{total}, dtype, MemoryKind::parameters);
  bind(flat_);
  for (Parameter* p : buffers_) p->value = ctx.zeros(p->shape, dtype, MemoryKind::parameters);
}

Tensor ParameterSet::allocate_like(Ctx& ctx, MemoryKind kind) const {
  return ctx.zeros(flat_.shape(), dtype_, kind);
}

Tensor ParameterSet::slice(const Tensor& flat, size_t i) const {
  const Shape& shape = trainable_.at(i)->shape;
  return flat.rows(offsets_[i], offsets_[i] + shape.count()).alias(shape);
}

Tensor ParameterSet::Stacked::in(const Tensor& flat) const {
  return flat.rows(offset, offset + stack->shape.count()).alias(stack->shape);
}

std::vector<const ParameterStack*> ParameterSet::stacks() const {
  std::vector<const ParameterStack*> all;
  for (const Stacked& s : stacks_) all.push_back(s.stack);
  return all;
}

void ParameterSet::bind(const Tensor& flat) {
  if (flat.shape() != flat_.shape() || flat.dtype() != dtype_) {
    throw ShapeError(fmt::format("bind: {}{} for parameters {}{}", name(flat.dtype()), to_string(flat.shape()),
                                 name(dtype_), to_string(flat_.shape())));
  }
  bound_ = flat;
  for (size_t i = 0; i < trainable_.size(); ++i) trainable_[i]->value = slice(flat, i);
  for (const Stacked& s : stacks_) s.stack->value = s.in(flat);
  mark_changed();
}

void ParameterSet::watch(Tape& tape, const Tensor& flat_gradients) const {
  for (size_t i = 0; i < trainable_.size(); ++i) {
    if (!stacked_[i]) tape.watch(trainable_[i]->value, slice(flat_gradients, i));
  }
  for (const Stacked& s : stacks_) tape.watch(s.stack->value, s.in(flat_gradients));
}

void ParameterSet::watch_more(Tape& tape, const Tensor& flat_gradients) const {
  for (size_t i = 0; i < trainable_.size(); ++i) {
    if (!stacked_[i]) tape.watch_more(trainable_[i]->value, slice(flat_gradients, i));
  }
  for (const Stacked& s : stacks_) tape.watch_more(s.stack->value, s.in(flat_gradients));
}

void ParameterSet::mark_changed() {
  for (const Parameter* p : trainable_) p->value.mark_changed();
  for (const Stacked& s : stacks_) s.stack->value.mark_changed();
}

Parameter* ParameterSet::find(const std::string& name) const {
  for (const auto* list : {&trainable_, &buffers_}) {
    const auto found = std::ranges::find(*list, name, &Parameter::name);
    if (found != list->end()) return *found;
  }
  return nullptr;
}

int64_t ParameterSet::count() const {
  int64_t total = 0;
  for (const Parameter* p : trainable_) total += p->shape.count();
  return total;
}

}  // namespace ascore
