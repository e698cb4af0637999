#pragma once

#include "engine/autograd/context.hpp"
#include "engine/autograd/tape.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore {

/// The parameters of a module in one flat tensor, so that optimizers, averages and checkpoints see one array. Every
/// parameter's slice starts at a multiple of 16 elements, or, inside a stack, where the one before ends; the elements
/// between are zero and stay zero in every flat tensor made by `allocate_like`. Buffers (not trained) get tensors of
/// their own. The module must outlive the set.
class ParameterSet {
 public:
  /// Allocates and binds; values are zero until `initialise` or until they are written through `find`.
  /// dtype: f32, or f64 (cpu).
  ParameterSet(Ctx& ctx, Module& module, DType dtype);

  /// Draws every parameter and buffer by its Init from Philox(seed) keyed by its name: a parameter's start does not
  /// depend on which others there are, on device, or on order. Writes to the currently bound values. `root` is put in
  /// front of every name: two networks of one run give different ones, so that equal names draw different values.
  void initialise(Ctx& ctx, uint64_t seed, std::string_view root = {});

  /// The trainable values as allocated by this set [n] (whatever is bound now).
  const Tensor& flat() const { return flat_; }
  /// The flat tensor that the module currently reads.
  const Tensor& bound() const { return bound_; }
  /// Another flat tensor of the same layout (gradients, averages, moments), zeroed.
  Tensor allocate_like(Ctx& ctx, MemoryKind kind) const;
  /// Points the module's trainable parameters at another flat tensor of this layout (an average, for sampling), with
  /// new content stamps. Throws ShapeError.
  void bind(const Tensor& flat);
  /// Asks `tape` for the gradient of every trainable parameter, written into its slice of `flat_gradients`; of stacks
  /// as a whole.
  void watch(Tape& tape, const Tensor& flat_gradients) const;
  /// The same, but what the slices hold stays: the gradients are added to it.
  void watch_more(Tape& tape, const Tensor& flat_gradients) const;
  /// Tells caches that the bound values were written. Call after every optimizer step.
  void mark_changed();

  DType dtype() const { return dtype_; }
  /// The trainable parameters, in order of declaration.
  std::span<Parameter* const> parameters() const { return trainable_; }
  std::span<Parameter* const> buffers() const { return buffers_; }
  /// The stacks: backward has one gradient for each, and none for its parts.
  std::vector<const ParameterStack*> stacks() const;
  /// The parameter or buffer of that full name; null if there is none.
  Parameter* find(const std::string& name) const;
  /// The i-th trainable parameter's part of a flat tensor, in the parameter's shape.
  Tensor slice(const Tensor& flat, size_t i) const;
  /// Number of trainable values, without the gaps between slices.
  int64_t count() const;

 private:
  /// A stack, and where its first part lies.
  struct Stacked {
    ParameterStack* stack;
    int64_t offset;
    Tensor in(const Tensor& flat) const;
  };
  DType dtype_;
  std::vector<Parameter*> trainable_, buffers_;
  std::vector<int64_t> offsets_;
  std::vector<bool> stacked_;  ///< whether the i-th trainable parameter is part of a stack
  std::vector<Stacked> stacks_;
  Tensor flat_, bound_;
};

}  // namespace ascore
