#include "engine/nn/module.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

Tensor Module::forward(Ctx&, const Tensor&) const {
  throw Error(fmt::format("module '{}' has no forward of one tensor", path_));
}

void Module::claim(const std::string& name) const {
  const bool taken = std::ranges::any_of(own_, [&](const auto& p) { return p->leaf == name; }) ||
                     std::ranges::any_of(children_, [&](const auto& child) { return child.first == name; });
  if (taken) throw Error(fmt::format("module: '{}' is declared twice", name));
}

Parameter* Module::parameter(std::string name, const Shape& shape, const Init& init, ParameterLayout layout) {
  claim(name);
  own_.push_back(std::make_unique<Parameter>(Parameter{std::move(name), {}, shape, init, layout, true, {}}));
  return own_.back().get();
}

Parameter* Module::buffer(std::string name, const Shape& shape, const Init& init, ParameterLayout layout) {
  Parameter* made = parameter(std::move(name), shape, init, layout);
  made->trainable = false;
  return made;
}

ParameterStack* Module::stack(const std::vector<std::string>& names, const std::string& leaf, const Shape& shape,
                              const Init& init) {
  std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
  dims.at(0) *= static_cast<int64_t>(names.size());
  ParameterStack made{{}, Shape(std::span<const int64_t>(dims)), {}};
  for (const std::string& name : names) made.parts.push_back(parameter(fmt::format("{}.{}", name, leaf), shape, init));
  stacks_.push_back(std::make_unique<ParameterStack>(std::move(made)));
  return stacks_.back().get();
}

void Module::keep(std::string name, std::unique_ptr<Module> child) {
  claim(name);
  children_.emplace_back(std::move(name), std::move(child));
}

bool Module::mixes_samples() const {
  return mixes_samples_ ||
         std::ranges::any_of(children_, [](const auto& child) { return child.second->mixes_samples(); });
}

std::vector<Parameter*> Module::parameters() {
  std::vector<Parameter*> all;
  collect("", all);
  return all;
}

std::vector<ParameterStack*> Module::stacks() {
  std::vector<ParameterStack*> all;
  for (const auto& own : stacks_) all.push_back(own.get());
  for (const auto& [name, child] : children_) {
    const std::vector<ParameterStack*> below = child->stacks();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

void Module::collect(const std::string& path, std::vector<Parameter*>& into) {
  path_ = path;
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const auto& p : own_) {
    p->name = prefix + p->leaf;
    into.push_back(p.get());
  }
  for (const auto& [name, child] : children_) child->collect(prefix + name, into);
}

}  // namespace ascore
