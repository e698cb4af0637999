#include "engine/io/compression.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

namespace ascore {

namespace {

// zlib counts in unsigned int: longer data go through in pieces.
constexpr size_t kPiece = size_t{1} << 30;

Bytef* input(std::span<const std::byte> bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));  // zlib does not write it
}

// Owns an inflating stream. `window`: 15 + 16 for gzip, -15 for raw deflate.
class Inflater {
 public:
  explicit Inflater(int window) {
    if (inflateInit2(&stream_, window) != Z_OK) throw OutOfMemoryError("zlib: no memory to unpack");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Unpacks everything, to at most `limit` bytes.
  std::vector<std::byte> run(std::span<const std::byte> packed, std::string_view what, size_t limit) {
    std::vector<std::byte> result;
    size_t read = 0;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      if (stream_.avail_in == 0) {
        stream_.next_in = input(packed) + read;
        stream_.avail_in = static_cast<uInt>(std::min(kPiece, packed.size() - read));
        read += stream_.avail_in;
      }
      std::byte buffer[65536];
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      status = inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END) throw DataError(fmt::format("{}: damaged compressed data", what));
      const size_t got = sizeof buffer - stream_.avail_out;
      if (got > limit - result.size()) throw DataError(fmt::format("{}: unpacks to more than {} bytes", what, limit));
      result.insert(result.end(), buffer, buffer + got);
    }
    if (stream_.avail_in != 0 || read != packed.size()) {
      throw DataError(fmt::format("{}: bytes follow the compressed data", what));
    }
    return result;
  }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::vector<std::byte> gunzip(std::span<const std::byte> packed, std::string_view what, size_t limit) {
  return Inflater(15 + 16).run(packed, what, limit);
}

std::vector<std::byte> inflate_raw(std::span<const std::byte> packed, std::string_view what, size_t size) {
  std::vector<std::byte> result = Inflater(-15).run(packed, what, size);
  if (result.size() != size) {
    throw DataError(fmt::format("{}: unpacks to {} bytes instead of {}", what, result.size(), size));
  }
  return result;
}

std::vector<std::byte> deflate_raw(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw OutOfMemoryError("zlib: no memory to pack");
  }
  std::vector<std::byte> result(deflateBound(&stream, bytes.size()));
  size_t read = 0, written = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const size_t in = std::min(kPiece, bytes.size() - read), out = std::min(kPiece, result.size() - written);
    stream.next_in = input(bytes) + read;
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(result.data()) + written;
    stream.avail_out = static_cast<uInt>(out);
    status = deflate(&stream, read + in == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += out - stream.avail_out;
    if (status == Z_STREAM_ERROR) break;  // misuse: cannot happen here, and must not loop
  }
  deflateEnd(&stream);
  result.resize(written);
  return result;
}

}  // namespace ascore
