#include "engine/io/safetensors_header.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore {

namespace {

using nlohmann::json;
using Kind = StoredType::Kind;

struct Name {
  const char* text;
  StoredType type;
};
constexpr Name kNames[] = {{"F64", {Kind::floating, 8}}, {"F32", {Kind::floating, 4}}, {"F16", {Kind::floating, 2}},
                           {"BF16", {Kind::brain, 2}},   {"I64", {Kind::integer, 8}},  {"I32", {Kind::integer, 4}},
                           {"I16", {Kind::integer, 2}},  {"I8", {Kind::integer, 1}},   {"U32", {Kind::natural, 4}},
                           {"U16", {Kind::natural, 2}},  {"U8", {Kind::natural, 1}},   {"BOOL", {Kind::truth, 1}}};

class Parser {
 public:
  explicit Parser(const std::string& what) : what_(what) {}

  SafetensorsHeader parse(std::string_view text, uint64_t buffer) const {
    if (text.empty() || text.front() != '{') fail("the header does not begin with '{'");
    SafetensorsHeader header;
    const json parsed = parse_json(text);
    for (const auto& [name, value] : parsed.items()) {
      if (name == "__metadata__") {
        header.metadata = metadata(value);
      } else {
        header.entries.push_back(entry(name, value));
      }
    }
    std::ranges::sort(header.entries, {}, [](const SafetensorsEntry& e) { return std::pair(e.begin, e.end); });
    check_cover(header.entries, buffer);
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { throw DataError(fmt::format("{}: {}", what_, reason)); }
  [[noreturn]] void fail_tensor(const std::string& name, const std::string& reason) const {
    fail(fmt::format("tensor {}: {}", json(name).dump(), reason));  // quoted: a name may hold a line break
  }

  // nlohmann keeps the last of equal keys, and would take nesting of any depth: both end here.
  json parse_json(std::string_view text) const {
    constexpr int kDeepest = 2;  // header, tensor, shape
    std::vector<std::set<std::string>> open;
    const json::parser_callback_t callback = [&](int depth, json::parse_event_t event, json& parsed) {
      using Event = json::parse_event_t;
      if ((event == Event::object_start || event == Event::array_start) && depth > kDeepest) {
        fail("the header is nested too deeply");
      }
      if (event == Event::object_start) open.emplace_back();
      if (event == Event::object_end) open.pop_back();
      if (event == Event::key && !open.back().insert(parsed.get<std::string>()).second) {
        fail(fmt::format("the header holds {} twice", parsed.dump()));
      }
      return true;
    };
    try {
      return json::parse(text, callback);
    } catch (const json::exception&) {
      fail("the header is not valid JSON");
    }
  }

  std::map<std::string, std::string> metadata(const json& value) const {
    std::map<std::string, std::string> result;
    if (!value.is_object()) fail("__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(fmt::format("metadata {} is not text", json(key).dump()));
      result[key] = text.get<std::string>();
    }
    return result;
  }

  int64_t natural(const std::string& name, const json& value) const {
    constexpr uint64_t kMost = uint64_t{1} << 60;
    if (!value.is_number_unsigned()) fail_tensor(name, "a size or offset is no natural number");
    if (value.get<uint64_t>() > kMost) fail_tensor(name, "a size or offset is too large");
    return value.get<int64_t>();
  }

  StoredType type(const std::string& name, const json& value) const {
    const auto* known = std::ranges::find_if(kNames, [&](const Name& n) { return value == n.text; });
    if (known != std::end(kNames)) return known->type;
    std::string names;
    for (const Name& n : kNames) names += fmt::format("{}{}", names.empty() ? "" : ", ", n.text);
    fail_tensor(name, fmt::format("the unknown element type {}; readable are {}", value.dump(), names));
  }

  SafetensorsEntry entry(const std::string& name, const json& value) const {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      fail_tensor(name, "it needs exactly dtype, shape and data_offsets");
    }
    const json &shape = value["shape"], &offsets = value["data_offsets"];
    const StoredType stored = type(name, value["dtype"]);
    if (!shape.is_array() || shape.size() > static_cast<size_t>(Shape::kMaxRank)) {
      fail_tensor(name, fmt::format("no shape of at most {} dimensions", Shape::kMaxRank));
    }
    if (!offsets.is_array() || offsets.size() != 2) fail_tensor(name, "no two offsets");
    std::vector<int64_t> dims;
    for (const json& d : shape) dims.push_back(natural(name, d));
    const auto bytes = stored_bytes(dims, stored.size);
    if (!bytes) fail_tensor(name, "its shape is too large");
    const auto begin = static_cast<uint64_t>(natural(name, offsets[0]));
    const auto end = static_cast<uint64_t>(natural(name, offsets[1]));
    if (end < begin || end - begin != *bytes) {
      fail_tensor(name, fmt::format("offsets {} to {} do not fit shape {} of {}, which has {} bytes", begin, end,
                                    shape.dump(), value["dtype"].get<std::string>(), *bytes));
    }
    return {name, Shape(std::span<const int64_t>(dims)), stored, begin, end};
  }

  void check_cover(const std::vector<SafetensorsEntry>& entries, uint64_t buffer) const {
    uint64_t position = 0;
    for (const SafetensorsEntry& e : entries) {
      if (e.begin != position) {
        fail_tensor(e.name, fmt::format("begins at byte {} where {} was due: gap or overlap", e.begin, position));
      }
      position = e.end;
    }
    if (position < buffer) fail(fmt::format("{} bytes follow the last tensor", buffer - position));
    if (position > buffer) fail(fmt::format("{} bytes are missing: the file is truncated", position - buffer));
  }

  const std::string& what_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t buffer, const std::string& what) {
  return Parser(what).parse(text, buffer);
}

const char* safetensors_name(DType dtype) {
  for (const Name& known : kNames) {
    if (readable_as(known.type) == dtype && known.type.size == size_of(dtype)) return known.text;
  }
  return "?";
}

}  // namespace ascore
