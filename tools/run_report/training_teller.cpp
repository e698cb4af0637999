#include "tools/run_report/training_teller.hpp"

#include "kernels/core/error.hpp"
#include "tools/exit_code.hpp"
#include "tools/run_report/run_page.hpp"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

TrainingTeller::TrainingTeller(std::filesystem::path run, TrainingStatus begun)
    : run_(std::move(run)), status_(std::move(begun)), first_(status_.step), begin_(std::chrono::steady_clock::now()) {}

void TrainingTeller::underway(int64_t step, size_t peak_bytes) {
  bring("training", step, peak_bytes);
  page();
}

void TrainingTeller::ended(const char* state, int64_t step, size_t peak_bytes) {
  bring(state, step, peak_bytes);
  if (step > first_ || !keeps_earlier_end()) write_end(run_, status_);
  page();
}

/// Nothing was left to train: what was told of the start that came to this step stands.
bool TrainingTeller::keeps_earlier_end() {
  try {
    const auto before = read_end(run_);
    if (!before || before->step != status_.step) return false;
    status_ = *before;
    return true;
  } catch (const DataError&) {  // damaged: written anew
    return false;
  }
}

void TrainingTeller::failed(const std::exception& error, int64_t step, size_t peak_bytes) noexcept {
  const ExitCode code = exit_code(error);
  if (code == ExitCode::usage || code == ExitCode::data) return;
  try {
    bring("failed", step, peak_bytes);
    status_.message = one_line(error);
    write_end(run_, status_);
    write_run_page(run_, status_);
  } catch (...) {  // the error that is under way says more than one about telling of it
    return;
  }
}

void TrainingTeller::bring(const char* state, int64_t step, size_t peak_bytes) {
  status_.state = state;
  status_.step = step;
  status_.peak_bytes = static_cast<int64_t>(peak_bytes);
  status_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void TrainingTeller::page() const {
  try {
    write_run_page(run_, status_);
  } catch (const DataError& error) {
    fmt::print(stderr, "ascore: no {}: {}\n", kPageFile, one_line(error));
  } catch (const ConfigError& error) {
    fmt::print(stderr, "ascore: no {}: {}\n", kPageFile, one_line(error));
  }
}

}  // namespace ascore::tools
