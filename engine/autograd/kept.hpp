#pragma once

#include "engine/autograd/context.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace ascore {

/// How to make a tensor again that is not kept.
struct Remake {
  std::function<Tensor(Ctx&)> make;
  std::weak_ptr<Storage> memory;  ///< where the values are as long as anybody holds them
};

/// A tensor as backward captures it (Tape::keep): the tensor, or how to make it again.
class Kept {
 public:
  Kept() = default;
  Kept(const Tensor& x) : tensor_(x) {}
  /// What `remake` makes, which is like x.
  Kept(std::shared_ptr<Remake> remake, const Tensor& x)
      : remake_(std::move(remake)), shape_(x.shape()), dtype_(x.dtype()) {}

  /// The tensor; made again unless somebody holds its values already. Absent if what was kept was.
  Tensor get(Ctx& ctx) const;

 private:
  Tensor tensor_;
  std::shared_ptr<Remake> remake_;
  Shape shape_{};
  DType dtype_ = DType::f32;
};

}  // namespace ascore
