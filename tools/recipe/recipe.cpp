// The only file that reads TOML.
#include "tools/recipe/recipe.hpp"

#include "kernels/core/error.hpp"
#include "tools/recipe/recipe_keys.hpp"
#include "tools/recipe/recipe_rules.hpp"
#include "tools/recipe/toml.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

constexpr std::string_view kTables[] = {"data",        "noise",      "score",    "critic",
                                        "adversarial", "classifier", "training", "sampling"};

bool is_table(std::string_view name) {
  return std::find(std::begin(kTables), std::end(kTables), name) != std::end(kTables);
}

/// "digits.toml:12", or "--set score.width=7" for a value from the command line.
std::string where(const toml::node& node) {
  const std::string path = node.source().path ? *node.source().path : "recipe";
  return path.starts_with("--set ") ? path : fmt::format("{}:{}", path, node.source().begin.line);
}

std::string_view found_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    default:
      return "a date or time";
  }
}

[[noreturn]] void unknown(const toml::node& node, const std::string& path) {
  throw ConfigError(
      fmt::format("{}: unknown key {:.100}; did you mean {}?", where(node), path, nearest_recipe_key(path)));
}

void check_number(const RecipeKey& key, double value, const toml::node& node) {
  const bool low = key.open_low ? value > key.low : value >= key.low;
  const bool high = key.open_high ? value < key.high : value <= key.high;
  if (std::isfinite(value) && low && high) return;
  std::string wanted = fmt::format("{} {}", key.open_low ? "above" : "at least", key.low);
  if (std::isfinite(key.high)) wanted += fmt::format(" and {} {}", key.open_high ? "below" : "at most", key.high);
  throw ConfigError(fmt::format("{}: {} must be {}, not {}", where(node), key.path, wanted, value));
}

void check_choice(const RecipeKey& key, const std::string& value, const toml::node& node) {
  if (key.choices.empty()) return;
  const auto has = [&](const auto& list) { return std::find(list.begin(), list.end(), value) != list.end(); };
  if (has(key.choices)) return;
  throw ConfigError(fmt::format("{}: {}: '{}' is {}; available: {}", where(node), key.path, value,
                                has(key.later) ? "not available in this version" : "unknown",
                                fmt::join(key.choices, ", ")));
}

/// Sets one key's member from its node.
void read_value(Recipe& recipe, const RecipeKey& key, const toml::node& node) {
  const auto wrong = [&](std::string_view wanted) {
    throw ConfigError(fmt::format("{}: {} must be {}, not {}", where(node), key.path, wanted, found_type(node)));
  };
  const Slot slot = key.slot(recipe);
  if (auto* flag = std::get_if<bool*>(&slot)) {
    if (!node.is_boolean()) wrong("true or false");
    **flag = node.as_boolean()->get();
  } else if (auto* integer = std::get_if<int64_t*>(&slot)) {
    if (!node.is_integer()) wrong("an integer");
    check_number(key, static_cast<double>(node.as_integer()->get()), node);
    **integer = node.as_integer()->get();
  } else if (auto* number = std::get_if<double*>(&slot)) {
    if (!node.is_number()) wrong("a number");
    const double value =
        node.is_integer() ? static_cast<double>(node.as_integer()->get()) : node.as_floating_point()->get();
    check_number(key, value, node);
    **number = value;
  } else if (auto* list = std::get_if<std::vector<int64_t>*>(&slot)) {
    const toml::array* elements = node.as_array();
    if (!elements) wrong("a list of integers");
    (*list)->clear();
    for (const toml::node& element : *elements) {
      if (!element.is_integer()) {
        throw ConfigError(
            fmt::format("{}: {} must be a list of integers, not of {}", where(node), key.path, found_type(element)));
      }
      const int64_t value = element.as_integer()->get();
      check_number(key, static_cast<double>(value), node);
      (*list)->push_back(value);
    }
  } else {
    if (!node.is_string()) wrong("text");
    check_choice(key, node.as_string()->get(), node);
    **std::get_if<std::string*>(&slot) = node.as_string()->get();
  }
}

