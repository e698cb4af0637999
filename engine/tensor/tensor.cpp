#include "engine/tensor/tensor.hpp"

#include "kernels/core/error.hpp"

#include <atomic>

#include <fmt/format.h>

namespace ascore {

namespace {
/// Identities and content stamps only have to differ from each other within a process.
uint64_t next_number() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}
}  // namespace

struct Tensor::Impl {
  std::shared_ptr<Storage> storage;
  size_t offset;
  Shape shape;
  DType dtype;
  uint64_t id, stamp;
};

Tensor::Tensor(std::shared_ptr<Storage> storage, size_t offset, const Shape& shape, DType dtype) {
  const size_t bytes = static_cast<size_t>(shape.count()) * size_of(dtype);
  if (offset + bytes > storage->bytes()) {
    throw ShapeError(fmt::format("tensor {}{} at byte {} of a storage of {}", name(dtype), to_string(shape), offset,
                                 storage->bytes()));
  }
  impl_ = std::make_shared<Impl>(Impl{std::move(storage), offset, shape, dtype, next_number(), 0});
}

const Shape& Tensor::shape() const {
  static const Shape empty{0};
  return impl_ ? impl_->shape : empty;
}
DType Tensor::dtype() const {
  return impl_ ? impl_->dtype : DType::f32;
}
Device Tensor::device() const {
  return impl_ ? impl_->storage->device() : Device::cpu;
}
uint64_t Tensor::id() const {
  return impl_ ? impl_->id : 0;
}

const std::shared_ptr<Storage>& Tensor::storage() const {
  static const std::shared_ptr<Storage> none;
  return impl_ ? impl_->storage : none;
}

Tensor::operator ConstView() const {
  if (!impl_) return {};
  return {static_cast<char*>(impl_->storage->data()) + impl_->offset, impl_->shape, impl_->dtype,
          impl_->storage->device(), impl_->stamp};
}
Tensor::operator View() {
  return view();
}

View Tensor::view() const {
  if (!impl_) return {};
  return {static_cast<char*>(impl_->storage->data()) + impl_->offset, impl_->shape, impl_->dtype,
          impl_->storage->device()};
}

Tensor Tensor::alias(const Shape& shape) const {
  if (shape.count() != count()) {
    throw ShapeError(fmt::format("alias: {} as {}", to_string(this->shape()), to_string(shape)));
  }
  return Tensor(impl_->storage, impl_->offset, shape, impl_->dtype);
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > dim(0)) {
    throw ShapeError(fmt::format("rows [{},{}) of {}", begin, end, to_string(shape())));
  }
  std::array<int64_t, Shape::kMaxRank> dims{};
  std::copy(shape().dims().begin(), shape().dims().end(), dims.begin());
  dims[0] = end - begin;
  const Shape part(std::span<const int64_t>(dims.data(), shape().dims().size()));
  const size_t row_bytes = dim(0) == 0 ? 0 : bytes() / static_cast<size_t>(dim(0));
  return Tensor(impl_->storage, impl_->offset + static_cast<size_t>(begin) * row_bytes, part, impl_->dtype);
}

void Tensor::mark_changed() const {
  if (impl_) impl_->stamp = next_number();
}

}  // namespace ascore
