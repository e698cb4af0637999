#include "engine/io/idx.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/compression.hpp"
#include "engine/io/stored_type.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

namespace {

using Kind = StoredType::Kind;
struct Code {
  uint8_t code;
  StoredType type;
};
constexpr Code kCodes[] = {{0x08, {Kind::natural, 1}},        {0x09, {Kind::integer, 1}},
                           {0x0b, {Kind::integer, 2, true}},  {0x0c, {Kind::integer, 4, true}},
                           {0x0d, {Kind::floating, 4, true}}, {0x0e, {Kind::floating, 8, true}}};
constexpr size_t kMagic = 4;  // bytes: 0, 0, type, rank

// MNIST unpacks to 47 MB; this is far above, and far below what a malicious file could unpack to.
constexpr size_t kMostUnpacked = size_t{2} << 30;

const Code* code_of(std::span<const std::byte> bytes) {
  const auto* known = std::ranges::find(kCodes, std::to_integer<uint8_t>(bytes[2]), &Code::code);
  return known == std::end(kCodes) ? nullptr : known;
}

HostTensor parse(std::span<const std::byte> bytes, std::string_view what) {
  const auto fail = [&](const std::string& reason) { throw DataError(fmt::format("{}: {}", what, reason)); };
  if (bytes.size() < kMagic || bytes[0] != std::byte{0} || bytes[1] != std::byte{0}) fail("not an idx array");
  const Code* code = code_of(bytes);
  if (!code) fail(fmt::format("an idx array with the unknown type code 0x{:02x}", std::to_integer<int>(bytes[2])));
  const auto rank = std::to_integer<size_t>(bytes[3]);
  if (rank > static_cast<size_t>(Shape::kMaxRank)) {
    fail(fmt::format("an idx array of {} dimensions, where {} are the most", rank, Shape::kMaxRank));
  }
  const size_t header = kMagic + 4 * rank;
  if (bytes.size() < header) fail("truncated in its header");
  std::vector<int64_t> dims(rank);
  for (size_t i = kMagic; i < header; ++i) {
    int64_t& dim = dims[(i - kMagic) / 4];
    dim = 256 * dim + std::to_integer<int64_t>(bytes[i]);
  }
  const Shape shape{std::span<const int64_t>(dims)};
  const auto expected = stored_bytes(dims, code->type.size);
  if (!expected) fail(fmt::format("its shape {} is too large", to_string(shape)));
  const std::span<const std::byte> data = bytes.subspan(header);
  if (data.size() != *expected) {
    fail(fmt::format("{} bytes of data where {} need {}", data.size(), to_string(shape), *expected));
  }
  return from_stored({data.begin(), data.end()}, shape, code->type);
}

}  // namespace

bool is_idx(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic && bytes[0] == std::byte{0} && bytes[1] == std::byte{0} && code_of(bytes);
}

HostTensor from_idx(std::span<const std::byte> bytes, std::string_view what) {
  return is_gzip(bytes) ? parse(gunzip(bytes, what, kMostUnpacked), what) : parse(bytes, what);
}

HostTensor read_idx(const std::filesystem::path& path) {
  return from_idx(read_file(path), path.string());
}

}  // namespace ascore
