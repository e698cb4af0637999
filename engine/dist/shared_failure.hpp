#pragma once

#include "engine/dist/communicator.hpp"
#include "kernels/core/error.hpp"

#include <string>

namespace ascore::dist {

/// An error that every rank of the job throws, and knows that all do: one of them is to speak of it.
class SharedDeviceError : public DeviceError {
 public:
  SharedDeviceError(const std::string& message, bool speaks) : DeviceError(message), speaks_(speaks) {}
  bool speaks() const { return speaks_; }

 private:
  bool speaks_;
};

/// If `mine`, what went wrong on this rank while it joined the others, is not empty on some rank, all leave in good
/// order (Communicator::finish) and throw SharedDeviceError with what the first of these says.
void throw_together(Communicator& ranks, const std::string& mine);

}  // namespace ascore::dist
