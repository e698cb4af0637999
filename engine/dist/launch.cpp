#include "engine/dist/launch.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace ascore {

namespace {

/// What one source says. `names` are its words for rank, size and local rank.
struct Statement {
  std::string source;
  std::array<std::string, 3> names;
  std::optional<int> rank, size, local_rank;

  bool present() const { return rank && size; }
  std::string words() const {
    std::string text = fmt::format("{} ({} and {}) says rank {} of {}", source, names[0], names[1], *rank, *size);
    if (local_rank) text += fmt::format(", local rank {}", *local_rank);
    return text;
  }
};

std::optional<int> number(const Variables& variable, const std::string& name) {
  const char* text = variable(name.c_str());
  if (!text || !*text) return std::nullopt;
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value < 0) {
    throw ConfigError(fmt::format("{}='{}' is no whole number; unset it, or let a launcher set it", name, text));
  }
  return value;
}

Statement of_variables(const Variables& variable, std::string source, std::array<std::string, 3> names) {
  Statement statement{std::move(source), std::move(names), {}, {}, {}};
  statement.rank = number(variable, statement.names[0]);
  statement.size = number(variable, statement.names[1]);
  statement.local_rank = number(variable, statement.names[2]);
  return statement;
}

void check_whole(const Statement& statement) {
  if (statement.rank.has_value() == statement.size.has_value()) return;
  const bool rank = statement.rank.has_value();
  throw ConfigError(fmt::format("{} is given, {} is not: give both, or none", statement.names[rank ? 0 : 1],
                                statement.names[rank ? 1 : 0]));
}

void check_possible(const Statement& statement) {
  if (*statement.size >= 1 && *statement.rank < *statement.size) return;
  throw ConfigError(fmt::format("{}: ranks go from 0 to one less than their number", statement.words()));
}

void check_agreement(const Statement& one, const Statement& other) {
  const bool locals_agree = !one.local_rank || !other.local_rank || *one.local_rank == *other.local_rank;
  if (*one.rank == *other.rank && *one.size == *other.size && locals_agree) return;
  throw ConfigError(fmt::format("{}, but {}; start ranks in one way only", one.words(), other.words()));
}

/// `said_by`: the option or the variables that say it.
Rendezvous parse_rendezvous(const std::string& text, const char* said_by = "--rendezvous") {
  const auto fail = [&] {
    throw ConfigError(fmt::format("{} {}: takes mpi, file:PATH or tcp:HOST:PORT", said_by, text));
  };
  Rendezvous rendezvous;
  if (text == "mpi") {
    rendezvous.kind = Rendezvous::Kind::mpi;
  } else if (text.starts_with("file:") && text.size() > 5) {
    rendezvous.kind = Rendezvous::Kind::file;
    rendezvous.path = text.substr(5);
  } else if (text.starts_with("tcp:")) {
    rendezvous.kind = Rendezvous::Kind::tcp;
    const size_t colon = text.rfind(':');
    const char* end = text.data() + text.size();
    if (colon < 5 || std::from_chars(text.data() + colon + 1, end, rendezvous.port).ptr != end || rendezvous.port < 1 ||
        rendezvous.port > 65535) {
      fail();
    }
    rendezvous.host = text.substr(4, colon - 4);
  } else {
    fail();
  }
  return rendezvous;
}

}  // namespace

Placement find_placement(const LaunchFlags& flags, const Variables& variable) {
  const Statement said{
      "the command line", {"--rank", "--world-size", "--local-rank"}, flags.rank, flags.world_size, flags.local_rank};
  const Statement torchrun = of_variables(variable, "torchrun", {"RANK", "WORLD_SIZE", "LOCAL_RANK"});
  const Statement open_mpi = of_variables(
      variable, "Open MPI", {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"});
  const Statement pmi = of_variables(variable, "PMI", {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"});
  // Without a number of tasks this is no task of a step: Slurm sets SLURM_PROCID for batch scripts too.
  Statement slurm = of_variables(variable, "Slurm", {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"});
  if (!slurm.size || open_mpi.present() || pmi.present()) slurm = {};

  std::vector<const Statement*> present;
  for (const Statement* one : std::array<const Statement*, 5>{&said, &torchrun, &open_mpi, &pmi, &slurm}) {
    check_whole(*one);
    if (one->present()) present.push_back(one);
  }
  for (const Statement* one : present) {
    check_possible(*one);
    check_agreement(*present.front(), *one);
  }
  Placement placement;
  if (!flags.rendezvous.empty()) placement.rendezvous = parse_rendezvous(flags.rendezvous);
  if (present.empty()) {
    if (flags.local_rank)
      throw ConfigError("--local-rank is given, --rank and --world-size are not: give all, or none");
    if (!flags.rendezvous.empty()) {
      throw ConfigError(
          fmt::format("--rendezvous {}: of which rank? Give --rank and --world-size too, or start by mpirun, "
                      "srun or torchrun",
                      flags.rendezvous));
    }
    return placement;
  }
  placement.rank = *present.front()->rank;
  placement.size = *present.front()->size;
  placement.local_rank = -1;
  placement.source = present.front() == &said ? "flags" : present.front()->source;
  for (const Statement* one : present) {
    if (placement.local_rank < 0 && one->local_rank) placement.local_rank = *one->local_rank;
  }
  if (placement.size == 1) {
    placement.local_rank = std::max(placement.local_rank, 0);
    return placement;
  }
  const bool launched = open_mpi.present() || pmi.present() || slurm.present();
  if (placement.rendezvous.kind == Rendezvous::Kind::mpi && !launched) {
    throw ConfigError(
        "--rendezvous mpi: no launcher of MPI has started this process; use mpirun or srun, or file:PATH or "
        "tcp:HOST:PORT");
  }
  if (placement.rendezvous.kind != Rendezvous::Kind::none) return placement;
  const char* host = variable("MASTER_ADDR");
  const char* port = variable("MASTER_PORT");
  if (torchrun.present() && host && port) {
    Rendezvous& meeting = placement.rendezvous;
    meeting = parse_rendezvous(fmt::format("tcp:{}:{}", host, port), "MASTER_ADDR, MASTER_PORT:");
    // torchrun says this when it listens at MASTER_PORT itself: the ranks meet beside it.
    const char* taken = variable("TORCHELASTIC_USE_AGENT_STORE");
    if (taken && std::string_view(taken) == "True") meeting.port += meeting.port < 65535 ? 1 : -1;
  } else if (launched) {
    placement.rendezvous.kind = Rendezvous::Kind::mpi;
  } else {
    throw ConfigError(
        fmt::format("rank {} of {}: how do the ranks find each other? Give --rendezvous file:PATH or "
                    "tcp:HOST:PORT{}",
                    placement.rank, placement.size, torchrun.present() ? ", or set MASTER_ADDR and MASTER_PORT" : ""));
  }
  return placement;
}

}  // namespace ascore
