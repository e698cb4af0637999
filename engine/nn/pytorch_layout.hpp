#pragma once

#include "engine/io/host_tensor.hpp"
#include "engine/nn/parameters.hpp"

#include <map>
#include <string>

namespace ascore {

/// A network's state as PyTorch's state_dict holds it: full names, convolution weights OIHW.
using StateDict = std::map<std::string, HostTensor>;

/// A parameter's value in PyTorch's layout (conv: OHWI to OIHW; conv_row: HWI to a vector in the order I,H,W).
HostTensor to_pytorch(const HostTensor& value, ParameterLayout layout);
/// The inverse. `shape` is the parameter's; a conv_row of another number of elements is returned as it is.
HostTensor from_pytorch(const HostTensor& value, ParameterLayout layout, const Shape& shape);

/// The trainable parameters' parts of `flat` (values, gradients, an average) under their names, each behind `prefix`.
StateDict to_state_dict(Stream& stream, const ParameterSet& set, const Tensor& flat, const std::string& prefix = "");
/// The buffers' values likewise.
StateDict buffers_to_state_dict(Stream& stream, const ParameterSet& set, const std::string& prefix = "");

/// Copies the entries of `state` that begin with `prefix` into the trainable parameters' parts of `flat`, converted to
/// the set's dtype. Throws DataError, naming the entry, if one is missing or of another shape. Other entries are not
/// looked at: see check_names.
void from_state_dict(Ctx& ctx, ParameterSet& set, const Tensor& flat, const StateDict& state,
                     const std::string& prefix = "");
/// Copies the buffers' values likewise.
void buffers_from_state_dict(Ctx& ctx, ParameterSet& set, const StateDict& state, const std::string& prefix = "");
/// Throws DataError if an entry that begins with `prefix` is no parameter or buffer of the set: a state of another
/// network.
void check_names(const ParameterSet& set, const StateDict& state, const std::string& prefix = "");

}  // namespace ascore
