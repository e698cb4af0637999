// Apart from the rest of host tensors: it needs devices, and readers do not.
#include "engine/io/host_tensor.hpp"
#include "kernels/core/memory.hpp"

namespace ascore {

Tensor upload(const Ctx& ctx, const HostTensor& x, MemoryKind kind) {
  Tensor y = ctx.empty(x.shape, x.dtype, kind);
  copy(ctx.stream, y, ConstView(x.bytes.data(), x.shape, x.dtype, Device::cpu));
  return y;
}

HostTensor download(Stream& stream, const Tensor& x) {
  HostTensor y(x.shape(), x.dtype());
  stream.synchronize();
  copy(stream, View(y.bytes.data(), y.shape, y.dtype, Device::cpu), x);
  return y;
}

}  // namespace ascore
