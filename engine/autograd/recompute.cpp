// What a tape does again instead of keeping it.
#include "engine/autograd/tape.hpp"

#include <algorithm>
#include <utility>

namespace ascore {

namespace {

/// Sets a variable, and sets it back at the end.
template <class T>
class Held {
 public:
  Held(T& place, T value) : place_(place), before_(std::exchange(place, value)) {}
  ~Held() { place_ = before_; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  T& place_;
  T before_;
};

}  // namespace

std::vector<Tensor> Tape::run_segment(Ctx& ctx, const Segment& segment, Memo& memo) {
  const Held<Memo*> inside(memo_, &memo);
  return segment(ctx);
}

std::vector<Tensor> Tape::checkpoint(Ctx& ctx, const Segment& segment) {
  const size_t before = nodes_.size();
  Memo memo{.outer = memo_};
  std::vector<Tensor> outputs = run_segment(ctx, segment, memo);
  if (nodes_.size() == before) return outputs;  // nothing of it leads to something watched
  nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(before), nodes_.end());
  std::vector<uint64_t> ids;
  for (const Tensor& output : outputs) ids.push_back(output.id());
  memo.outer = nullptr;
  memo.replays = true;
  auto again = std::make_shared<Again>(Again{ctx, segment, std::move(ids), std::move(memo)});
  nodes_.push_back({.name = "checkpoint", .inputs = {}, .output = 0, .backward = {}, .again = std::move(again)});
  return outputs;
}

/// True in a segment that runs again: its operations were counted when it ran first.
bool Tape::is_repeated() const {
  for (const Memo* memo = memo_; memo; memo = memo->outer) {
    if (memo->replays) return true;
  }
  return false;
}

std::vector<Tensor> Tape::once(const std::function<std::vector<Tensor>()>& make) {
  Memo* const memo = memo_;
  if (!memo) return make();
  if (memo->replays) return memo->made.at(memo->next++);
  const Held<Memo*> outside(memo_, memo->outer);  // an outer segment runs again as a whole
  memo->made.push_back(once(make));
  return memo->made.back();
}

/// The segment's operations are recorded now, behind everything that still has to run, so they run next, in the order
/// and with the sums of a segment that was kept.
void Tape::run_again(Again& again) {
  std::vector<Gradient> arrived;
  for (const uint64_t id : again.outputs) {
    auto found = gradients_.extract(id);
    arrived.push_back(found ? std::move(found.mapped()) : Gradient{});
  }
  const auto has_arrived = [](const Gradient& gradient) { return gradient.tensor.present(); };
  if (std::ranges::none_of(arrived, has_arrived)) return;  // the loss does not depend on the segment
  const std::vector<Tensor> outputs = run_segment(again.ctx, again.segment, again.memo);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (has_arrived(arrived[i])) gradients_[outputs[i].id()] = std::move(arrived[i]);
  }
}

void Tape::remake(const Tensor& y, std::function<Tensor(Ctx&)> make) {
  forget_remakes();
  remakes_[y.storage().get()] = std::make_shared<Remake>(Remake{std::move(make), y.storage()});
}

/// Of tensors that are gone, whose remakes belong to those who captured them.
void Tape::forget_remakes() {
  std::erase_if(remakes_, [](const auto& entry) { return entry.second->memory.expired(); });
}

const std::shared_ptr<Remake>* Tape::remake_of(const Tensor& x) const {
  const auto found = remakes_.find(x.storage().get());
  if (!x || found == remakes_.end()) return nullptr;
  return found->second->memory.lock() == x.storage() ? &found->second : nullptr;
}

Kept Tape::keep(const Tensor& x) const {
  const std::shared_ptr<Remake>* const remake = remake_of(x);
  return remake ? Kept(*remake, x) : Kept(x);
}

}  // namespace ascore
