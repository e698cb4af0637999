#pragma once

#include <stdexcept>
#include <string>

namespace ascore {

/// Base of every exception this project throws. The message is one line: what happened, where, and what to do. The
/// derived types name causes that callers tell apart; the program maps them to its exit codes.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument has a shape that the operation does not take. Thrown before anything runs.
class ShapeError : public Error {
  using Error::Error;
};
/// An argument has a dtype that the operation does not take. Thrown before anything runs.
class DTypeError : public Error {
  using Error::Error;
};
/// No such device, driver or build; or a device call failed.
class DeviceError : public Error {
  using Error::Error;
};
/// A recipe, flag or value that makes no sense (unknown key, wrong type, step size outside its interval, output
/// exists).
class ConfigError : public Error {
  using Error::Error;
};
/// Missing, broken or foreign data, run or checkpoint.
class DataError : public Error {
  using Error::Error;
};
/// Host or device memory is exhausted.
class OutOfMemoryError : public Error {
  using Error::Error;
};
/// A non-finite loss or gradient.
class DivergedError : public Error {
  using Error::Error;
};
/// Reading or writing a file failed for a reason of the disk or the operating system.
class DiskError : public Error {
  using Error::Error;
};

}  // namespace ascore
