#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/commit_log.h"
#include "storage/rows.h"
#include "storage/store_figures.h"

namespace rocksdb {
class DB;
class FileSystem;
}  // namespace rocksdb

namespace waystation::storage {

struct RocksOptions {
  // Where the files lie; null: the operating system's. Tests pass one that fails, or forgets what was not synced.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  // How much of the journal stays in memory before it is written to a file of its own. (Not of the other tables:
  // with small ones, the proof of I/O errors met a RocksDB 7.8 that could not be closed after a failed write. Why was
  // not found out.)
  size_t journal_memtable_bytes = 64 << 20;
};

// The embedded default: journal and rows in one RocksDB, each block with its rows as one WriteBatch and one sync.
//
// Append writes a small block on the caller's thread and calls `done` before it returns. One of kLegsToOverlap legs or
// more, and what comes behind it, goes to a thread of its own, so that the caller can decide the next block meanwhile.
// Reads: any thread.
//
// Errors: opening says what is wrong with the folder and what to do (rocks_status.h has the codes). A read gives
// kDataLoss where what is stored is damaged, kUnavailable where the disk did not give it and may yet. A failed write or
// sync gives kUnknown: RocksDB 7.8 can't be trusted to go on after one, and neither may the caller.
//
// Limits: one process at a time has a folder open for writing; the caller sees to it (daemon/data_folder).
class RocksCommitLog : public CommitLog, public RowReader {
 public:
  // Opens `folder`, making the database when there is none. Its parent must exist; that `folder` is in it is durable
  // from then on. Where the name of the list of files is lost, and files are there, nothing is made: kDataLoss.
  static absl::StatusOr<std::unique_ptr<RocksCommitLog>> Open(const std::string& folder,
                                                              const RocksOptions& options = {});

  // Opens `folder` for reading as it stands now; CatchUp moves on to what a live writer has added since. `scratch` is
  // an empty folder for RocksDB's own log. Nothing in `folder` is changed.
  static absl::StatusOr<std::unique_ptr<RocksCommitLog>> OpenToRead(const std::string& folder,
                                                                    const std::string& scratch);
  virtual absl::Status CatchUp() = 0;

  // Opens nothing but the journal of `folder`, for reading as it stands: damage in the rows beside it does no harm.
  // `scratch` as above; Get and Scan are not for what it returns. Nobody may be writing.
  static absl::StatusOr<std::unique_ptr<RocksCommitLog>> OpenJournal(const std::string& folder,
                                                                     const std::string& scratch);

  // Makes a database in `folder`, which must not exist, whose appends are durable only once Finish has returned OK.
  static absl::StatusOr<std::unique_ptr<RocksCommitLog>> OpenToBuild(const std::string& folder);
  virtual absl::Status Finish() = 0;

  // Whether a database stands in `folder`.
  static bool Exists(const std::string& folder);

  // Opening for writing replays RocksDB's own log and then removes it, with whatever stands behind damage in it. This
  // links the log's files into the folder `kept` before that, which is made when there is something to keep.
  static absl::Status KeepLog(const std::string& folder, const std::string& kept);

  // How large RocksDB's own log is: about what opening for writing takes of the disk. 0 when there is none.
  static uint64_t LogBytes(const std::string& folder);

  // Without it, files are not merged any more: merging takes as much space again as what is merged, which a disk that
  // is nearly full does not have. What is under way ends as it may. Merged at first. Any thread.
  virtual absl::Status SetCompacting(bool compacting) = 0;

  // How it is at present. Any thread.
  virtual StoreFigures Figures() const = 0;

  // For storage/backup, which copies it.
  virtual rocksdb::DB* database() = 0;
};

}  // namespace waystation::storage
