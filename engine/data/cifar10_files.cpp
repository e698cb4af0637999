#include "engine/data/cifar10_files.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/compression.hpp"
#include "engine/io/tar.hpp"
#include "kernels/core/error.hpp"

#include <map>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr size_t kPixels = 32 * 32, kChannels = 3, kRecord = 1 + kPixels * kChannels;
constexpr int64_t kRecords = 10'000;
constexpr size_t kMostUnpacked = size_t{1} << 28;  // the published archive unpacks to 184 MB
constexpr const char* kTrainFiles[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                       "data_batch_5.bin"};
constexpr const char* kTestFile = "test_batch.bin";

void check_size(std::string_view what, uint64_t size, int64_t records) {
  const uint64_t wanted = static_cast<uint64_t>(records) * kRecord;
  if (size == wanted) return;
  throw DataError(fmt::format("{}: {} bytes, where {} CIFAR-10 records have {}; download the binary version again",
                              what, size, records, wanted));
}

void append_records(std::span<const std::byte> bytes, std::string_view what, int64_t records, ByteImages& images) {
  check_size(what, bytes.size(), records);
  const auto count = static_cast<size_t>(records);
  const size_t before = images.pixels.size();
  images.pixels.resize(before + count * kPixels * kChannels);
  uint8_t* out = images.pixels.data() + before;
  for (size_t n = 0; n < count; ++n) {
    const auto* record = reinterpret_cast<const uint8_t*>(bytes.data()) + n * kRecord;
    if (record[0] > 9) throw DataError(fmt::format("{}: record {} has the label {}", what, n, record[0]));
    images.labels.push_back(record[0]);
    for (size_t p = 0; p < kPixels; ++p) {
      for (size_t c = 0; c < kChannels; ++c) *out++ = record[1 + c * kPixels + p];
    }
  }
}

ByteImageSplits read_folder(const std::filesystem::path& folder) {
  const auto check = [&](const char* name) {  // all of them, before seconds are spent on reading
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(folder / name, error);
    if (error) throw DataError(fmt::format("cannot read {}: {}", (folder / name).string(), error.message()));
    check_size((folder / name).string(), size, kRecords);
  };
  for (const char* name : kTrainFiles) check(name);
  check(kTestFile);
  ByteImageSplits splits{.sample_shape = {32, 32, 3}, .train = {}, .test = {}};
  append_cifar10_file(folder / kTestFile, kRecords, splits.test);
  for (const char* name : kTrainFiles) append_cifar10_file(folder / name, kRecords, splits.train);
  return splits;
}

}  // namespace

void append_cifar10_file(const std::filesystem::path& file, int64_t records, ByteImages& images) {
  append_records(read_file(file), file.string(), records, images);
}

ByteImageSplits from_cifar10_archive(std::span<const std::byte> archive, std::string_view what, int64_t records) {
  if (is_gzip(archive)) return from_cifar10_archive(gunzip(archive, what, kMostUnpacked), what, records);
  std::map<std::string, std::span<const std::byte>> files;
  for (const TarMember& member : tar_members(archive, what)) {
    const std::string name = member.name.substr(member.name.rfind('/') + 1);
    if (!files.emplace(name, member.bytes).second) throw DataError(fmt::format("{}: holds {} twice", what, name));
  }
  const auto append = [&](const char* name, ByteImages& images) {
    const auto found = files.find(name);
    if (found == files.end()) {
      throw DataError(
          fmt::format("{}: holds no {}; give CIFAR-10's binary version, cifar-10-binary.tar.gz", what, name));
    }
    append_records(found->second, fmt::format("{}: {}", what, name), records, images);
  };
  ByteImageSplits splits{.sample_shape = {32, 32, 3}, .train = {}, .test = {}};
  append(kTestFile, splits.test);
  for (const char* name : kTrainFiles) append(name, splits.train);
  return splits;
}

ByteImageSplits read_cifar10(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return read_folder(path);
  if (std::filesystem::is_regular_file(path, error)) return from_cifar10_archive(read_file(path), path.string());
  throw DataError(
      fmt::format("{}: no such folder or archive; cifar10 reads data_batch_1.bin .. 5 and test_batch.bin there, or "
                  "cifar-10-binary.tar.gz (https://www.cs.toronto.edu/~kriz/cifar.html, binary version)",
                  path.string()));
}

}  // namespace ascore
