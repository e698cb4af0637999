#include "engine/data/cifar10_files.hpp"
#include "engine/io/compression.hpp"
#include "tests/fuzz/reads.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

constexpr size_t kBlock = 512, kSize = 124, kChecksum = 148;

// Sums up every header again, following the sizes: else the fuzzer would see little but wrong checksums.
void repair_checksums(std::span<uint8_t> archive) {
  while (archive.size() >= kBlock) {
    const auto header = archive.first(kBlock);
    std::fill_n(header.begin() + kChecksum, 8, ' ');
    unsigned sum = 0;
    for (const uint8_t byte : header) sum += byte;
    if (sum == 8 * ' ') {  // zeros: the end
      std::fill_n(header.begin() + kChecksum, 8, 0);
      return;
    }
    std::snprintf(reinterpret_cast<char*>(header.data()) + kChecksum, 8, "%06o", sum);
    size_t size = 0;
    for (const uint8_t digit : header.subspan(kSize, 11)) size = 8 * size + (digit & 7u);
    const size_t padded = (size + kBlock - 1) / kBlock * kBlock;
    archive = archive.subspan(std::min(archive.size(), kBlock + padded));
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 != 0) repair_checksums({data, size});
  return size;
}

// Packed archives hold a record in every file, others none: small inputs are fast, and both paths are gone through.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ascore::fuzz::reads(
      data, size, [](auto bytes) { ascore::from_cifar10_archive(bytes, "input", ascore::is_gzip(bytes) ? 1 : 0); });
}
