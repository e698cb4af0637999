#include "tests/support/markup.hpp"

#include <array>
#include <cctype>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace ascore::test {

namespace {

class Reader {
 public:
  explicit Reader(std::string_view page) : page_(page) {}

  Markup read() {
    constexpr std::string_view kDoctype = "<!DOCTYPE html>";
    if (page_.starts_with(kDoctype)) at_ = kDoctype.size();
    while (at_ < page_.size()) {
      if (page_[at_] == '<')
        tag();
      else
        text();
    }
    if (!open_.empty()) fail("is never closed: " + open_.back());
    return std::move(markup_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("markup at " + std::to_string(at_) + " " + what + ": " +
                             std::string(page_.substr(at_, 60)));
  }
  bool take(std::string_view words) {
    if (!page_.substr(at_).starts_with(words)) return false;
    at_ += words.size();
    return true;
  }
  std::string word() {
    const size_t begin = at_;
    while (at_ < page_.size() && (std::isalnum(static_cast<unsigned char>(page_[at_])) || page_[at_] == '-')) ++at_;
    if (begin == at_) fail("lacks a name");
    return std::string(page_.substr(begin, at_ - begin));
  }

  /// A character, or the one that an entity stands for.
  char character() {
    if (page_[at_] != '&') return page_[at_++];
    static constexpr std::array<std::pair<std::string_view, char>, 4> kEntities{
        {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}}};
    for (const auto& [entity, meaning] : kEntities) {
      if (take(entity)) return meaning;
    }
    fail("has an ampersand that is none of the known entities");
  }

  void text() {
    const bool style = !open_.empty() && open_.back() == "style";
    if (!style && page_[at_] == '>') fail("has a bracket");
    std::string& into = style ? markup_.style : markup_.text;
    into += style ? page_[at_++] : character();
  }

  void tag() {
    ++at_;
    if (take("/")) {
      const std::string name = word();
      if (open_.empty() || open_.back() != name) fail("closes what is not open: " + name);
      open_.pop_back();
      if (!take(">")) fail("is no end of a tag");
      return;
    }
    const std::string name = word();
    ++markup_.elements[name];
    attributes();
    if (take("/>")) return;
    if (!take(">")) fail("is no end of a tag");
    if (name != "meta" && name != "img" && name != "br") open_.push_back(name);
  }

  void attributes() {
    std::map<std::string, std::string> seen;
    while (at_ < page_.size() && std::isspace(static_cast<unsigned char>(page_[at_]))) {
      ++at_;
      const std::string name = word();
      if (!take("=\"")) fail("has an attribute without a quoted value: " + name);
      std::string value;
      while (at_ < page_.size() && page_[at_] != '"') {
        if (page_[at_] == '<') fail("has a bracket in the value of " + name);
        value += character();
      }
      if (!take("\"")) fail("has a value without an end: " + name);
      if (!seen.emplace(name, value).second) fail("has an attribute twice: " + name);
      if (name == "src" || name == "href" || name == "action") markup_.addresses.push_back(value);
    }
  }

  std::string_view page_;
  size_t at_ = 0;
  std::vector<std::string> open_;
  Markup markup_;
};

}  // namespace

Markup read_markup(const std::string& page) {
  return Reader(page).read();
}

}  // namespace ascore::test
