#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/dist/host_communicator.hpp"
#include "kernels/core/device.hpp"

#include <functional>
#include <memory>

namespace ascore::dist {

/// A communicator for tensors on GPUs, by NCCL, one GPU per process, beside one between the hosts, which `open_host`
/// makes with the failure options it is given: that passes NCCL's id around, moves words and whatever lies on the cpu,
/// and knows who is alive. Together with all ranks. Throws SharedDeviceError (NCCL is missing or too old on one of
/// them, or cannot join them: two on one GPU), and what open_host throws.
///
/// Operations run on a stream of their own, beside the one that they are given, and inside a capture become part of the
/// graph. NCCL never blocks (its communicator is a non-blocking one), and its asynchronous errors are asked for by the
/// thread that watches the other ranks: where a rank is lost or NCCL fails, that thread aborts the communicator, which
/// ends the kernels that wait for the others; what they leave is anything, so Communicator::check comes before their
/// results are kept.
///
/// Order of sums: NCCL's rings and trees add in an order that follows from the number of ranks, their topology, the
/// size of the sum and NCCL's version; which of them is taken, a cost model says from the same (NCCL issue 457). So a
/// job that runs again on the same machines gives the same bits, and all ranks get the same of each sum (issue 855).
/// Sums inside NVLink's switches (NVLS) differ from call to call (issue 1497): they are off, NCCL_NVLS_ENABLE=0. The
/// variable NCCL_ALGO is left to the user.
///
/// On simt, which has no NCCL, `device` says whose streams take sums by a library that speaks NCCL's interface on host
/// memory: for tests.
std::unique_ptr<Communicator> make_nccl_communicator(
    const std::function<std::unique_ptr<Communicator>(FailureOptions)>& open_host, Device device,
    FailureOptions failure);

}  // namespace ascore::dist
