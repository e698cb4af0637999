#include "tools/build_info.hpp"

#include "engine/dist/mpi_transport.hpp"
#include "engine/io/lmdb.hpp"
#include "engine/io/webp.hpp"
#include "kernels/core/device.hpp"

namespace ascore::tools {

BuildInfo build_info() {
#ifdef __clang__
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "gcc " __VERSION__;
#endif
  return {.version = ASCORE_VERSION,
          .build_type = ASCORE_BUILD_TYPE,
          .compiler = compiler,
          .cuda = kCudaBuilt,
          .simt = kSimtBuilt,
          .onednn = ASCORE_WITH_ONEDNN != 0,
          .lmdb = kLmdbBuilt,
          .webp = kWebpBuilt,
          .mpi = dist::kMpiBuilt,
          .cuda_architectures = kCudaBuilt ? ASCORE_CUDA_ARCHITECTURES : ""};
}

}  // namespace ascore::tools
