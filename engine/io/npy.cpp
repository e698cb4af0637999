#include "engine/io/npy.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);

struct Name {
  std::string_view text;
  DType dtype;
};
constexpr Name kNames[] = {
    {"<f8", DType::f64}, {"<f4", DType::f32}, {"<i8", DType::i64}, {"<i4", DType::i32}, {"|u1", DType::u8}};

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
      if (key == "descr" && !dtype) {
        dtype = element_type(string());
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
    if (!dtype || !fortran || !shape) fail("a missing key");
    if (*fortran) throw DataError(fmt::format("{}: in Fortran order; save it with numpy.ascontiguousarray", what_));
  }

  std::optional<DType> dtype;
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
  DType element_type(std::string_view word) const {
    for (const Name& known : kNames) {
      if (known.text == word) return known.dtype;
    }
    throw DataError(fmt::format("{}: element type '{}'; readable are <f4, <f8, <i4, <i8 and |u1", what_, word));
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

}  // namespace

std::vector<std::byte> to_npy(const HostTensor& x) {
  const auto* known = std::ranges::find(kNames, x.dtype, &Name::dtype);
  if (known == std::end(kNames)) throw DTypeError(fmt::format("npy cannot hold {}: convert it to f32", name(x.dtype)));
  const auto dims = x.shape.dims();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", known->text,
                                   fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
  // numpy aligns the data to 64 bytes and ends the header with a line feed.
  const size_t before = kMagic.size() + 2;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string text(kMagic);
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  std::vector<std::byte> bytes(text.size() + x.bytes.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  std::ranges::copy(x.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(text.size()));
  return bytes;
}

HostTensor from_npy(std::span<const std::byte> bytes, std::string_view what) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t before = kMagic.size() + 2;
  if (text.size() < before || text.substr(0, 6) != kMagic.substr(0, 6)) {
    throw DataError(fmt::format("{}: not an npy array", what));
  }
  if (text.substr(0, 8) != kMagic) throw DataError(fmt::format("{}: not npy version 1.0", what));
  const size_t length = static_cast<uint8_t>(text[8]) + 256u * static_cast<uint8_t>(text[9]);
  if (length > text.size() - before) throw DataError(fmt::format("{}: truncated in its header", what));
  HeaderParser header(text.substr(before, length), what);
  header.parse();

  const std::span<const std::byte> data = bytes.subspan(before + length);
  uint64_t expected = size_of(*header.dtype);
  for (const int64_t d : header.shape->dims()) {
    const auto dim = static_cast<uint64_t>(d);
    if (dim != 0 && expected > (uint64_t{1} << 62) / dim)
      throw DataError(fmt::format("{}: its shape is too large", what));
    expected *= dim;
  }
  if (expected != data.size()) {
    throw DataError(
        fmt::format("{}: {} bytes of data where {} need {}", what, data.size(), to_string(*header.shape), expected));
  }
  HostTensor x(*header.shape, *header.dtype);
  std::ranges::copy(data, x.bytes.begin());
  return x;
}

void write_npy(const std::filesystem::path& path, const HostTensor& x) {
  write_file_atomically(path, to_npy(x));
}

HostTensor read_npy(const std::filesystem::path& path) {
  return from_npy(read_file(path), path.string());
}

}  // namespace ascore
