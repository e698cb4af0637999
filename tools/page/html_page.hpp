#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ascore::tools {

/// A whole page, which needs no other file: `style` is added to the rules that all pages share (light and dark as the
/// reader's system asks; variables --ground, --ink, --faint, --line), `body` is markup. `title` is text.
std::string html_page(std::string_view title, std::string_view style, std::string_view body);

/// A table of two columns, of texts.
using HtmlFacts = std::vector<std::pair<std::string, std::string>>;
std::string html_facts(const HtmlFacts& facts);

}  // namespace ascore::tools
