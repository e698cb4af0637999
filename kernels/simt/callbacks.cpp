#include "kernels/simt/access_monitor.hpp"

/// What the compiler calls from the objects of the emulated device, built with -fsanitize=thread,alignment: a function
/// for every load, store and misplaced pointer. The sanitizers' own runtimes are not linked; this file is compiled
/// without the flags. While no kernel runs on the calling thread a callback is a load and a branch.

namespace {

using ascore::kernels::simt::Access;
using ascore::kernels::simt::AccessMonitor;
using ascore::kernels::simt::watching;

/// The monitor's own code may share functions with instrumented objects: nobody watches while it judges. An error
/// leaves the thread unwatched; the scheduler sets the monitor again when it resumes another one.
inline void touched(Access kind, const void* address, size_t bytes) {
  AccessMonitor* const monitor = watching;
  if (!monitor) return;
  watching = nullptr;
  monitor->access(kind, address, bytes);
  watching = monitor;
}

/// The layout that GCC gives the first argument of __ubsan_handle_type_mismatch_v1.
struct TypeDescriptor {
  uint16_t kind, info;
  char name[1];
};
struct TypeMismatch {
  const char* file;
  uint32_t line, column;
  const TypeDescriptor* type;
  unsigned char log2_alignment, access;
};

}  // namespace

#define ASCORE_ACCESS(SIZE)                                   \
  void __tsan_read##SIZE(void* address) {                     \
    touched(Access::read, address, SIZE);                     \
  }                                                           \
  void __tsan_write##SIZE(void* address) {                    \
    touched(Access::write, address, SIZE);                    \
  }                                                           \
  void __tsan_unaligned_read##SIZE(void* address) {           \
    touched(Access::read, address, SIZE);                     \
  }                                                           \
  void __tsan_unaligned_write##SIZE(void* address) {          \
    touched(Access::write, address, SIZE);                    \
  }                                                           \
  void __tsan_volatile_read##SIZE(void* address) {            \
    touched(Access::read, address, SIZE);                     \
  }                                                           \
  void __tsan_volatile_write##SIZE(void* address) {           \
    touched(Access::write, address, SIZE);                    \
  }                                                           \
  void __tsan_unaligned_volatile_read##SIZE(void* address) {  \
    touched(Access::read, address, SIZE);                     \
  }                                                           \
  void __tsan_unaligned_volatile_write##SIZE(void* address) { \
    touched(Access::write, address, SIZE);                    \
  }

extern "C" {
// The names are the compiler's.
ASCORE_ACCESS(1)
ASCORE_ACCESS(2)
ASCORE_ACCESS(4)
ASCORE_ACCESS(8)
ASCORE_ACCESS(16)

void __tsan_read_range(void* address, unsigned long bytes) {
  touched(Access::read, address, bytes);
}
void __tsan_write_range(void* address, unsigned long bytes) {
  touched(Access::write, address, bytes);
}
void __tsan_vptr_update(void** object, void*) {
  touched(Access::write, object, sizeof(void*));
}
void __tsan_vptr_read(void** object) {
  touched(Access::read, object, sizeof(void*));
}
void __tsan_init() {}

void __ubsan_handle_type_mismatch_v1(TypeMismatch* mismatch, unsigned long address) {
  AccessMonitor* const monitor = watching;
  if (!monitor) return;
  watching = nullptr;
  monitor->misaligned(reinterpret_cast<const void*>(address), size_t(1) << mismatch->log2_alignment,
                      mismatch->type->name);
  watching = monitor;
}
}
