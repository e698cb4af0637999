#pragma once

#include <map>
#include <string>
#include <vector>

namespace ascore::test {

/// What an HTML page is made of.
struct Markup {
  std::map<std::string, int> elements;  ///< how many of each name
  std::vector<std::string> addresses;   ///< values of all src, href and action attributes
  std::string text;                     ///< between tags, with entities resolved, but for style sheets
  std::string style;                    ///< of style sheets
};

/// Reads a page strictly: every element is closed in its order (but for meta, img, br and what ends in />), attributes
/// are quoted, & begins an entity that this house writes, < begins a tag. Throws std::runtime_error that says where
/// not.
Markup read_markup(const std::string& page);

}  // namespace ascore::test
