#pragma once

#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Sizes of attention, as every backend sees them.
struct AttentionSizes {
  int64_t images;
  int queries, keys;           ///< of one image
  int key_width, value_width;  ///< elements of a key (and query), of a value
};

/// The rows of q, k, v or one of their gradients, all images' one after the other: part of every row of a view
/// (ConstView or View), which is `pitch` elements wide, from element `first` on.
template <class V>
struct RowsIn {
  V view;
  int pitch = 0, first = 0;

  RowsIn() = default;
  /// Whole rows.
  explicit RowsIn(const V& whole) : view(whole), pitch(whole ? static_cast<int>(whole.dim(2)) : 0) {}
  /// The `part`th of three.
  RowsIn(const V& all, int part)
      : view(all), pitch(static_cast<int>(all.dim(2))), first(part * static_cast<int>(all.dim(2) / 3)) {}

  explicit operator bool() const { return view.present(); }
  /// The first row.
  template <class T>
  auto* as() const {
    return view.template as<T>() + first;
  }
};
using AttentionRows = RowsIn<ConstView>;
using AttentionGradient = RowsIn<View>;

}  // namespace ascore::kernels
