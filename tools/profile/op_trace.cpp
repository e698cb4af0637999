#include "tools/profile/op_trace.hpp"

#include "kernels/core/op_scope.hpp"

#include <nlohmann/json.hpp>

namespace ascore::tools {

void OpTrace::start(Stream& stream, const MemoryLedger& ledger, Communicator* ranks) {
  stream_ = &stream;
  ledger_ = &ledger;
  ranks_ = ranks;
  clock_ = std::make_unique<DeviceClock>(stream);
  stream.attached<ObservedBy>().observer = this;
  clock_->mark();
  origin_ = Time::now();
  if (ranks_) ranks_->observe(this);
}

void OpTrace::finish() {
  if (!stream_) return;
  stream_->attached<ObservedBy>().observer = nullptr;
  if (ranks_) ranks_->observe(nullptr);
  const std::vector<double> seconds = clock_->seconds();
  for (size_t i = 0; i < operations_.size(); ++i) {
    operations_[i].begin = seconds[marks_[i].begin];
    operations_[i].end = seconds[marks_[i].end];
  }
  for (size_t i = 0; i < sum_marks_.size(); ++i) {
    sums_[i].begin = seconds[sum_marks_[i].begin];
    sums_[i].end = seconds[sum_marks_[i].end];
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

void OpTrace::begin_sum(void* native, size_t bytes) {
  const std::lock_guard lock(mutex_);
  sums_.push_back({bytes, seconds_now(), 0});
  if (native) sum_marks_.push_back({clock_->mark_on(native), 0});
}

void OpTrace::end_sum(void* native) {
  const std::lock_guard lock(mutex_);
  sums_.back().end = seconds_now();
  if (native) sum_marks_.back().end = clock_->mark_on(native);
}

namespace {

constexpr double kMicro = 1e6;
using Events = nlohmann::ordered_json;

Events track_name(int track, const char* name) {
  return {{"name", "thread_name"}, {"ph", "M"}, {"pid", 1}, {"tid", track}, {"args", {{"name", name}}}};
}

void add_sums(Events& events, const std::vector<TracedSum>& sums) {
  if (sums.empty()) return;
  events.push_back(track_name(1, "operations"));
  events.push_back(track_name(2, "sums between ranks"));
  for (const TracedSum& sum : sums) {
    events.push_back({{"name", "all_reduce_sum"},
                      {"ph", "X"},
                      {"ts", sum.begin * kMicro},
                      {"dur", (sum.end - sum.begin) * kMicro},
                      {"pid", 1},
                      {"tid", 2},
                      {"args", {{"bytes", sum.bytes}}}});
  }
}

}  // namespace

std::string to_chrome_trace(const OpTrace& trace) {
  Events events = Events::array();
  for (const TracedOp& op : trace.operations()) {
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
  add_sums(events, trace.sums());
  return nlohmann::ordered_json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump() + "\n";
}

}  // namespace ascore::tools
