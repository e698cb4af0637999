#pragma once

#include "engine/autograd/context.hpp"
#include "engine/nn/init.hpp"
#include "engine/tensor/tensor.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ascore {

/// How a parameter's dimensions relate to those of PyTorch: the same; or a convolution weight, here [O,k,k,I], there
/// [O,I,k,k]; or one row of its matrix, here [k,k,I], there [I k k] in the order I,k,k.
enum class ParameterLayout : uint8_t { plain, conv, conv_row };

/// A named tensor of a module. Its value is absent until a ParameterSet binds it.
struct Parameter {
  std::string leaf;  ///< name inside its module: "weight"
  std::string name;  ///< dotted name from the root, equal to the original state_dict's; set by Module::parameters
  Shape shape;       ///< in our layout
  Init init;
  ParameterLayout layout = ParameterLayout::plain;
  bool trainable = true;  ///< false: a buffer, changed by forward in training mode
  Tensor value;
};

/// Parameters [O,...] of one shape that lie one behind the other in memory, in every flat tensor of a ParameterSet:
/// they keep their names, and are one matrix [parts O,...] that one product reads.
struct ParameterStack {
  std::vector<Parameter*> parts;
  Shape shape;
  Tensor value;  ///< absent until a ParameterSet binds it
};

/// A part of a network: owns its parameters and child modules, whose names make up the original state_dict's.
/// A constructor declares them with `parameter`, `buffer` and `add`; `forward` is a pure function of input and
/// parameters (but for buffers in training mode).
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// The module's function, for modules of one input. Throws Error where there is none.
  virtual Tensor forward(Ctx& ctx, const Tensor& x) const;

  /// All parameters and buffers below, depth first in order of declaration, with their full names worked out.
  std::vector<Parameter*> parameters();
  /// All stacks below, in the same order.
  std::vector<ParameterStack*> stacks();
  /// True if the output of a sample depends on the others of its batch, in this module or below: then a part of a batch
  /// is another batch.
  bool mixes_samples() const;
  /// Dotted name from the root of the tree whose `parameters` was asked last; "" for the root.
  const std::string& path() const { return path_; }

  /// Makes a child M(args...) under `name` (which may contain dots: "res1.0") and keeps it.
  template <class M, class... A>
  M* add(std::string name, A&&... args) {
    auto child = std::make_unique<M>(std::forward<A>(args)...);
    M* pointer = child.get();
    keep(std::move(name), std::move(child));
    return pointer;
  }
  /// Declares a trainable parameter of the module.
  Parameter* parameter(std::string name, const Shape& shape, const Init& init,
                       ParameterLayout layout = ParameterLayout::plain);
  /// Declares a stack of trainable parameters of one shape, called "NAME.leaf" for each of `names`, one after another.
  ParameterStack* stack(const std::vector<std::string>& names, const std::string& leaf, const Shape& shape,
                        const Init& init);
  /// Declares a tensor that is saved with the parameters but not trained.
  Parameter* buffer(std::string name, const Shape& shape, const Init& init,
                    ParameterLayout layout = ParameterLayout::plain);

 protected:
  /// For constructors of modules that take statistics of the whole batch.
  void set_mixes_samples() { mixes_samples_ = true; }

 private:
  void keep(std::string name, std::unique_ptr<Module> child);
  void claim(const std::string& name) const;
  void collect(const std::string& path, std::vector<Parameter*>& into);

  std::string path_;
  bool mixes_samples_ = false;
  std::vector<std::unique_ptr<Parameter>> own_;
  std::vector<std::unique_ptr<ParameterStack>> stacks_;
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> children_;
};

/// While it lives, allocations are entered in the memory ledger under the module's path.
class ModuleScope {
 public:
  ModuleScope(const Ctx& ctx, const Module& module) : allocator_(ctx.allocator), outer_(ctx.allocator.path()) {
    allocator_.set_path(module.path());
  }
  ~ModuleScope() { allocator_.set_path(std::move(outer_)); }
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  Allocator& allocator_;
  std::string outer_;
};

}  // namespace ascore
