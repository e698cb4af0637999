#include "engine/autograd/kept.hpp"

namespace ascore {

Tensor Kept::get(Ctx& ctx) const {
  if (!remake_) return tensor_;
  std::shared_ptr<Storage> memory = remake_->memory.lock();
  if (!memory) remake_->memory = memory = remake_->make(ctx).storage();
  return {memory, 0, shape_, dtype_};
}

}  // namespace ascore
