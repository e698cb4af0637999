#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ascore {

/// What TensorBoard shows under a tag at one step: a number (kept as f32), or a picture u8 [H,W,C] with 1, 3 or 4
/// channels.
struct EventValue {
  std::string tag;
  std::variant<double, HostTensor> shown;
};

/// One event as it stands in an event file: a TFRecord (length, masked CRC-32C of the length, payload, masked CRC-32C
/// of the payload) around the protocol buffer `tensorflow.Event` with a summary. `wall_time` in seconds since 1970.
/// Throws ShapeError and DTypeError for a picture that PNG cannot hold.
std::vector<std::byte> event_record(double wall_time, int64_t step, std::span<const EventValue> values);

/// The event files of a folder, `events.out.tfevents.SECONDS.MICROSECONDS.ascore`, named by when they were begun. One
/// object writes one file, which appears with the first event; an event reaches the system in one write, so that a kill
/// loses at most the one being written.
class TensorBoardEvents {
 public:
  /// With `keep_to_step`, first cuts from the folder's event files what comes after that step, and what a kill has left
  /// unfinished: a resumed run writes it again, into a file of its own, which a TensorBoard that is watching finds.
  /// Other programs' event files are left alone. Throws DiskError.
  explicit TensorBoardEvents(std::filesystem::path folder, std::optional<int64_t> keep_to_step = std::nullopt);
  ~TensorBoardEvents();
  TensorBoardEvents(const TensorBoardEvents&) = delete;
  TensorBoardEvents& operator=(const TensorBoardEvents&) = delete;

  /// One event. Steps must not decrease.
  void add(int64_t step, std::span<const EventValue> values);
  /// Waits until every event is on the disk.
  void sync();

 private:
  std::filesystem::path folder_, path_;
  std::optional<int64_t> kept_step_;
  int descriptor_ = -1;
};

}  // namespace ascore
