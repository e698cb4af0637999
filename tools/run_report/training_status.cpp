#include "tools/run_report/training_status.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore::tools {

void write_end(const std::filesystem::path& run, const TrainingStatus& status) {
  const nlohmann::ordered_json json{{"state", status.state},         {"message", status.message},
                                    {"step", status.step},           {"steps", status.steps},
                                    {"seconds", status.seconds},     {"device", status.device},
                                    {"precision", status.precision}, {"threads", status.threads},
                                    {"world_size", status.ranks},    {"peak_bytes", status.peak_bytes}};
  write_file_atomically(run / kEndFile,
                        json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::optional<TrainingStatus> read_end(const std::filesystem::path& run) {
  const std::filesystem::path file = run / kEndFile;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  const std::vector<std::byte> bytes = read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    TrainingStatus status;
    json.at("state").get_to(status.state);
    json.at("message").get_to(status.message);
    json.at("step").get_to(status.step);
    json.at("steps").get_to(status.steps);
    json.at("seconds").get_to(status.seconds);
    json.at("device").get_to(status.device);
    json.at("precision").get_to(status.precision);
    json.at("threads").get_to(status.threads);
    json.at("world_size").get_to(status.ranks);
    json.at("peak_bytes").get_to(status.peak_bytes);
    return status;
  } catch (const nlohmann::json::exception&) {
    throw DataError(fmt::format("{}: does not hold what ascore train writes there; remove it", file.string()));
  }
}

}  // namespace ascore::tools
