#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <array>
#include <initializer_list>
#include <string>

namespace ascore {

/// Marks the running operation on its stream: gives errors the operation's name and the shapes of its arguments. Opened
/// first thing in every public kernel function. All present views must lie on the stream's device (DeviceError).
class OpScope {
 public:
  static constexpr size_t kMaxViews = 16;

  /// `name` must outlive the scope (a string literal).
  OpScope(Stream& stream, const char* name, std::initializer_list<ConstView> views);
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
  /// "group_norm(f32[2,7,5,12], f32[12], -)": name and arguments, `-` for an absent one.
  std::string describe() const;

 private:
  [[noreturn]] void fail_shape(const char* rule) const;
  [[noreturn]] void fail_dtype(const char* rule) const;

  Stream& stream_;
  const char* name_;
  const OpScope* parent_;
  std::array<ConstView, kMaxViews> views_;
  size_t count_ = 0;
};

}  // namespace ascore
