#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels::simt {

/// Tells the access checks that the host has written `view` on behalf of the operation that runs on `stream`: its
/// kernels may read what they have not written.
void host_wrote(Stream& stream, const View& view);

}  // namespace ascore::kernels::simt
