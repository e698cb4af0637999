#pragma once

#include <cstdint>
#include <filesystem>

namespace ascore::test {

/// Writes MNIST's four idx files with `train` and `test` images: pixel p of image n is (p + n) % 251 where p % 5 is 0
/// and 0 elsewhere, its label n % 10. `packed`: as .gz.
void write_tiny_mnist(const std::filesystem::path& folder, int64_t train, int64_t test, bool packed);

}  // namespace ascore::test
