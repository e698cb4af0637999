#include "engine/nn/pytorch_layout.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <fmt/format.h>

namespace ascore {

HostTensor to_pytorch(const HostTensor& value, ParameterLayout layout) {
  if (layout == ParameterLayout::plain) return value;
  if (layout == ParameterLayout::conv) return channels_first(value);
  HostTensor row = value;
  row.shape = {1, value.shape[0], value.shape[1], value.shape[2]};
  row = channels_first(row);
  row.shape = {value.count()};
  return row;
}

HostTensor from_pytorch(const HostTensor& value, ParameterLayout layout, const Shape& shape) {
  if (layout == ParameterLayout::plain) return value;
  if (layout == ParameterLayout::conv) return channels_last(value);
  if (value.count() != shape.count()) return value;
  HostTensor row = value;
  row.shape = {1, shape[2], shape[0], shape[1]};
  row = channels_last(row);
  row.shape = shape;
  return row;
}

StateDict to_state_dict(Stream& stream, const ParameterSet& set, const Tensor& flat, const std::string& prefix) {
  StateDict state;
  for (size_t i = 0; i < set.parameters().size(); ++i) {
    const Parameter& p = *set.parameters()[i];
    state.emplace(prefix + p.name, to_pytorch(download(stream, set.slice(flat, i)), p.layout));
  }
  return state;
}

StateDict buffers_to_state_dict(Stream& stream, const ParameterSet& set, const std::string& prefix) {
  StateDict state;
  for (const Parameter* p : set.buffers()) {
    state.emplace(prefix + p->name, to_pytorch(download(stream, p->value), p->layout));
  }
  return state;
}

namespace {
/// The shape that PyTorch has for a parameter of `shape`.
Shape pytorch_shape(const Shape& shape, ParameterLayout layout) {
  if (layout == ParameterLayout::plain) return shape;
  if (layout == ParameterLayout::conv) return {shape[0], shape[3], shape[1], shape[2]};
  return {shape.count()};
}

void copy_in(Ctx& ctx, const Parameter& p, const Tensor& to, const StateDict& state, const std::string& prefix) {
  const auto found = state.find(prefix + p.name);
  if (found == state.end())
    throw DataError(fmt::format("state: '{}{}' is missing; another network's?", prefix, p.name));
  HostTensor value = from_pytorch(found->second, p.layout, p.shape);
  if (value.shape != p.shape) {
    throw DataError(fmt::format("state: '{}{}' has shape {}, the network's is {}", prefix, p.name,
                                to_string(found->second.shape), to_string(pytorch_shape(p.shape, p.layout))));
  }
  if (value.dtype != to.dtype()) value = HostTensor::from_doubles(value.to_doubles(), value.shape, to.dtype());
  copy(ctx.stream, to.view(), ConstView(value.bytes.data(), value.shape, value.dtype, Device::cpu));
}
}  // namespace

void from_state_dict(Ctx& ctx, ParameterSet& set, const Tensor& flat, const StateDict& state,
                     const std::string& prefix) {
  for (size_t i = 0; i < set.parameters().size(); ++i) {
    copy_in(ctx, *set.parameters()[i], set.slice(flat, i), state, prefix);
  }
  set.mark_changed();
}

void buffers_from_state_dict(Ctx& ctx, ParameterSet& set, const StateDict& state, const std::string& prefix) {
  for (const Parameter* p : set.buffers()) copy_in(ctx, *p, p->value, state, prefix);
}

void check_names(const ParameterSet& set, const StateDict& state, const std::string& prefix) {
  for (const auto& [name, value] : state) {
    if (name.starts_with(prefix) && !set.find(name.substr(prefix.size()))) {
      throw DataError(fmt::format("state: '{}' is no parameter of this network", name));
    }
  }
}

}  // namespace ascore
