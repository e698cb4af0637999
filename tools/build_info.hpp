#pragma once

#include <string>

namespace ascore::tools {

/// What this program was built with.
struct BuildInfo {
  std::string version;             ///< "0.1.0"
  std::string build_type;          ///< "Release"
  std::string compiler;            ///< "gcc 12.2.0"
  bool cuda, simt, onednn;         ///< backends and libraries that are in it
  bool lmdb, webp;                 ///< formats of data sets that it reads
  bool mpi;                        ///< ranks that mpirun or srun starts
  std::string cuda_architectures;  ///< "80-real 90a-real"; empty without cuda
};
BuildInfo build_info();

}  // namespace ascore::tools
