#include "engine/dist/communicator.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("a process on its own is rank 0 of 1, and its collectives give back what they got", "[engine][dist]") {
  Stream stream(Device::cpu);
  const auto self = make_self_communicator();
  CHECK(self->rank() == 0);
  CHECK(self->size() == 1);
  CHECK(self->local_rank() == 0);
  CHECK(self->is_root());
  CHECK(self->kind() == "self");

  std::vector<float> values{1.5f, -2.f, 3.f};
  const std::vector<float> before = values;
  const View view(values.data(), {3}, DType::f32, Device::cpu);
  self->all_reduce_sum(stream, view);
  self->broadcast(stream, view, 0);
  self->barrier();
  self->check();
  CHECK(values == before);

  std::vector<float> all(3, -1.f);
  const std::vector<int64_t> counts{3};
  self->all_gather(stream, view, View(all.data(), {3}, DType::f32, Device::cpu), counts);
  CHECK(all == before);
  CHECK(self->exchange("words") == std::vector<std::string>{"words"});
  CHECK_FALSE(first_differing_rank(*self, 17));
  self->finish();
}

TEST_CASE("collectives refuse arguments that make no sense, by name", "[engine][dist]") {
  Stream stream(Device::cpu);
  const auto self = make_self_communicator();
  std::vector<int32_t> integers(4);
  std::vector<float> floats(4);
  const View whole(integers.data(), {4}, DType::i32, Device::cpu), reals(floats.data(), {4}, DType::f32, Device::cpu);
  CHECK_THROWS_AS(self->all_reduce_sum(stream, whole), DTypeError);
  CHECK_THROWS_AS(self->all_reduce_sum(stream, View()), ShapeError);
  CHECK_THROWS_AS(self->all_reduce_sum(stream, View(floats.data(), {4}, DType::f32, Device::cuda)), DeviceError);
  CHECK_THROWS_AS(self->broadcast(stream, reals, 1), ShapeError);
  CHECK_THROWS_WITH(self->broadcast(stream, reals, -1), Catch::Contains("broadcast"));
  const std::vector<int64_t> right{4}, wrong{3}, two{2, 2};
  std::vector<float> room(4);
  CHECK_NOTHROW(self->all_gather(stream, reals, View(room.data(), {4}, DType::f32, Device::cpu), right));
  CHECK_THROWS_AS(self->all_gather(stream, reals, reals, wrong), ShapeError);
  CHECK_THROWS_AS(self->all_gather(stream, reals, reals, two), ShapeError);
  CHECK_THROWS_AS(self->all_gather(stream, reals, whole, right), DTypeError);
}
