#pragma once

#include "engine/dist/transport.hpp"

namespace ascore::dist {

/// True if this build has the module that links MPI (cmake option ASCORE_MPI).
extern const bool kMpiBuilt;

/// MPI_COMM_WORLD. Called where a launcher has said that this is rank `rank` of `size`: throws Error if MPI knows
/// otherwise (a launcher without MPI's support), DeviceError if this build or machine has no MPI.
std::unique_ptr<Transport> make_mpi_transport(int rank, int size);

}  // namespace ascore::dist
