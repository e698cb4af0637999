#include "engine/data/cifar10.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr size_t kPixels = 32 * 32, kChannels = 3, kRecord = 1 + kPixels * kChannels;
constexpr int64_t kRecords = 10'000;

[[noreturn]] void fail_size(const std::filesystem::path& file, uint64_t size, int64_t records) {
  throw DataError(fmt::format("{}: {} bytes, where {} CIFAR-10 records have {}; download the binary version again",
                              file.string(), size, records, static_cast<uint64_t>(records) * kRecord));
}

void check_size(const std::filesystem::path& file) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(file, error);
  if (error) throw DataError(fmt::format("cannot read {}: {}", file.string(), error.message()));
  if (size != static_cast<uint64_t>(kRecords) * kRecord) fail_size(file, size, kRecords);
}

}  // namespace

void append_cifar10_file(const std::filesystem::path& file, int64_t records, ByteImages& images) {
  const std::vector<std::byte> bytes = read_file(file);
  const auto count = static_cast<size_t>(records);
  if (bytes.size() != count * kRecord) fail_size(file, bytes.size(), records);
  const size_t before = images.pixels.size();
  images.pixels.resize(before + count * kPixels * kChannels);
  uint8_t* out = images.pixels.data() + before;
  for (size_t n = 0; n < count; ++n) {
    const auto* record = reinterpret_cast<const uint8_t*>(bytes.data()) + n * kRecord;
    if (record[0] > 9) throw DataError(fmt::format("{}: record {} has the label {}", file.string(), n, record[0]));
    images.labels.push_back(record[0]);
    for (size_t p = 0; p < kPixels; ++p) {
      for (size_t c = 0; c < kChannels; ++c) *out++ = record[1 + c * kPixels + p];
    }
  }
}

std::unique_ptr<Dataset> open_cifar10(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: cifar10 needs the folder of its .bin files");
  const std::filesystem::path folder = config.path;
  if (!std::filesystem::is_directory(folder)) {
    throw DataError(
        fmt::format("{}: no such folder; cifar10 reads data_batch_1.bin .. 5 and test_batch.bin there "
                    "(https://www.cs.toronto.edu/~kriz/cifar.html, binary version)",
                    folder.string()));
  }
  std::vector<std::filesystem::path> files;
  for (int i = 1; i <= 5; ++i) files.push_back(folder / fmt::format("data_batch_{}.bin", i));
  files.push_back(folder / "test_batch.bin");
  for (const auto& file : files) check_size(file);  // before seconds are spent on reading

  ByteImages train, test;
  append_cifar10_file(files.back(), kRecords, test);
  files.pop_back();
  for (const auto& file : files) append_cifar10_file(file, kRecords, train);
  return std::make_unique<ByteImageDataset>(Shape{32, 32, 3}, std::move(train), std::move(test), 255.0f, preparation,
                                            seed);
}

}  // namespace ascore
