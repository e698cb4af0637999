#include "kernels/simt/access_monitor.hpp"

#include "kernels/simt/async_shadow.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <tuple>
#include <utility>

namespace ascore::kernels::simt {

constinit thread_local AccessMonitor* watching = nullptr;

namespace {

/// Eras at which an operation starts counting anew; a launch has far fewer than the other half.
constexpr uint32_t kEraLimit = 1u << 31;

uintptr_t number(const void* address) {
  return reinterpret_cast<uintptr_t>(address);
}

/// threadIdx and its siblings are variables of the host thread: where they lie.
std::pair<uintptr_t, size_t> builtins() {
  const uintptr_t places[] = {number(&threadIdx), number(&blockIdx), number(&blockDim), number(&gridDim)};
  const auto [low, high] = std::minmax_element(std::begin(places), std::end(places));
  return {*low, *high - *low + sizeof(dim3)};
}

}  // namespace

void AccessMonitor::enter(const OpScope* op) {
  const uint64_t serial = op ? op->serial() : 0;
  if (entered_ && op == op_ && serial == serial_) return;
  if (now_.era > kEraLimit) {
    now_.era = 0;
    global_cells_.reset();
    global_cell_count_ = 0;
  }
  // An operation that goes on after another one inside it: what it had written by then is not known any more.
  const bool resumed = serial != 0 && serial < serial_;
  entered_ = true;
  op_ = op;
  serial_ = serial;
  launches_ = 0;
  op_start_ = resumed ? 0 : ++now_.era;
  make_global_regions();
}

void AccessMonitor::begin_launch(const Stream& stream, dim3 block, const SharedArena& arena) {
  regions_.erase(regions_.begin(), regions_.begin() + static_cast<std::ptrdiff_t>(shared_regions_));
  shared_regions_ = 0;
  shared_cells_.clear();
  enter(stream.current_op());
  checks_ = stream.checks();
  arena_ = &arena;
  block_ = block;
  ++launches_;
  now_.launch_start = ++now_.era;
  block_starts_.clear();
  block_indices_.clear();
  std::tie(builtins_, builtins_bytes_) = builtins();
}

void AccessMonitor::begin_block() {
  now_.block_start = ++now_.era;
  ++now_.era;  // what happened at the block's start comes before all that its threads do
  std::fill(std::begin(steps_), std::end(steps_), uint16_t(0));
  block_starts_.push_back(now_.era);
  block_indices_.push_back(blockIdx);
  for (Region& region : regions_) set_rules(region);
}

void AccessMonitor::pass_barrier() {
  ++now_.era;
  std::fill(std::begin(steps_), std::end(steps_), uint16_t(0));
}

/// Cuts the memory of the operation's views where one of them begins or ends: views may overlap (y in place of x).
void AccessMonitor::make_global_regions() {
  regions_.clear();
  shared_regions_ = 0;
  if (!op_) return;
  std::vector<uintptr_t> cuts;
  const auto arguments = op_->arguments();
  const auto lies_here = [](const ConstView& view) { return view.bytes() > 0 && view.raw(); };
  for (const auto& [view, use] : arguments) {
    if (!lies_here(view)) continue;
    cuts.push_back(number(view.raw()));
    cuts.push_back(number(view.raw()) + view.bytes());
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  size_t cells = 0;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    Region region{cuts[i], cuts[i + 1] - cuts[i], 3, nullptr, {}, false, false, false, -1};
    for (size_t k = 0; k < arguments.size(); ++k) {
      const auto& [view, use] = arguments[k];
      if (!lies_here(view) || region.begin - number(view.raw()) >= view.bytes()) continue;
      region.shift = std::min(region.shift, static_cast<unsigned>(std::countr_zero(size_of(view.dtype()))));
      region.writable |= use != OpArgument::Use::input;
      region.initialised |= use != OpArgument::Use::output;
      if (region.number < 0) region.number = static_cast<int>(k);
    }
    if (region.number < 0) continue;  // between two views
    cells += (region.bytes >> region.shift) + 1;
    regions_.push_back(region);
  }
  if (cells > global_cell_count_) {
    global_cells_.reset();
    global_cells_ = make_cells(cells);
    global_cell_count_ = cells;
  }
  ShadowCell* next = global_cells_.get();
  for (Region& region : regions_) {
    region.cells = next;
    next += (region.bytes >> region.shift) + 1;
  }
}

/// calloc: pages of large views that no kernel touches are never made.
AccessMonitor::Cells AccessMonitor::make_cells(size_t count) {
  Cells cells(static_cast<ShadowCell*>(std::calloc(count, sizeof(ShadowCell))));
  if (!cells) throw std::bad_alloc();
  return cells;
}

void AccessMonitor::add_shared(const void* start, size_t bytes, size_t element) {
  const auto shift = static_cast<unsigned>(std::countr_zero(std::bit_floor(std::min<size_t>(element, 8))));
  shared_cells_.push_back(make_cells((bytes >> shift) + 1));
  const int index = start == arena_->dynamic() ? -1 : static_cast<int>(shared_regions_);
  Region region{number(start), bytes, shift, shared_cells_.back().get(), {}, true, false, true, index};
  set_rules(region);
  regions_.insert(regions_.begin() + static_cast<std::ptrdiff_t>(shared_regions_), region);
  ++shared_regions_;
}

/// Dynamic shared memory may be used as several types. Cells become as fine as the smallest of them.
void AccessMonitor::use_dynamic(size_t element) {
  if (arena_->dynamic_bytes() == 0) return;
  Region* const known = find(number(arena_->dynamic()));
  if (!known) return add_shared(arena_->dynamic(), arena_->dynamic_bytes(), element);
  const auto shift = static_cast<unsigned>(std::countr_zero(std::bit_floor(std::min<size_t>(element, 8))));
  if (shift >= known->shift) return;
  const size_t count = (known->bytes >> shift) + 1;
  Cells finer = make_cells(count);
  for (size_t i = 0; i < count; ++i) finer[i] = known->cells[i << shift >> known->shift];
  known->cells = finer.get();
  known->shift = shift;
  shared_cells_.push_back(std::move(finer));
}

AccessMonitor::Region* AccessMonitor::find(uintptr_t address) {
  for (Region& region : regions_) {
    if (address - region.begin < region.bytes) return &region;
  }
  return nullptr;
}

void AccessMonitor::access_parts(Access kind, uintptr_t address, size_t bytes) {
  while (bytes > 0) {
    const Region* const region = find(address);
    if (!region) return fail_outside(kind, address, bytes);
    const uintptr_t offset = address - region->begin;
    const size_t inside = std::min(bytes, region->bytes - offset);
    touch(*region, kind, offset, inside);
    address += inside;
    bytes -= inside;
  }
}

void AccessMonitor::check_writable(const Region& region, Access kind, uintptr_t offset, size_t bytes) {
  if (checks_.bounds) fail_access(region, {}, kind, region.begin + offset, bytes);
}

/// Conflicts count within a launch, in shared memory within a block; an output is fresh when the operation begins.
void AccessMonitor::set_rules(Region& region) const {
  const uint32_t fresh_since = region.shared ? now_.block_start : op_start_;
  region.rules = {region.shared ? now_.block_start : now_.launch_start,
                  checks_.initialised && !region.initialised ? fresh_since : 0, checks_.races};
}

void AccessMonitor::judge_beside_async(Access kind, uintptr_t offset, size_t bytes) {
  try {
    kind == Access::read ? async_->read(now_.thread, offset, bytes) : async_->write(now_.thread, offset, bytes);
  } catch (const BrokenRule& rule) {
    fail(rule.what);
  }
}

void AccessMonitor::async_read(unsigned thread, const void* memory, size_t bytes) {
  const AccessTime time = now_;
  now_.thread = static_cast<uint16_t>(thread);
  now_.step = steps_[thread / 32];
  access(Access::read, memory, bytes);
  now_ = time;
}

/// The asynchronous rules say who may read it now; for the others it has been there since the block's start.
void AccessMonitor::async_wrote(const void* memory, size_t bytes) {
  const Region* const region = find(number(memory));
  if (!region) return;
  const uintptr_t offset = number(memory) - region->begin;
  for (size_t i = offset >> region->shift; i <= (offset + bytes - 1) >> region->shift; ++i) {
    region->cells[i] = {now_.block_start, 0, 0, 0, 0, 0, 0};
  }
}

void AccessMonitor::host_wrote(const Stream& stream, const void* memory, size_t bytes) {
  if (!stream.current_op()) return;
  enter(stream.current_op());
  ++now_.era;
  uintptr_t address = number(memory);
  const uintptr_t end = address + bytes;
  while (const Region* region = address < end ? find(address) : nullptr) {
    const size_t inside = std::min<size_t>(end - address, region->begin + region->bytes - address);
    const size_t last = (address + inside - 1 - region->begin) >> region->shift;
    for (size_t i = (address - region->begin) >> region->shift; i <= last; ++i) region->cells[i].write_era = now_.era;
    address += inside;
  }
}

}  // namespace ascore::kernels::simt
