#include "tools/profile/op_trace.hpp"

#include "kernels/core/op_scope.hpp"

#include <nlohmann/json.hpp>

namespace ascore::tools {

void OpTrace::start(Stream& stream, const MemoryLedger& ledger) {
  stream_ = &stream;
  ledger_ = &ledger;
  clock_ = std::make_unique<DeviceClock>(stream);
  stream.attached<ObservedBy>().observer = this;
}

void OpTrace::finish() {
  if (!stream_) return;
  stream_->attached<ObservedBy>().observer = nullptr;
  const std::vector<double> seconds = clock_->seconds();
  for (size_t i = 0; i < operations_.size(); ++i) {
    operations_[i].begin = seconds[marks_[i].begin];
    operations_[i].end = seconds[marks_[i].end];
  }
  clock_.reset();
  stream_ = nullptr;
}

void OpTrace::begin(Stream& stream, const char* name) {
  TracedOp op{name, {}, 0, 0, ledger_->total().live};
  if (stream.current_op()) op.arguments = stream.current_op()->describe();
  open_.push_back(operations_.size());
  operations_.push_back(std::move(op));
  marks_.push_back({clock_->mark(), 0});
}

void OpTrace::end(Stream&) {
  marks_[open_.back()].end = clock_->mark();
  open_.pop_back();
}

std::string to_chrome_trace(const std::vector<TracedOp>& operations) {
  constexpr double kMicro = 1e6;
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const TracedOp& op : operations) {
    events.push_back({{"name", op.name},
                      {"ph", "X"},
                      {"ts", op.begin * kMicro},
                      {"dur", (op.end - op.begin) * kMicro},
                      {"pid", 1},
                      {"tid", 1},
                      {"args", {{"operation", op.arguments}}}});
    events.push_back({{"name", "live bytes"},
                      {"ph", "C"},
                      {"ts", op.begin * kMicro},
                      {"pid", 1},
                      {"args", {{"bytes", op.live_bytes}}}});
  }
  return nlohmann::ordered_json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump() + "\n";
}

}  // namespace ascore::tools
