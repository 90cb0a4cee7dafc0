#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace waystation::crash {

// What a disk would hold if the power went now, kept beside real files, which show what is seen while the power is on.
//
// A file's bytes are safe up to where it was last synced; a name that was made, changed or removed is safe once its
// folder was synced, and syncing the file itself does not help. A power loss takes the rest, or a part of it: see
// LosePower. Changes of names are kept in the order they were made: journalling file systems do so, POSIX does not ask
// for it, and RocksDB relies on it when a new MANIFEST takes over.
//
// Bytes that were written over since the file was last synced may be the old ones again, in part or as a whole. Real
// files that have lost their name lie in `attic` for as long as a power loss could bring them back. Threads: one at a
// time.
class Disk {
 public:
  // A file, whatever its name. It ends with the last name, handle or memory of it.
  struct File {
    ~File();

    std::string at;  // where the real file lies now
    bool in_attic = false;
    uint64_t size = 0;
    uint64_t durable = 0;  // bytes from the start that a power loss leaves alone
    // A sync of it failed: the system has dropped what was to be written, and later syncs don't bring it back.
    bool sync_failed = false;
    // What stood where it was written over since the last sync, oldest first.
    struct Overwritten {
      uint64_t at;
      std::string before;
    };
    std::vector<Overwritten> overwritten;
  };
  using FilePtr = std::shared_ptr<File>;

  // `attic` is an empty folder on the same real file system as all that is told of.
  explicit Disk(std::string attic) : attic_(std::move(attic)) {}

  // Before the real file is made. What had the name until now goes to the attic.
  FilePtr Create(const std::string& path);
  // Null when there is no such file.
  FilePtr Find(const std::string& path) const;
  // These change the real files too. False when there is no such file.
  bool Delete(const std::string& path);
  bool Rename(const std::string& from, const std::string& to);

  // Before the real file is written over from `at` on; what goes beyond its end is appended.
  static void WillOverwrite(File& file, uint64_t at, uint64_t bytes);
  // After the real file was cut, which is never undone.
  static void WasCut(File& file, uint64_t size);
  // All that the file holds is safe.
  static void Synced(File& file);

  // After the real folder was made.
  void MadeFolder(const std::string& path);
  void SyncFolder(const std::string& path);

  // What was not synced is lost, and the real files are made to look so: the names and, file by file, the bytes. What
  // is drawn: nothing of it is kept, or all, or what came first; a tail that is kept may end within a write, or have
  // pages in it that were never written; of what was written over, any pages. What is there afterwards is durable. No
  // file may be open.
  void LosePower(std::mt19937_64& random);

 private:
  struct Change {
    enum class Kind { kMade, kRemoved, kRenamed, kMadeFolder };
    Kind kind;
    std::string path;
    std::string to;  // kRenamed
    FilePtr file;    // kMade, kRenamed
  };
  using Names = std::map<std::string, FilePtr>;

  void MoveToAttic(File& file);
  void Note(Change change);
  static void Apply(const Change& change, Names& names);
  // The changes that a power loss leaves.
  void KeepSome(std::mt19937_64& random);
  static void UndoOverwrites(File& file, std::mt19937_64& random);
  static void CutTail(File& file, std::mt19937_64& random);

  const std::string attic_;
  uint64_t moved_ = 0;
  Names seen_;     // while the power is on
  Names durable_;  // of folders as they were last synced
  std::vector<Change> unsynced_;
};

}  // namespace waystation::crash
