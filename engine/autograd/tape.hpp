#pragma once

#include "engine/autograd/context.hpp"
#include "engine/autograd/kept.hpp"
#include "engine/autograd/recompute.hpp"

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ascore {

class Tape;

/// What an operation's backward gets: the gradient of its output, places for those of its inputs.
class Backward {
 public:
  Ctx& ctx;        ///< without tape; its allocator serves scratch memory
  Stream& stream;  ///< ctx.stream

  /// Gradient of the loss with respect to the output; of the output's shape and dtype.
  const Tensor& grad_out() const { return grad_out_; }
  /// True if anybody wants the gradient of input i.
  bool wants(size_t i) const;
  /// Where to *write* (not add) the gradient of input i, of the input's shape and dtype; absent if nobody wants it. Ask
  /// at most once per input. If several operations use one tensor, the tape adds their gradients up, in reverse order
  /// of recording.
  View grad_in(size_t i);
  /// Takes over what other operations gave input i so far, for an operation that adds it to its own gradient in one
  /// pass; absent where there is nothing, or nothing to take: then the tape adds. Ask before grad_in(i).
  Tensor take_gradient(size_t i);
  /// Hands over an existing tensor as the gradient of input i, without a copy (reshape: the same memory).
  void give(size_t i, const Tensor& gradient);
  /// Scratch memory (u8 view) that lives until this backward returns.
  View workspace(size_t bytes);

 private:
  friend class Tape;
  Backward(Tape& tape, Ctx& c, const void* node, Tensor grad_out)
      : ctx(c), stream(c.stream), tape_(tape), node_(node), grad_out_(std::move(grad_out)) {}
  uint64_t input_id(size_t i) const;
  Tape& tape_;
  const void* node_;
  Tensor grad_out_;
  std::vector<Tensor> scratch_;
  std::vector<std::pair<uint64_t, Tensor>> to_add_;  ///< second gradients of a tensor, added when the node is done
};

/// Remembers operations in the order they ran, and runs their backward functions in reverse. Holds no tensor but those
/// that an operation's backward captured: what training has to remember stands in the capture lists.
///
///   Tape tape;  Ctx ctx{stream, allocator, &tape};
///   tape.watch(weight, weight_gradient);
///   const Tensor loss = dsm_loss(ctx, linear(ctx, x, weight, {}), target, DsmLoss::l2);
///   tape.backward(ctx, loss);                      // weight_gradient now holds the gradient
class Tape {
 public:
  using BackwardFn = std::function<void(Backward&)>;
  using Segment = std::function<std::vector<Tensor>(Ctx&)>;
  /// A tensor with its gradient, which backward starts from.
  struct Seed {
    Tensor of, gradient;
  };

  /// `recompute`: what operations and blocks do not keep.
  explicit Tape(Recompute recompute = Recompute::none) : recompute_(recompute) {}

  /// Asks for the gradient of `x`. It is written to `into` (overwriting; x's shape and dtype), or, if `into` is absent,
  /// to memory that `gradient(x)` returns after backward. Watch before x is used.
  void watch(const Tensor& x, const Tensor& into = {});
  /// Asks for the gradient of `x`, no operation's output, to be added to what `sum` holds.
  void watch_more(const Tensor& x, const Tensor& sum);
  /// True if `x` is watched or depends on something watched: only then does an operation need to record.
  bool tracks(const Tensor& x) const { return tracked_.contains(x.id()); }

  /// Records one operation, unless no input is tracked. Inputs are held by identity only; absent ones are never wanted.
  void record(const char* name, std::initializer_list<Tensor> inputs, const Tensor& output, BackwardFn backward);

  /// Has backward call `complete` with the id of every watched tensor as soon as its gradient is: what is queued then
  /// finds it written. Those that nothing used come last, in the order in which they were made.
  void when_complete(std::function<void(uint64_t id)> complete) { told_ = std::move(complete); }

  Recompute recompute() const { return recompute_; }
  /// Runs `segment` now, and again in backward instead of keeping what its operations captured: of the segment nothing
  /// stays but the function, which holds its inputs, and its results. (See checkpoint.hpp.)
  std::vector<Tensor> checkpoint(Ctx& ctx, const Segment& segment);
  /// For what a segment must not do twice, as advancing a power iteration: calls `make` the first time, keeps what it
  /// returns, and gives that when the segment runs again. Outside a segment: calls `make`.
  std::vector<Tensor> once(const std::function<std::vector<Tensor>()>& make);
  /// Says how to make the values of `y`, a tensor with memory of its own, again: whoever captures `keep(y)` from now on
  /// does not hold its memory. `make` must hold none of y's.
  void remake(const Tensor& y, std::function<Tensor(Ctx&)> make);
  /// `x` for a capture list.
  Kept keep(const Tensor& x) const;
  /// True if keep(x) does not hold x's memory.
  bool remakes(const Tensor& x) const { return remake_of(x) != nullptr; }

  /// Runs backward from a scalar loss (gradient 1), or from any tensor with its gradient `seed`. Empties the tape as it
  /// goes; what a node captured is freed as soon as it has run. Watched tensors that the loss does not depend on get
  /// zeros. The watch list is emptied as well: a tape serves one backward.
  void backward(Ctx& ctx, const Tensor& loss, const Tensor& seed = {});
  /// The same from several tensors at once, each named once.
  void backward(Ctx& ctx, std::initializer_list<Seed> seeds);
  /// Gradient of a watched tensor after backward. Throws Error if x was not watched.
  Tensor gradient(const Tensor& x) const;

  size_t size() const { return nodes_.size(); }

 private:
  friend class Backward;
  struct Input {
    uint64_t id;
    Shape shape;
    DType dtype;
  };
  /// What `once` made in a segment, inside another one or not.
  struct Memo {
    Memo* outer = nullptr;
    std::vector<std::vector<Tensor>> made = {};
    size_t next = 0;  ///< to be given
    bool replays = false;
  };
  /// A segment to be run again.
  struct Again {
    Ctx ctx;
    Segment segment;
    std::vector<uint64_t> outputs;
    Memo memo;
  };
  struct Node {
    const char* name;
    std::vector<Input> inputs;
    uint64_t output;
    BackwardFn backward;
    std::shared_ptr<Again> again = {};  ///< instead of `backward`
  };
  struct Watched {
    Shape shape;
    DType dtype;
    Tensor into;
    int64_t uses = 0;  ///< as inputs of recorded operations that have not run backward
    bool complete = false;
  };
  /// A gradient handed over by `give` may share memory with another tensor's; only an owned one is added to in place.
  struct Gradient {
    Tensor tensor;
    bool owned = false;
  };
  std::vector<Tensor> run_segment(Ctx& ctx, const Segment& segment, Memo& memo);
  void run(Ctx& ctx, Node& node);
  void run_again(Again& again);
  void run_all(Ctx& plain);
  Tensor slot(Ctx& ctx, const Input& input);
  bool is_repeated() const;
  void complete(Ctx& ctx, uint64_t id);
  const std::shared_ptr<Remake>* remake_of(const Tensor& x) const;
  void forget_remakes();

  Recompute recompute_;
  Memo* memo_ = nullptr;  ///< of the segment that is running
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, bool> tracked_;  ///< ids whose gradient somebody wants
  std::unordered_map<uint64_t, Watched> watched_;
  std::unordered_map<uint64_t, Gradient> gradients_;  ///< written so far
  std::function<void(uint64_t)> told_;
  std::unordered_map<const Storage*, std::shared_ptr<Remake>> remakes_;
};

}  // namespace ascore
