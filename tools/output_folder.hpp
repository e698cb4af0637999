#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ascore::tools {

/// A kind of output: the file by which a folder is known as ours, and everything that we write into one.
struct OutputKind {
  std::string what;  ///< "run", "set of samples"
  std::string mark;  ///< file that tells a folder of this kind: "recipe.toml"
  /// Files and folders that --overwrite replaces, in this order; the mark first. One star in a name stands for
  /// anything.
  std::vector<std::string> entries;
};
const OutputKind& run_output();
const OutputKind& samples_output();

enum class IfExists { refuse, overwrite, keep };

/// The folder that a command writes to. It is locked against a second writer as long as this object lives. New entries
/// are made in staging(), inside the folder, and change places with the old ones in commit(): a failure before leaves
/// the folder as it was, and whatever else it holds is never touched.
class OutputFolder {
 public:
  /// Makes the folder if there is none. Throws ConfigError if another process writes to it; of one that has something
  /// in it: `refuse` throws ConfigError, `overwrite` and `keep` (resuming) throw ConfigError if it is not of this kind.
  /// What a killed writer left in staging() is removed. Throws DiskError.
  OutputFolder(const std::filesystem::path& folder, const OutputKind& kind, IfExists if_exists);
  /// Takes back what was not committed, the folder itself included if it was made for this.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// Puts back the entries that a writer of this kind, killed in commit(), has left beside their place. For a command
  /// that reads the folder before it writes to it. Throws as the constructor.
  static void recover(const std::filesystem::path& folder, const OutputKind& kind);

  const std::filesystem::path& path() const { return folder_; }
  /// Where new entries are made.
  std::filesystem::path staging();
  /// Puts what was staged in its place, and removes old entries of this kind. Entry by entry, in the kind's order; a
  /// failure undoes what was done; where the disk refuses that too, the old entries stay in .ascore.not-replaced.
  /// Throws DiskError.
  void commit();

 private:
  void make();
  /// The kind's entries, those with a star as what they stand for in folder and staging().
  std::vector<std::string> entries() const;
  void lock();
  void check(IfExists if_exists) const;
  void take_back() noexcept;
  /// Old entries that a killed or failed exchange has left beside their place return to it.
  void put_back();

  std::filesystem::path folder_, staging_;
  const OutputKind& kind_;
  std::vector<std::filesystem::path> made_;  ///< folders that did not exist, outermost first
  bool incomplete_ = false;                  ///< a commit failed, and could not be undone
  int descriptor_ = -1;
};

}  // namespace ascore::tools
