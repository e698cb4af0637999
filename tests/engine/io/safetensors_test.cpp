#include "engine/io/safetensors.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstring>

#include <fmt/format.h>

using namespace ascore;
using Catch::Matchers::Contains;

namespace {

void write_raw(const std::filesystem::path& path, const std::string& header, size_t buffer, int64_t length = -1) {
  const uint64_t size = length < 0 ? header.size() : static_cast<uint64_t>(length);
  std::string bytes(sizeof size, '\0');
  std::memcpy(bytes.data(), &size, sizeof size);
  bytes += header + std::string(buffer, '\x01');
  test::write_quickly(path, std::as_bytes(std::span(bytes)));
}

SafetensorsFile example() {
  SafetensorsFile file;
  file.metadata = {{"config", "{\"a\": 1}"}, {"text", "gr\xc3\xbc\xc3\x9f \"quoted\"\n"}};
  file.tensors.emplace("w", HostTensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}));
  file.tensors.emplace("double", HostTensor::from(std::vector<double>{0.1}, Shape{}));
  file.tensors.emplace("half", HostTensor::from_doubles(std::vector<double>{1.5, -2}, {2}, DType::bf16));
  file.tensors.emplace("index", HostTensor::from(std::vector<int64_t>{-1, int64_t{1} << 40}, {2}));
  file.tensors.emplace("small", HostTensor::from(std::vector<int32_t>{-7}, {1, 1}));
  file.tensors.emplace("byte", HostTensor::from(std::vector<uint8_t>{0, 255, 3}, {3}));
  file.tensors.emplace("empty", HostTensor({4, 0, 2}, DType::f32));
  return file;
}

}  // namespace

TEST_CASE("safetensors come back as they were written, in bytes that depend on nothing else") {
  test::TemporaryFolder folder;
  const SafetensorsFile file = example();
  write_safetensors(folder / "a.safetensors", file);
  write_safetensors(folder / "b.safetensors", read_safetensors(folder / "a.safetensors"));
  const SafetensorsFile back = read_safetensors(folder / "b.safetensors");
  CHECK(back.metadata == file.metadata);
  CHECK(back.tensors == file.tensors);
  CHECK(read_file(folder / "a.safetensors") == read_file(folder / "b.safetensors"));
  CHECK(read_safetensors_metadata(folder / "a.safetensors") == file.metadata);
  CHECK(back.tensors.at("half").to_doubles() == std::vector<double>{1.5, -2});
}

TEST_CASE("an empty safetensors file is a file") {
  test::TemporaryFolder folder;
  write_safetensors(folder / "none.safetensors", {});
  CHECK(read_safetensors(folder / "none.safetensors").tensors.empty());
}

TEST_CASE("broken safetensors are refused with the path and the reason") {
  test::TemporaryFolder folder;
  const auto path = folder / "broken.safetensors";
  const std::string f4 = R"("dtype":"F32","shape":[1],"data_offsets")";
  const auto [header, buffer, reason] = GENERATE_COPY(table<std::string, size_t, std::string>({
      {"{}", 3, "3 bytes follow"},
      {"[]", 0, "does not begin with"},
      {"{\"a\":", 0, "not valid JSON"},
      {"{} x", 0, "not valid JSON"},
      {"{\"\xff\":1}", 0, "not valid JSON"},
      {"{\"a\":7}", 0, "needs exactly"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "needs exactly"},
      {"{\"a\":{" + f4 + ":[0,4]}}", 3, "truncated"},
      {"{\"a\":{" + f4 + ":[0,4]},\"b\":{" + f4 + ":[2,6]}}", 6, "gap or overlap"},
      {"{\"a\":{" + f4 + ":[0,4]},\"b\":{" + f4 + ":[8,12]}}", 12, "gap or overlap"},
      {"{\"a\":{" + f4 + ":[0,4]},\"b\":{" + f4 + ":[0,4]}}", 4, "gap or overlap"},
      {"{\"a\":{" + f4 + ":[4,8]}}", 8, "gap or overlap"},
      {"{\"a\":{" + f4 + ":[0,4]},\"a\":{" + f4 + ":[4,8]}}", 8, "twice"},
      {"{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", 0, "twice"},
      {"{\"__metadata__\":{\"x\":1}}", 0, "not text"},
      {"{\"__metadata__\":[]}", 0, "not an object"},
      {"{\"a\":{" + f4 + ":[4,0]}}", 4, "do not fit"},
      {"{\"a\":{" + f4 + ":[0,8]}}", 8, "do not fit"},
      {"{\"a\":{" + f4 + ":[-4,0]}}", 4, "natural"},
      {"{\"a\":{" + f4 + ":[0,4.0]}}", 4, "natural"},
      {"{\"a\":{" + f4 + ":[0]}}", 4, "two offsets"},
      {R"({"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}})", 8, "element type"},
      {R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1, "element type"},
      {R"({"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}})", 4, "element type"},
      {" {}", 0, "does not begin with"},
      {"\xef\xbb\xbf{}", 0, "does not begin with"},
      {"", 0, "does not begin with"},
      {"{} {}", 0, "not valid JSON"},
      {"{\"a\xc0\xaf\":1}", 0, "not valid JSON"},
      {"{\"a\xed\xa0\x80\":1}", 0, "not valid JSON"},
      {"{\"a\":NaN}", 0, "not valid JSON"},
      {"{\"a\":[[[[[[[[[", 0, "nested too deeply"},
      {"{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", 0, "nested too deeply"},
      {"{\"a\":{" + f4 + ":[0,4]},\"a\":{" + f4 + ":[0,4]}}", 4, "twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "\"dtype\" twice"},
      {R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4, "\"shape\" twice"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4, "needs exactly"},
      {R"({"__metadata__":{"x":"1"},"__metadata__":{}})", 0, "twice"},
      {"{\"__metadata__\":{\"x\":null}}", 0, "not text"},
      {R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "no shape"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", 4, "natural"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4, "too large"},
      {R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})", 0, "too large"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})", 4, "too large"},
      {R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,2]}})", 2, "element type"},
      {R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1, "dimensions"},
      {R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1, "natural"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}})", 0, "too large"},
      {R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0, "too large"},
      {R"({"a":{"dtype":"U8","shape":[1e3],"data_offsets":[0,1]}})", 1, "natural"},
  }));
  CAPTURE(header);
  write_raw(path, header, buffer);
  CHECK_THROWS_AS(read_safetensors(path), DataError);
  CHECK_THROWS_WITH(read_safetensors(path), Contains(path.string()) && Contains(reason) && !Contains("\n"));
}

