// The shared module that links MPI: see engine/dist/mpi_module.hpp.
#include "engine/dist/mpi_module.hpp"

#include <array>
#include <cstdio>
#include <memory>

// Without the old C++ interface, which has a library of its own.
#define OMPI_SKIP_MPICXX
#define MPICH_SKIP_MPICXX
#include <mpi.h>

namespace {

int start(int* rank, int* size) {
  int provided = 0;
  if (const int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided)) return error;
  if (const int error = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)) return error;
  if (const int error = MPI_Comm_rank(MPI_COMM_WORLD, rank)) return error;
  return MPI_Comm_size(MPI_COMM_WORLD, size);
}

constexpr int kSent = -1;

/// On the heap: the program knows its address alone.
struct Request {
  MPI_Request request;
  int expected;  ///< bytes to receive; or kSent
};

template <class Begin>
int begin(void** request, int expected, Begin start_it) {
  auto made = std::make_unique<Request>(Request{MPI_REQUEST_NULL, expected});
  const int error = start_it(&made->request);
  if (error == MPI_SUCCESS) *request = made.release();
  return error;
}

int send(const void* bytes, int count, int to, int tag, void** request) {
  return begin(request, kSent,
               [&](MPI_Request* r) { return MPI_Isend(bytes, count, MPI_BYTE, to, tag, MPI_COMM_WORLD, r); });
}

int receive(void* bytes, int count, int from, int tag, void** request) {
  return begin(request, count,
               [&](MPI_Request* r) { return MPI_Irecv(bytes, count, MPI_BYTE, from, tag, MPI_COMM_WORLD, r); });
}

/// A message that is shorter than the one expected is an error here, as a longer one is to MPI.
int test(void* request, int* done) {
  auto* made = static_cast<Request*>(request);
  MPI_Status status;
  int error = MPI_Test(&made->request, done, &status);
  if (error != MPI_SUCCESS || !*done) return error;
  int count = kSent;
  if (made->expected != kSent) error = MPI_Get_count(&status, MPI_BYTE, &count);
  if (error == MPI_SUCCESS && count != made->expected) error = MPI_ERR_TRUNCATE;
  delete made;
  return error;
}

int progress() {
  int any = 0;
  return MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &any, MPI_STATUS_IGNORE);
}

int finish() {
  return MPI_Finalize();
}

void abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
}

void describe(int error, char* words, size_t room) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(error, text.data(), &length);
  std::snprintf(words, room, "%s", text.data());
}

}  // namespace

extern "C" const ascore::dist::MpiModule* ascore_mpi_module() {
  static constexpr ascore::dist::MpiModule module{start, send, receive, test, progress, finish, abort, describe};
  return &module;
}