void read_table(Recipe& recipe, const toml::table& table, const std::string& prefix, GivenKeys& given) {
  for (const auto& [name, node] : table) {
    const std::string path = prefix + std::string(name.str());
    if (const RecipeKey* key = find_recipe_key(path)) {
      read_value(recipe, *key, node);
      given[path] = where(node);
    } else if (is_table(path) || path == "score.optimizer" || path == "critic.optimizer") {
      if (!node.is_table()) {
        throw ConfigError(fmt::format("{}: {} must be a table, not {}", where(node), path, found_type(node)));
      }
      given[path] = where(node);
      read_table(recipe, *node.as_table(), path + ".", given);
    } else {
      unknown(node, path);
    }
  }
}

[[noreturn]] void syntax_error(const toml::parse_error& error, const std::string& where) {
  throw ConfigError(fmt::format("{}: not valid TOML: {}", where, error.description()));
}

toml::table parse_text(const std::string& text, const std::string& source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    syntax_error(error, fmt::format("{}:{}", source, error.source().begin.line));
  }
}

/// Moves `from` into `into`, table by table: values of `from` win. Moved nodes keep their place of origin.
void merge(toml::table& into, toml::table&& from) {
  for (auto&& [name, node] : from) {
    toml::node* present = into.get(name.str());
    if (present && present->is_table() && node.is_table()) {
      merge(*present->as_table(), std::move(*node.as_table()));
    } else {
      into.insert_or_assign(name.str(), std::move(node));
    }
  }
}

/// One `--set key=value`. The value is TOML; a bare word that is not TOML is taken as text.
void apply_override(toml::table& root, const std::string& assignment) {
  const std::string source = "--set " + assignment;
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError(fmt::format("{}: must read key=value, as in --set score.width=64", source));
  }
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  if (key == "critic" && value == "false") {  // the way to train any recipe without a critic
    root.erase("critic");
    root.erase("adversarial");
    return;
  }
  toml::table parsed;
  try {
    parsed = toml::parse(key + " = " + value, source);
  } catch (const toml::parse_error& error) {
    const bool word = !value.empty() && value.find_first_of("\"'\\[]{},=#\n") == std::string::npos;
    if (!word) syntax_error(error, source);
    try {
      parsed = toml::parse(key + " = '" + value + "'", source);
    } catch (const toml::parse_error& second) {
      syntax_error(second, source);
    }
  }
  merge(root, std::move(parsed));
}

}  // namespace

Recipe parse_recipe(const std::string& text, const std::string& source, const std::vector<std::string>& overrides) {
  toml::table root = parse_text(text, source);
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  Recipe recipe;
  recipe.source = source;
  GivenKeys given;
  read_table(recipe, root, "", given);
  recipe.has_critic = given.contains("critic");
  recipe.has_classifier = given.contains("classifier");
  for (const char* table : {"data", "noise", "score", "training"}) {
    if (!has_section(recipe, table) || given.contains(table)) continue;
    throw ConfigError(fmt::format("{}: table [{}] is missing; a recipe needs data, {} and training", source, table,
                                  recipe.has_classifier ? "classifier" : "noise, score"));
  }
  derive_defaults(recipe, given);
  check_rules(recipe, given);
  return recipe;
}

std::string to_toml(const Recipe& recipe) {
  Recipe copy = recipe;
  std::string text, section;
  for (const RecipeKey& key : recipe_keys()) {
    if (!has_section(recipe, key.section())) continue;
    if (key.section() != section) {
      section = key.section();
      text += fmt::format("\n[{}]\n", section);
    }
    text += fmt::format("{} = {}\n", key.name(), toml_value(key.slot(copy)));
  }
  return text;
}

std::vector<std::string> differing_keys(const Recipe& a, const Recipe& b) {
  Recipe first = a, second = b;
  std::vector<std::string> keys;
  if (a.has_critic != b.has_critic) keys.push_back("critic");
  if (a.has_classifier != b.has_classifier) keys.push_back("classifier");
  for (const RecipeKey& key : recipe_keys()) {
    if (!has_section(a, key.section()) || !has_section(b, key.section())) continue;
    if (toml_value(key.slot(first)) != toml_value(key.slot(second))) keys.emplace_back(key.path);
  }
  return keys;
}

}  // namespace ascore::tools