TEST_CASE("a wrong header length, a short file, a missing file and a folder are refused") {
  test::TemporaryFolder folder;
  const auto path = folder / "broken.safetensors";
  write_file_atomically(path, std::string_view("1234567"));
  CHECK_THROWS_WITH(read_safetensors(path), Contains("too few"));
  write_raw(path, "{}", 0, 3);
  CHECK_THROWS_WITH(read_safetensors(path), Contains("truncated"));
  write_raw(path, "{}", 0, int64_t{1} << 40);
  CHECK_THROWS_WITH(read_safetensors(path), Contains("no safetensors file"));
  write_raw(path, "{}", 0, 100'000'001);
  CHECK_THROWS_WITH(read_safetensors(path), Contains("100000000 are the most"));
  write_raw(path, "{}", 0, 100'000'000);
  CHECK_THROWS_WITH(read_safetensors(path), Contains("cut off"));
  CHECK_THROWS_AS(read_safetensors(folder / "absent"), DataError);
  CHECK_THROWS_AS(read_safetensors(folder.path()), DataError);
}

TEST_CASE("every truncation and every flipped header byte of a file is an error or a file, never a crash") {
  test::TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  write_safetensors(path, example());
  const std::vector<std::byte> whole = read_file(path);
  for (size_t size = 0; size < whole.size(); size += 7) {
    test::write_quickly(folder / "b", std::span(whole).first(size));
    CHECK_THROWS_AS(read_safetensors(folder / "b"), DataError);
  }
  for (size_t i = 0; i < whole.size(); i += 5) {
    std::vector<std::byte> changed = whole;
    changed[i] ^= std::byte{0x10};
    test::write_quickly(folder / "b", changed);
    try {
      read_safetensors(folder / "b");
    } catch (const DataError&) {
    }
  }
}

TEST_CASE("an error names the tensor that is wrong, in one line") {
  test::TemporaryFolder folder;
  const auto path = folder / "broken.safetensors";
  write_raw(path,
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b\nc":{"dtype":"U8","shape":[2],)"
            R"("data_offsets":[1,2]}})",
            2);
  CHECK_THROWS_WITH(read_safetensors(path), Contains(R"(tensor "b\nc": offsets 1 to 2)") && !Contains("\n"));
}

TEST_CASE("safetensors of types that are not computed in become the next wider one") {
  const std::string header = R"({"half":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                             R"("byte":{"dtype":"I8","shape":[1],"data_offsets":[4,5]},)"
                             R"("truth":{"dtype":"BOOL","shape":[1],"data_offsets":[5,6]}})";
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header + std::string("\x00\x3e\x00\xc0\xfe\x01", 6);
  const SafetensorsFile file = from_safetensors(std::as_bytes(std::span(bytes)), "x");
  CHECK(file.tensors.at("half") == HostTensor::from(std::vector<float>{1.5f, -2}, {2}));
  CHECK(file.tensors.at("byte") == HostTensor::from(std::vector<int32_t>{-2}, {1}));
  CHECK(file.tensors.at("truth") == HostTensor::from(std::vector<uint8_t>{1}, {1}));
}

TEST_CASE("safetensors in memory are those of a file") {
  test::TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", example());
  const auto bytes = read_file(folder / "a.safetensors");
  CHECK(from_safetensors(bytes, "x").tensors == example().tensors);
  CHECK_THROWS_WITH(from_safetensors(std::span(bytes).first(bytes.size() - 1), "x"),
                    Contains("x: 1 bytes are missing"));
}

TEST_CASE("the golden files are read whole") {
  const auto [name, count] = GENERATE(table<std::string, size_t>({{"closed_forms", 16},
                                                                  {"losses", 132},
                                                                  {"optim", 12},
                                                                  {"samplers_n1", 178},
                                                                  {"ncsnv2", 625},
                                                                  {"biggan32", 185},
                                                                  {"adv_ncsnv2_biggan32", 811}}));
  test::GoldenFile golden(name);
  CHECK(golden.names().size() == count);
  CHECK(golden.metadata("config") == name);
  for (const std::string& tensor : golden.names()) golden.tensor(tensor);
  golden.check_all_used();
}
