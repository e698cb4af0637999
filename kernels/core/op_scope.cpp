#include "kernels/core/op_scope.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/pick.hpp"

#include <fmt/core.h>

namespace ascore {

OpScope::OpScope(Stream& stream, const char* name, std::span<const OpArgument> arguments)
    : stream_(stream), name_(name), parent_(stream.op_), count_(arguments.size()), serial_(++stream.ops_) {
  if (arguments.size() > kMaxViews) throw Error(fmt::format("{}: more than {} views", name, kMaxViews));
  std::copy(arguments.begin(), arguments.end(), arguments_.begin());
  for (const auto& [view, use] : arguments) {
    if (view.present() && view.device() != stream.device()) {
      throw DeviceError(fmt::format("{}: an argument on {} in a stream of {}", describe(), ascore::name(view.device()),
                                    ascore::name(stream.device())));
    }
  }
  stream_.op_ = this;
}

std::string OpScope::describe() const {
  std::string text = std::string(name_) + "(";
  for (size_t i = 0; i < count_; ++i) {
    if (i) text += ", ";
    const ConstView& view = arguments_[i].view;
    text += view.present() ? ascore::name(view.dtype()) + to_string(view.shape()) : "-";
  }
  return text + ")";
}

void OpScope::fail_shape(const char* rule) const {
  throw ShapeError(fmt::format("{}: {}", describe(), rule));
}
void OpScope::fail_dtype(const char* rule) const {
  throw DTypeError(fmt::format("{}: {}", describe(), rule));
}

namespace kernels {

void throw_no_backend(const Stream& stream) {
  throw DeviceError(fmt::format("{}: not available on {} in this build",
                                stream.current_op() ? stream.current_op()->describe() : "operation",
                                name(stream.device())));
}

void throw_no_dtype(DType dtype) {
  throw DTypeError(fmt::format("no variant for {} on this device", name(dtype)));
}

}  // namespace kernels
}  // namespace ascore
