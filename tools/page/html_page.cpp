#include "tools/page/html_page.hpp"

#include "engine/io/markup.hpp"

#include <fmt/format.h>

namespace ascore::tools {

namespace {

constexpr std::string_view kStyle = R"(
:root { --ground: #ffffff; --ink: #1c2026; --faint: #626a75; --line: #d9dde3; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --ink: #e6e8eb; --faint: #9aa3ae; --line: #343a42; }
}
body { margin: 0 auto; padding: 1.2rem; max-width: 60rem; background: var(--ground); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p { margin: 0 0 .6rem; color: var(--faint); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); font-weight: normal;
         vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; padding-left: .6rem; padding-right: 0; }
td.text { text-align: right; overflow-wrap: anywhere; padding-right: 0; }
)";

}  // namespace

std::string html_page(std::string_view title, std::string_view style, std::string_view body) {
  std::string page = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
)";
  page += fmt::format("<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n", escape_markup(title), kStyle, style);
  page += body;
  return page + "</body>\n</html>\n";
}

std::string html_facts(const HtmlFacts& facts) {
  std::string rows;
  for (const auto& [key, value] : facts) {
    rows += fmt::format("<tr><td>{}</td><td class=\"text\">{}</td></tr>\n", escape_markup(key), escape_markup(value));
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace ascore::tools
