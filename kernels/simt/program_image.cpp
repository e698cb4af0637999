#include "kernels/simt/program_image.hpp"

#include <link.h>

namespace ascore::kernels::simt {

namespace {

struct Question {
  uintptr_t address;
  size_t bytes;
};

int holds(dl_phdr_info* object, size_t, void* data) {
  const Question& question = *static_cast<const Question*>(data);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    const bool constant = (segment.p_type == PT_LOAD && !(segment.p_flags & PF_W)) || segment.p_type == PT_GNU_RELRO;
    const uintptr_t offset = question.address - (object->dlpi_addr + segment.p_vaddr);
    if (constant && offset < segment.p_memsz && question.bytes <= segment.p_memsz - offset) return 1;
  }
  return 0;
}

}  // namespace

bool is_program_constant(uintptr_t address, size_t bytes) {
  Question question{address, bytes};
  return dl_iterate_phdr(holds, &question) != 0;
}

}  // namespace ascore::kernels::simt
