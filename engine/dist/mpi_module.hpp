#pragma once

#include <cstddef>

namespace ascore::dist {

/// What the program asks of MPI: the table that the shared module `ascore_mpi` hands out, opened when a launcher has
/// started more than one process. Linking libmpi itself would cost every start of the program (and every machine
/// without it its program). All functions are called by one thread. They return MPI's error code, 0 for success.
struct MpiModule {
  /// MPI_Init_thread with MPI_THREAD_FUNNELED; errors are returned from here on.
  int (*start)(int* rank, int* size);
  /// At most 2^31 - 1 bytes; `request` is given back by `test` when it says that the message is through.
  int (*send)(const void* bytes, int count, int to, int tag, void** request);
  int (*receive)(void* bytes, int count, int from, int tag, void** request);
  int (*test)(void* request, int* done);
  /// Lets the library move what it has taken.
  int (*progress)();
  int (*finish)();
  void (*abort)(int exit_code);
  /// The words for an error code, ended by 0.
  void (*describe)(int error, char* words, size_t room);
};

/// The module's only symbol: const MpiModule* ascore_mpi_module().
inline constexpr const char* kMpiModuleSymbol = "ascore_mpi_module";

}  // namespace ascore::dist
