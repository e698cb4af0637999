#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace ascore::bench {

/// The command line behind the command's name: `--key number` pairs.
class Options {
 public:
  /// Throws ConfigError if a word is no `--key` or its value no whole number.
  Options(int argc, char** argv);
  /// The value of `--key`, or `otherwise`.
  int64_t get(const std::string& key, int64_t otherwise);
  /// Throws ConfigError naming a key that no `get` asked for.
  void check_all_used() const;

 private:
  std::map<std::string, int64_t> values_;
  std::map<std::string, bool> used_;
};

}  // namespace ascore::bench
