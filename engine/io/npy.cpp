#include "engine/io/npy.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/stored_type.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kLongestHeader = 10'000;  // numpy's own limit

using Kind = StoredType::Kind;
struct Name {
  std::string_view text;  // after the byte order
  StoredType type;
};
constexpr Name kNames[] = {{"f8", {Kind::floating, 8}}, {"f4", {Kind::floating, 4}}, {"f2", {Kind::floating, 2}},
                           {"i8", {Kind::integer, 8}},  {"i4", {Kind::integer, 4}},  {"i2", {Kind::integer, 2}},
                           {"i1", {Kind::integer, 1}},  {"u4", {Kind::natural, 4}},  {"u2", {Kind::natural, 2}},
                           {"u1", {Kind::natural, 1}},  {"b1", {Kind::truth, 1}}};

// The header is a Python dictionary literal. This reads what numpy writes: three keys in any order, a string, a truth
// and a tuple of numbers, with spaces anywhere.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  void parse() {
    expect('{');
    while (!take('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !type) {
        type = element_type(string());
      } else if (key == "fortran_order" && !fortran) {
        fortran = truth();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        fail("an unknown or repeated key");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (!text_.empty()) fail("text after its end");
    if (!type || !fortran || !shape) fail("a missing key");
  }

  std::optional<StoredType> type;
  std::optional<bool> fortran;
  std::optional<Shape> shape;

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw DataError(fmt::format("{}: its npy header has {}", what_, why));
  }
  void skip() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }
  bool take(char c) {
    skip();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("no '{}' where one was due", c));
  }
  std::string_view string() {
    skip();
    const char quote = text_.empty() ? '\0' : text_.front();
    if (quote != '\'' && quote != '"') fail("no quoted word where one was due");
    const size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) fail("an open quote");
    const std::string_view word = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return word;
  }
  StoredType element_type(std::string_view word) const {
    const char order = word.empty() ? '\0' : word.front();
    for (const Name& known : kNames) {
      const bool single = known.type.size == 1;
      if (word.substr(std::min<size_t>(1, word.size())) != known.text) continue;
      if (order != '<' && order != '>' && order != '=' && !(order == '|' && single)) continue;
      StoredType result = known.type;
      result.big_endian = order == '>' && !single;
      return result;
    }
    throw DataError(fmt::format(
        "{}: element type '{}'; readable are f2, f4, f8, i1 to i8, u1 to u4 and b1 with <, > or |", what_, word));
  }
  bool truth() {
    skip();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return word == "True";
      }
    }
    fail("neither True nor False where one was due");
  }
  Shape tuple() {
    std::vector<int64_t> dims;
    expect('(');
    while (!take(')')) {
      int64_t value = 0;
      skip();
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) fail("a dimension that is no natural number");
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      dims.push_back(value);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    if (dims.size() > static_cast<size_t>(Shape::kMaxRank))
      fail(fmt::format("more than {} dimensions", Shape::kMaxRank));
    return Shape(std::span<const int64_t>(dims));
  }

  std::string_view text_;
  std::string_view what_;
};

// Where the header of an npy file lies, and where its data begin.
struct Layout {
  size_t header = 0, length = 0;
};

Layout layout_of(std::string_view text, std::string_view what) {
  if (text.size() < kMagic.size() + 4 || text.substr(0, kMagic.size()) != kMagic) {
    throw DataError(fmt::format("{}: not an npy array", what));
  }
  const auto byte = [&](size_t at) { return size_t{static_cast<uint8_t>(text[at])}; };
  const size_t major = byte(6), minor = byte(7);
  if (major < 1 || major > 3 || minor != 0) {
    throw DataError(fmt::format("{}: npy version {}.{}; readable are 1.0, 2.0 and 3.0", what, major, minor));
  }
  Layout layout{.header = major == 1 ? 10u : 12u, .length = 0};
  if (text.size() < layout.header) throw DataError(fmt::format("{}: truncated in its header", what));
  for (size_t at = layout.header; at-- > 8;) layout.length = 256 * layout.length + byte(at);
  if (layout.length > kLongestHeader) {
    throw DataError(
        fmt::format("{}: an npy header of {} bytes, where {} are the most", what, layout.length, kLongestHeader));
  }
  if (layout.length > text.size() - layout.header) throw DataError(fmt::format("{}: truncated in its header", what));
  return layout;
}

// In Fortran order the first dimension runs fastest.
std::vector<std::byte> to_c_order(std::span<const std::byte> data, const Shape& shape, size_t size) {
  std::vector<std::byte> result(data.size());
  const auto rank = static_cast<size_t>(shape.rank());
  std::array<size_t, Shape::kMaxRank> index{}, stride{};
  size_t step = size;
  for (size_t k = 0; k < rank; ++k) {
    stride[k] = step;
    step *= static_cast<size_t>(shape.dims()[k]);
  }
  for (size_t to = 0; to < result.size(); to += size) {
    size_t from = 0;
    for (size_t k = 0; k < rank; ++k) from += index[k] * stride[k];
    std::memcpy(result.data() + to, data.data() + from, size);
    for (size_t k = rank; k-- > 0;) {
      if (++index[k] < static_cast<size_t>(shape.dims()[k])) break;
      index[k] = 0;
    }
  }
  return result;
}

}  // namespace

std::vector<std::byte> to_npy(const HostTensor& x) {
  const auto* known = std::ranges::find_if(
      kNames, [&](const Name& n) { return readable_as(n.type) == x.dtype && n.type.size == size_of(x.dtype); });
  if (known == std::end(kNames)) throw DTypeError(fmt::format("npy cannot hold {}: convert it to f32", name(x.dtype)));
  const auto dims = x.shape.dims();
  std::string header =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", known->type.size == 1 ? '|' : '<',
                  known->text, fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
  // numpy aligns the data to 64 bytes and ends the header with a line feed.
  const size_t before = kMagic.size() + 4;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string text(kMagic);
  text += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  text += header;
  std::vector<std::byte> bytes(text.size() + x.bytes.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  std::ranges::copy(x.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(text.size()));
  return bytes;
}

HostTensor from_npy(std::span<const std::byte> bytes, std::string_view what) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Layout layout = layout_of(text, what);
  HeaderParser header(text.substr(layout.header, layout.length), what);
  header.parse();

  const std::span<const std::byte> data = bytes.subspan(layout.header + layout.length);
  const Shape& shape = *header.shape;
  const auto expected = stored_bytes(shape.dims(), header.type->size);
  if (!expected) throw DataError(fmt::format("{}: its shape is too large", what));
  if (*expected != data.size()) {
    throw DataError(
        fmt::format("{}: {} bytes of data where {} need {}", what, data.size(), to_string(shape), *expected));
  }
  std::vector<std::byte> elements =
      *header.fortran ? to_c_order(data, shape, header.type->size) : std::vector<std::byte>(data.begin(), data.end());
  return from_stored(std::move(elements), shape, *header.type);
}

void write_npy(const std::filesystem::path& path, const HostTensor& x) {
  write_file_atomically(path, to_npy(x));
}

HostTensor read_npy(const std::filesystem::path& path) {
  return from_npy(read_file(path), path.string());
}

}  // namespace ascore
