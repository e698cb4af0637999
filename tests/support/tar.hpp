#pragma once

#include <string>

namespace ascore::test {

/// A member of a ustar archive: header, bytes, padding. The archive ends in 1,024 zeros.
std::string tar_member(const std::string& name, const std::string& bytes, char type = '0');

/// Sums up the header at the front of `archive` again, after it was changed.
void set_tar_checksum(std::string& archive);

}  // namespace ascore::test
