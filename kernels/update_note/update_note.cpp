#include "kernels/update_note/update_note.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>
#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::update_note) update_note;
}
namespace cuda {
decltype(kernels::update_note) update_note;
}

namespace cpu {
void update_note(Stream&, const UpdateLosses& losses, ConstView bad, StepScalars draw, double player, View numbers,
                 View halt) {
  double* const written = numbers.as<double>();
  double* const stop = halt.as<double>();
  if (stop[0] != 0) return;
  for_cpu_real_type(losses[0].dtype(), [&]<class T>() {
    for (size_t k = 0; k < losses.size(); ++k) written[k] = losses[k] ? static_cast<double>(*losses[k].as<T>()) : 0;
  });
  written[3] = *bad.as<int32_t>();
  if (written[3] == 0 && std::all_of(written, written + 3, [](double loss) { return std::isfinite(loss); })) return;
  stop[0] = player;
  stop[1] = *draw.as<double>();
}
}  // namespace cpu

void update_note(Stream& stream, const UpdateLosses& losses, ConstView bad, StepScalars draw, double player,
                 View numbers, View halt) {
  const OpScope op(stream, "update_note", {losses[0], losses[1], losses[2], bad, draw, numbers, in_out(halt)});
  op.require(losses[0].present(), "the first loss must be given");
  for (const ConstView& loss : losses) {
    op.require(!loss || loss.count() == 1, "losses must have one element each");
    op.require_dtype(!loss || loss.dtype() == losses[0].dtype(), "losses must have one dtype");
  }
  op.require(bad.count() == 1 && draw.count() == 1, "bad and draw must have one element each");
  op.require(numbers.count() == 4 && halt.count() == 2, "numbers must have 4 elements, halt 2");
  op.require_dtype(bad.dtype() == DType::i32 && draw.dtype() == DType::f64, "bad must be i32, draw f64");
  op.require_dtype(numbers.dtype() == DType::f64 && halt.dtype() == DType::f64, "numbers and halt must be f64");
  pick<cpu::update_note, simt::update_note, cuda::update_note>(stream)(stream, losses, bad, draw, player, numbers,
                                                                       halt);
}

}  // namespace ascore::kernels
