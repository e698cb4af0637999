#include "engine/io/tensorboard_events.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/descriptor.hpp"
#include "engine/io/png.hpp"
#include "engine/io/protobuf.hpp"
#include "kernels/core/error.hpp"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore {

namespace fs = std::filesystem;

namespace {

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
namespace event {
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace summary {
constexpr uint32_t kValue = 1, kTag = 1, kSimpleValue = 2, kImage = 4;
}
namespace image {
constexpr uint32_t kHeight = 1, kWidth = 2, kColourSpace = 3, kEncoded = 4;
}
constexpr uint32_t kSessionStatus = 1, kSessionStart = 1;

constexpr std::string_view kPrefix = "events.out.tfevents.", kSuffix = ".ascore";
constexpr size_t kBeforePayload = 12, kAfterPayload = 4;

/// The sum as records store it: TFRecord masks it, since a CRC of data that holds its own CRC is a weak one.
uint32_t masked_sum(std::span<const std::byte> bytes) {
  const uint32_t sum = crc32c(bytes);
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8u;
}

template <class T>
std::span<const std::byte> raw(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <class T>
T read_raw(std::span<const std::byte> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::vector<std::byte> record(const ProtobufWriter& message) {
  const std::vector<std::byte>& payload = message.made();
  const uint64_t length = payload.size();
  const uint32_t length_sum = masked_sum(raw(length)), payload_sum = masked_sum(payload);
  std::vector<std::byte> bytes;
  for (const auto part : {raw(length), raw(length_sum), std::span(payload), raw(payload_sum)}) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

ProtobufWriter picture_message(const HostTensor& picture) {
  const std::vector<std::byte> png = to_png(picture);  // first: it checks the shape
  ProtobufWriter message;
  message.integer(image::kHeight, static_cast<uint64_t>(picture.shape[0]));
  message.integer(image::kWidth, static_cast<uint64_t>(picture.shape[1]));
  message.integer(image::kColourSpace, static_cast<uint64_t>(picture.shape[2]));
  message.bytes(image::kEncoded, png);
  return message;
}

/// What opens a file: the version of the format, and (a session's start at `step`) the word to a reader that has seen
/// later steps of an earlier file to forget them.
std::vector<std::byte> opening(double wall_time, std::optional<int64_t> step) {
  ProtobufWriter version;
  version.number(event::kWallTime, wall_time);
  version.text(event::kFileVersion, "brain.Event:2");
  std::vector<std::byte> bytes = record(version);
  if (step) {
    ProtobufWriter status, start;
    status.integer(kSessionStatus, kSessionStart);
    start.number(event::kWallTime, wall_time);
    start.integer(event::kStep, static_cast<uint64_t>(*step));
    start.bytes(event::kSessionLog, status.made());
    const std::vector<std::byte> more = record(start);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  return bytes;
}

/// How much of an event file is whole and not after `step`; `has_step` says whether any event of a step is in it.
struct Kept {
  size_t bytes = 0;
  bool has_step = false;
};

Kept kept_part(std::span<const std::byte> file, int64_t step) {
  Kept kept;
  while (file.size() - kept.bytes >= kBeforePayload + kAfterPayload) {
    const std::span<const std::byte> rest = file.subspan(kept.bytes);
    const auto length = read_raw<uint64_t>(rest, 0);
    if (read_raw<uint32_t>(rest, 8) != masked_sum(rest.first(8))) break;
    if (length > rest.size() - kBeforePayload - kAfterPayload) break;
    const std::span<const std::byte> payload = rest.subspan(kBeforePayload, static_cast<size_t>(length));
    if (read_raw<uint32_t>(rest, kBeforePayload + payload.size()) != masked_sum(payload)) break;
    const auto at = protobuf_integer(payload, event::kStep);
    if (!at || *at > static_cast<uint64_t>(step)) break;
    kept.bytes += kBeforePayload + payload.size() + kAfterPayload;
    kept.has_step |= *at > 0;
  }
  return kept;
}

bool is_ours(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with(kPrefix) && name.ends_with(kSuffix);
}

void cut_after(const fs::path& folder, int64_t step) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_ours(entry.path())) files.push_back(entry.path());
  }
  for (const fs::path& file : files) {
    const std::vector<std::byte> bytes = read_file(file);
    const Kept kept = kept_part(bytes, step);
    if (!kept.has_step) {
      fs::remove(file);
    } else if (kept.bytes < bytes.size()) {
      fs::resize_file(file, kept.bytes);
    }
  }
}

std::chrono::microseconds now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
}

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

std::vector<std::byte> event_record(double wall_time, int64_t step, std::span<const EventValue> values) {
  ProtobufWriter all;
  for (const auto& [tag, shown] : values) {
    ProtobufWriter value;
    value.text(summary::kTag, tag);
    if (const auto* number = std::get_if<double>(&shown)) {
      value.number(summary::kSimpleValue, static_cast<float>(*number));
    } else {
      value.bytes(summary::kImage, picture_message(std::get<HostTensor>(shown)).made());
    }
    all.bytes(summary::kValue, value.made());
  }
  ProtobufWriter message;
  message.number(event::kWallTime, wall_time);
  message.integer(event::kStep, static_cast<uint64_t>(step));
  message.bytes(event::kSummary, all.made());
  return record(message);
}

TensorBoardEvents::TensorBoardEvents(fs::path folder, std::optional<int64_t> keep_to_step)
    : folder_(std::move(folder)), kept_step_(keep_to_step) {
  if (!keep_to_step) return;
  try {
    cut_after(folder_, *keep_to_step);
  } catch (const fs::filesystem_error& error) {
    throw DiskError(fmt::format("cannot shorten {}: {}", error.path1().string(), error.code().message()));
  }
}

TensorBoardEvents::~TensorBoardEvents() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void TensorBoardEvents::add(int64_t step, std::span<const EventValue> values) {
  const std::chrono::microseconds time = now();
  std::vector<std::byte> bytes;
  if (descriptor_ < 0) {
    path_ = folder_ / fmt::format("{}{:010}.{:06}{}", kPrefix, time.count() / 1000000, time.count() % 1000000, kSuffix);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0) disk_failure("open", path_);
    bytes = opening(seconds(time), kept_step_ ? std::optional(*kept_step_ + 1) : std::nullopt);
  }
  const std::vector<std::byte> event = event_record(seconds(time), step, values);
  bytes.insert(bytes.end(), event.begin(), event.end());
  write_fully(descriptor_, bytes, path_);
}

void TensorBoardEvents::sync() {
  if (descriptor_ >= 0 && ::fsync(descriptor_) != 0) disk_failure("write", path_);
}

}  // namespace ascore
