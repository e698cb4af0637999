#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <array>
#include <initializer_list>
#include <span>
#include <string>

namespace ascore {

/// An argument of an operation, and what its kernels may do with it: a ConstView is read, a View is written (and may be
/// read where this operation has written it), in_out(view) is both. The emulated device holds kernels to it.
struct OpArgument {
  enum class Use : uint8_t { input, output, in_out };
  ConstView view;
  Use use;

  OpArgument() : use(Use::input) {}
  OpArgument(const ConstView& v) : view(v), use(Use::input) {}
  OpArgument(const View& v) : view(v), use(Use::output) {}
  OpArgument(const View& v, Use u) : view(v), use(u) {}
};

/// A view whose old elements the operation reads before it writes new ones.
inline OpArgument in_out(const View& view) {
  return {view, OpArgument::Use::in_out};
}

/// Marks the running operation on its stream: gives errors the operation's name and the shapes of its arguments. Opened
/// first thing in every public kernel function, with every view that its kernels touch, workspaces included: on the
/// emulated device a kernel that touches other memory is an error. All present views must lie on the stream's device
/// (DeviceError).
class OpScope {
 public:
  static constexpr size_t kMaxViews = 16;

  /// `name` must outlive the scope (a string literal).
  OpScope(Stream& stream, const char* name, std::initializer_list<OpArgument> arguments)
      : OpScope(stream, name, std::span(arguments.begin(), arguments.size())) {}
  OpScope(Stream& stream, const char* name, std::span<const OpArgument> arguments);
  ~OpScope() { stream_.op_ = parent_; }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

  /// Throws ShapeError "<op>: <rule>; given f32[2,3] f32[4]" unless `holds`. `rule` says what must be true.
  void require(bool holds, const char* rule) const {
    if (!holds) fail_shape(rule);
  }
  /// Throws DTypeError in the same form.
  void require_dtype(bool holds, const char* rule) const {
    if (!holds) fail_dtype(rule);
  }

  const char* name() const { return name_; }
  std::span<const OpArgument> arguments() const { return {arguments_.data(), count_}; }
  /// Differs from that of any other operation of the stream.
  uint64_t serial() const { return serial_; }
  /// "group_norm(f32[2,7,5,12], f32[12], -)": name and arguments, `-` for an absent one.
  std::string describe() const;

 private:
  [[noreturn]] void fail_shape(const char* rule) const;
  [[noreturn]] void fail_dtype(const char* rule) const;

  Stream& stream_;
  const char* name_;
  const OpScope* parent_;
  std::array<OpArgument, kMaxViews> arguments_;
  size_t count_;
  uint64_t serial_;
};

}  // namespace ascore
