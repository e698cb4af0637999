#include "engine/io/tensorboard_events.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/png.hpp"
#include "engine/io/protobuf.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include <fmt/format.h>

using namespace ascore;

namespace {

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<int>(byte));
  return text;
}

std::vector<std::filesystem::path> files_in(const test::TemporaryFolder& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// The steps of all whole records in a file, whose sums of payloads must be right.
std::vector<uint64_t> steps_in(const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = read_file(file);
  std::vector<uint64_t> steps;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof length);
    REQUIRE(length <= bytes.size() - at - 16);
    steps.push_back(protobuf_integer(std::span(bytes).subspan(at + 12, length), 2).value());
    at += length + 16;
  }
  return steps;
}

void add(TensorBoardEvents& events, int64_t step) {
  const EventValue value{"loss", 0.5};
  events.add(step, std::span(&value, 1));
}

}  // namespace

TEST_CASE("crc32c gives the published sums") {
  const auto of = [](std::string_view text) { return crc32c(std::as_bytes(std::span(text))); };
  CHECK(of("") == 0);
  CHECK(of("123456789") == 0xe3069283);            // the check value of Castagnoli's CRC
  CHECK(of(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4
  CHECK(of(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("a scalar event has the bytes that TensorFlow writes") {
  const EventValue value{"loss", 0.5};
  CHECK(hexadecimal(event_record(1.0, 7, std::span(&value, 1))) ==
        "1a00000000000000129bd82d09000000000000f03f10072a0d0a0b0a046c6f7373150000003f862c9a2f");
}

TEST_CASE("a picture travels as a PNG file with its size") {
  HostTensor picture({5, 7, 3}, DType::u8);
  for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = static_cast<std::byte>(3 * i);
  const EventValue value{"preview", picture};
  const std::string record = hexadecimal(event_record(1.0, 300, std::span(&value, 1)));
  CHECK(record.find("10ac02") != std::string::npos);              // step 300 as a varint
  CHECK(record.find("0a0770726576696577") != std::string::npos);  // the tag
  CHECK(record.find("0805"
                    "1007"
                    "1803"
                    "22") != std::string::npos);  // height, width, colour space, the file
  CHECK(record.find(hexadecimal(to_png(picture))) != std::string::npos);
  const EventValue flat{"preview", HostTensor({5, 7}, DType::u8)};
  CHECK_THROWS_AS(event_record(1.0, 1, std::span(&flat, 1)), ShapeError);
}

TEST_CASE("a resumed run cuts what comes after its step and goes on in a file of its own") {
  test::TemporaryFolder folder;
  {
    TensorBoardEvents events(folder.path(), 0);
    CHECK(files_in(folder).empty());  // nothing to tell, no file
    for (int64_t step = 1; step <= 4; ++step) add(events, step);
    events.sync();
  }
  REQUIRE(files_in(folder).size() == 1);
  const std::filesystem::path first = files_in(folder).front();
  CHECK(first.filename().string().starts_with("events.out.tfevents."));
  CHECK(steps_in(first) == std::vector<uint64_t>{0, 1, 1, 2, 3, 4});  // version, start of the session, events

  {  // a kill amid the writing of a record
    const std::vector<std::byte> whole = read_file(first);
    std::filesystem::resize_file(first, whole.size() - 1);
    TensorBoardEvents cut(folder.path(), 10);
    CHECK(steps_in(first) == std::vector<uint64_t>{0, 1, 1, 2, 3});
    write_file_atomically(first, whole);
  }
  {  // a byte changed inside the event of step 3
    std::vector<std::byte> damaged = read_file(first);
    const size_t at = damaged.size() - 2 * event_record(1.0, 3, std::vector{EventValue{"loss", 0.5}}).size();
    damaged[at + 20] ^= std::byte{1};
    const std::vector<std::byte> whole = read_file(first);
    write_file_atomically(first, damaged);
    TensorBoardEvents cut(folder.path(), 10);
    CHECK(steps_in(first) == std::vector<uint64_t>{0, 1, 1, 2});
    write_file_atomically(first, whole);
  }
  write_file_atomically(folder / "events.out.tfevents.1.host", std::string_view("another program's"));
  write_file_atomically(folder / "notes.ascore", std::string_view("no events"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1));  // file names differ by the microsecond
  {
    TensorBoardEvents events(folder.path(), 2);
    add(events, 3);
  }
  REQUIRE(files_in(folder).size() == 4);
  CHECK(steps_in(first) == std::vector<uint64_t>{0, 1, 1, 2});
  for (const std::filesystem::path& file : files_in(folder)) {
    if (file == first || file.extension() != ".ascore" || file.stem() == "notes") continue;
    CHECK(file > first);
    CHECK(steps_in(file) == std::vector<uint64_t>{0, 3, 3});
  }
  { TensorBoardEvents again(folder.path(), 0); }  // back to the beginning: no event is left, and no file of ours
  CHECK(files_in(folder).size() == 2);
}

TEST_CASE("a folder that cannot be written to is named") {
  test::TemporaryFolder folder;
  TensorBoardEvents events(folder / "absent");
  CHECK_THROWS_AS(add(events, 1), DiskError);
  CHECK_THROWS_AS(TensorBoardEvents(folder / "absent", 0), DiskError);
}
