#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "tests/crash/disk.h"

namespace waystation::crash {

// What can go wrong with an operation.
enum class Error { kIo, kNoSpace };

// One operation that fails, and perhaps all like it from then on.
struct Fault {
  enum class On { kChanges, kReads };
  On on = On::kChanges;
  uint64_t at = 1;  // the at-th change or read from when the fault is set
  Error error = Error::kIo;
  // From then on: after kIo nothing works any more; after kNoSpace nothing that takes space.
  bool lasts = false;
};

// The default file system, with a power switch, faults, and a memory for what was synced (see Disk).
//
// Changes are: making, writing, cutting, syncing, renaming and deleting a file, making and syncing a folder. Reads are:
// opening to read, reading, listing, asking whether a file is there or how large it is. A write that fails has half of
// its bytes written. RocksDB's own log (LOG*) and its lock are outside the model: they count as nothing, and survive.
//
// RocksDB may be told of this instead of the default one through storage::RocksOptions. Syncs are remembered and not
// passed on: they cost nothing here. Hard links, mapped files and files that are read and written at once are not
// supported; RocksDB, as it is used here, asks for none.
//
// Threads: any.
class LossyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  // `attic`: see Disk. `seed` draws what a power loss takes.
  LossyFileSystem(std::string attic, uint64_t seed);
  ~LossyFileSystem() override;

  // The n-th change from now does not happen any more, and nothing after it; 0: no cut is ahead.
  void CutPowerAt(uint64_t n);
  void CutPower();
  bool power_is_on() const;
  // What was not synced is lost. Nothing may be open.
  void RestorePower();

  void Set(const Fault& fault);
  void ClearFault();
  // What the fault has hit first, "syncing 000004.log"; empty: nothing yet.
  std::string fault_hit() const;

  // Counts a change that goes past RocksDB, "writing the mark", and says what becomes of it.
  rocksdb::IOStatus CountChange(const std::string& doing, const std::string& path);

  uint64_t changes() const;
  uint64_t reads() const;

  // To show that a proof notices: syncs are confirmed and not done, or a write or sync that failed is confirmed.
  enum class Lie { kNothing, kFileSyncs, kFolderSyncs, kErrors };
  void SetLie(Lie lie);

  // --- rocksdb::FileSystem ---
  static const char* kClassName() { return "LossyFileSystem"; }
  const char* Name() const override { return kClassName(); }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FileExists(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildren(const std::string& path, const rocksdb::IOOptions& options,
                                std::vector<std::string>* result, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& path, const rocksdb::IOOptions& options, uint64_t* size,
                                rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

 private:
  friend class LossyWritableFile;
  friend class LossySequentialFile;
  friend class LossyRandomAccessFile;
  friend class LossyFolder;

  enum class Needs { kSpace, kNothing };

  // Counts the change or read, and says what becomes of it: OK, no power, or the fault. Under the mutex.
  rocksdb::IOStatus BeginChange(const std::string& doing, const std::string& path, Needs needs);
  rocksdb::IOStatus BeginRead(const std::string& doing, const std::string& path);
  rocksdb::IOStatus FaultFor(Fault::On on, Needs needs, const std::string& doing, const std::string& path);

  // Without `at`: at the end.
  rocksdb::IOStatus Write(rocksdb::FSWritableFile* real, Disk::File* file, const std::string& path,
                          std::optional<uint64_t> at, const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug);
  rocksdb::IOStatus Cut(rocksdb::FSWritableFile* real, Disk::File* file, const std::string& path, uint64_t size,
                        const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug);
  rocksdb::IOStatus Sync(Disk::File* file, const std::string& path);
  rocksdb::IOStatus SyncFolder(const std::string& path);
  rocksdb::IOStatus CountRead(const std::string& doing, const std::string& path);

  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Disk disk_;
  std::mt19937_64 random_;
  bool power_ = true;
  uint64_t changes_ = 0;
  uint64_t reads_ = 0;
  std::optional<uint64_t> cut_at_;  // as changes_ counts
  std::optional<Fault> fault_;
  uint64_t fault_at_ = 0;  // as changes_ or reads_ counts
  std::string fault_hit_;
  Lie lie_ = Lie::kNothing;
};

}  // namespace waystation::crash
