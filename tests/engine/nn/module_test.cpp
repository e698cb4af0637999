#include "engine/nn/module.hpp"

#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
struct Leaf final : Module {
  Parameter* gain;
  Leaf() : gain(parameter("gain", {2}, Init::constant(1))) { buffer("seen", {1}, Init::zeros()); }
  Tensor forward(Ctx& ctx, const Tensor& x) const override {
    const ModuleScope scope(ctx, *this);
    return scale(ctx, x, 2);
  }
};
struct Branch final : Module {
  Module *a, *b;
  Branch() {
    a = add<Leaf>("blocks.0");
    parameter("bias", {3}, Init::zeros());
    b = add<Leaf>("last");
  }
  Tensor forward(Ctx& ctx, const Tensor& x) const override {
    const ModuleScope scope(ctx, *this);
    return b->forward(ctx, a->forward(ctx, x));
  }
};
struct Twice final : Module {
  Twice() {
    add<Leaf>("same");
    parameter("same", {1}, Init::zeros());
  }
};
struct Root final : Module {
  Module* branch = add<Branch>("branch");
};

std::vector<std::string> names(Module& module) {
  std::vector<std::string> all;
  for (const Parameter* p : module.parameters()) all.push_back(p->name);
  return all;
}
}  // namespace

TEST_CASE("a module's parameters have dotted names, own ones first, children in order", "[engine][nn]") {
  Branch branch;
  CHECK(names(branch) == std::vector<std::string>{"bias", "blocks.0.gain", "blocks.0.seen", "last.gain", "last.seen"});
  CHECK(branch.parameters()[1]->trainable);
  CHECK_FALSE(branch.parameters()[2]->trainable);
  Root root;
  CHECK(names(root).front() == "branch.bias");
  CHECK(root.branch->path() == "branch");
}

TEST_CASE("a name declared twice in a module is an error", "[engine][nn]") {
  CHECK_THROWS_WITH(Twice(), Catch::Contains("'same' is declared twice"));
}

TEST_CASE("a module without a forward of one tensor says so", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  const Root root;
  CHECK_THROWS_AS(root.forward(bench.ctx, bench.normal({2}, DType::f32, 1)), Error);
}

TEST_CASE("allocations inside a forward are entered under the module's path", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Root root;
  root.parameters();
  const Tensor x = bench.normal({2}, DType::f32, 1);
  const Tensor y = root.branch->forward(bench.ctx, x);
  const auto& paths = bench.allocator->ledger().by_path();
  REQUIRE(paths.contains("branch.blocks.0"));
  CHECK(paths.at("branch.blocks.0").live == 0);
  CHECK(paths.at("branch.blocks.0").allocations == 1);
  CHECK(paths.at("branch.last").live > 0);
  CHECK(bench.allocator->path().empty());
}
