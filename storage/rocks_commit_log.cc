#include "storage/rocks_commit_log.h"

#include <pthread.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/key.h"
#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

// Column families; rows_ families stand in the order of Table.
constexpr int kJournal = 1;
constexpr int kFirstTable = 2;
constexpr std::array kFamilies = {"default", "journal", "requests", "payments", "snapshot"};
static_assert(kFamilies.size() == kFirstTable + kTables);

constexpr size_t kProtectionBytesPerKey = 8;
// About what an index row takes in a batch.
constexpr size_t kBytesPerRow = 256;

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // It can end a replay early on a damaged tail, but never replays past a gap.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Recycled logs are unsafe with that mode; the others have no use for one writer and known faults in 7.8.
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = false;
  options.two_write_queues = false;
  options.enable_pipelined_write = false;
  options.track_and_verify_wals_in_manifest = false;
  options.atomic_flush = false;
  options.max_total_wal_size = core::kMaxWalBytes;
  options.db_write_buffer_size = core::kMaxMemtableBytes;
  options.max_background_jobs = 2;
  // Files are synced as they are written, so that a commit's sync does not wait behind a whole file.
  options.bytes_per_sync = 1 << 20;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4 << 20;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(int family, size_t journal_memtable_bytes,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kLZ4Compression;
  // Flushed seldom, since flushing and compacting take from the cores that serve; kMaxMemtableBytes bounds all
  // together.
  options.write_buffer_size = 64 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  switch (family) {
    case kJournal:
      options.write_buffer_size = journal_memtable_bytes;
      // Keys only grow, and are read by seeking: large blocks, no filter.
      table.block_size = 64 << 10;
      table.filter_policy = nullptr;
      break;
    case kFirstTable + static_cast<int>(Table::kRequests):
      // Nearly every lookup is for a request id that is new.
      options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(8));
      options.memtable_prefix_bloom_size_ratio = 0.05;
      options.memtable_whole_key_filtering = true;
      table.cache_index_and_filter_blocks = true;
      table.pin_l0_filter_and_index_blocks_in_cache = true;
      break;
    case kFirstTable + static_cast<int>(Table::kPayments):
      options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(9));
      break;
    default: break;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// RocksDB syncs what is in its folder, and not that the folder is there: without this, a power loss after the first
// start could take the whole of it.
rocksdb::Status SyncParent(rocksdb::FileSystem* files, const std::string& folder) {
  std::string parent = std::filesystem::path(folder).parent_path().string();
  if (parent.empty()) parent = ".";
  std::unique_ptr<rocksdb::FSDirectory> directory;
  const rocksdb::IOStatus opened = files->NewDirectory(parent, rocksdb::IOOptions(), &directory, nullptr);
  return opened.ok() ? directory->Fsync(rocksdb::IOOptions(), nullptr) : opened;
}

enum class Purpose {
  kWrite,
  kRead,
  kReadJournal,  // only that family
  kBuild,        // a new one, synced at the end
};

class RocksCommitLogImpl final : public RocksCommitLog {
 public:
  explicit RocksCommitLogImpl(Purpose purpose) : purpose_(purpose) {}

  ~RocksCommitLogImpl() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (committer_.joinable()) committer_.join();
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
    if (db_ != nullptr) db_->Close();
  }

  // `scratch`: where RocksDB's own log goes, for reading.
  absl::Status OpenDatabase(const std::string& folder, const std::string& scratch, const RocksOptions& chosen) {
    const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(core::kMaxBlockCacheBytes);
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    const size_t families = purpose_ == Purpose::kReadJournal ? kFirstTable : kFamilies.size();
    for (size_t i = 0; i < families; ++i) {
      descriptors.emplace_back(kFamilies[i], FamilyOptions(static_cast<int>(i), chosen.journal_memtable_bytes, cache));
    }
    rocksdb::DBOptions options = DatabaseOptions();
    if (chosen.file_system != nullptr) {
      env_ = rocksdb::NewCompositeEnv(chosen.file_system);
      options.env = env_.get();
    }
    rocksdb::DB* db = nullptr;
    rocksdb::Status status;
    switch (purpose_) {
      case Purpose::kBuild: options.error_if_exists = true; [[fallthrough]];
      case Purpose::kWrite:
        status = rocksdb::DB::Open(options, folder, descriptors, &families_, &db);
        if (status.ok()) status = SyncParent(options.env->GetFileSystem().get(), folder);
        break;
      case Purpose::kRead:
        options.create_if_missing = false;
        options.max_open_files = -1;  // files that the writer deletes stay readable
        status = rocksdb::DB::OpenAsSecondary(options, folder, scratch, descriptors, &families_, &db);
        break;
      case Purpose::kReadJournal:
        options.create_if_missing = false;
        options.db_log_dir = scratch;
        status = rocksdb::DB::OpenForReadOnly(options, folder, descriptors, &families_, &db);
        break;
    }
    db_.reset(db);
    if (status.ok()) {
      if (purpose_ == Purpose::kWrite) {
        committer_ = std::thread([this] { RunCommitter(); });
        pthread_setname_np(committer_.native_handle(), "committer");
      }
      return absl::OkStatus();
    }
    if (db_ == nullptr) families_.clear();
    return absl::UnavailableError(fmt::format("the ledger in {} can't be opened: {}", folder, status.ToString()));
  }

  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    const uint64_t legs = block == nullptr ? 0 : block->last_sequence - block->first_sequence + 1;
    Pending pending{MakeBatch(block, rows), std::move(done)};
    {
      std::unique_lock lock(mutex_);
      // A small block is written here: handing it over would cost more than deciding the next one meanwhile gains.
      if (!committer_.joinable() || (legs < core::kLegsToOverlap && queue_.empty() && !committing_)) {
        lock.unlock();
        pending.done(Commit(&pending.batch));
        return;
      }
      queue_.push_back(std::move(pending));
    }
    wake_.notify_one();
  }

  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override {
    rocksdb::ReadOptions options;
    options.readahead_size = 1 << 20;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, families_[kJournal]));
    std::string key;
    AppendNumber(&key, from_sequence);
    it->SeekForPrev(key);
    if (!it->Valid() && it->status().ok()) it->SeekToFirst();
    for (; it->Valid(); it->Next()) {
      if (it->key().size() != sizeof(uint64_t)) return absl::DataLossError("the journal has a key of a wrong size");
      if (!visit(ReadNumber<uint64_t>(ToView(it->key())), ToView(it->value()))) break;
    }
    return Check(it->status());
  }

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), Family(table), ToSlice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return Check(status);
    return std::string(ToView(value));
  }

  absl::Status Scan(Table table, std::string_view first, std::string_view past, Visit visit) const override {
    const rocksdb::Slice bound = ToSlice(past);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &bound;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, Family(table)));
    for (it->Seek(ToSlice(first)); it->Valid(); it->Next()) {
      if (!visit(ToView(it->key()), ToView(it->value()))) break;
    }
    return Check(it->status());
  }

  absl::Status ScanBackward(Table table, std::string_view first, std::string_view past, Visit visit) const override {
    const rocksdb::Slice lower = ToSlice(first);
    const rocksdb::Slice upper = ToSlice(past);
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, Family(table)));
    for (it->SeekToLast(); it->Valid(); it->Prev()) {
      if (!visit(ToView(it->key()), ToView(it->value()))) break;
    }
    return Check(it->status());
  }

  absl::Status CatchUp() override { return Check(db_->TryCatchUpWithPrimary()); }

  absl::Status SetCompacting(bool compacting) override {
    rocksdb::Status status;
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      if (!status.ok()) break;
      status = db_->SetOptions(family, {{"disable_auto_compactions", compacting ? "false" : "true"}});
    }
    return status.ok() ? absl::OkStatus() : absl::UnavailableError(status.ToString());
  }

  rocksdb::DB* database() override { return db_.get(); }

  absl::Status Finish() override {
    // Into tables, which RocksDB syncs before it names them in its manifest.
    const rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), families_);
    if (status.ok()) return absl::OkStatus();
    return absl::UnavailableError(fmt::format("the new ledger can't be written: {}", status.ToString()));
  }

 private:
  struct Pending {
    absl::StatusOr<rocksdb::WriteBatch> batch;
    Done done;
  };

  absl::StatusOr<rocksdb::WriteBatch> MakeBatch(const SealedBlock* block, const RowBatch& rows) const {
    const size_t bytes = block == nullptr ? 0 : block->bytes.size();
    rocksdb::WriteBatch batch(bytes + kBytesPerRow * rows.size(), 0, kProtectionBytesPerKey, 0);
    rocksdb::Status status;
    if (block != nullptr) {
      std::string key;
      AppendNumber(&key, block->first_sequence);
      status = batch.Put(families_[kJournal], key, block->bytes);
    }
    rows.ForEach([&](Table table, bool is_put, std::string_view key, std::string_view value) {
      if (!status.ok()) return;
      status =
          is_put ? batch.Put(Family(table), ToSlice(key), ToSlice(value)) : batch.Delete(Family(table), ToSlice(key));
    });
    if (!status.ok()) return absl::InternalError(status.ToString());
    return batch;
  }

  // Writes what is queued, until the end. Each batch has a sync of its own, since RocksDB lets readers see what is
  // written and not synced yet.
  void RunCommitter() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Pending pending = std::move(queue_.front());
      queue_.pop_front();
      committing_ = true;
      lock.unlock();
      pending.done(Commit(&pending.batch));
      lock.lock();
      committing_ = false;
    }
  }

  // One caller at a time: the sequencer's thread, or the committer. After a failure nothing is written any more, since
  // a later batch could otherwise stand behind a gap.
  CommitResult Commit(absl::StatusOr<rocksdb::WriteBatch>* batch) {
    if (!failure_.empty()) return {CommitOutcome::kUnknown, failure_};
    rocksdb::Status status;
    if (batch->ok()) {
      rocksdb::WriteOptions options;
      options.sync = purpose_ != Purpose::kBuild;
      status = db_->Write(options, &**batch);
      if (status.ok()) return {CommitOutcome::kDurable, ""};
    }
    failure_ = batch->ok() ? status.ToString() : std::string(batch->status().message());
    return {CommitOutcome::kUnknown, failure_};
  }

  rocksdb::ColumnFamilyHandle* Family(Table table) const { return families_[kFirstTable + static_cast<size_t>(table)]; }

  static absl::Status Check(const rocksdb::Status& status) {
    if (status.ok()) return absl::OkStatus();
    return absl::DataLossError(fmt::format("the ledger can't be read: {}", status.ToString()));
  }

  const Purpose purpose_;
  std::unique_ptr<rocksdb::Env> env_;  // null: the default one
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Pending> queue_;  // guarded by mutex_; bounded by the sequencer's blocks in flight
  bool committing_ = false;    // guarded by mutex_: the committer is at work
  bool stopping_ = false;      // guarded by mutex_
  std::string failure_;        // whoever commits; the first failure
  std::thread committer_;
};

absl::StatusOr<std::unique_ptr<RocksCommitLog>> OpenFor(Purpose purpose, const std::string& folder,
                                                        const std::string& scratch, const RocksOptions& options) {
  auto log = std::make_unique<RocksCommitLogImpl>(purpose);
  if (absl::Status status = log->OpenDatabase(folder, scratch, options); !status.ok()) return status;
  return log;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksCommitLog>> RocksCommitLog::Open(const std::string& folder,
                                                                     const RocksOptions& options) {
  return OpenFor(Purpose::kWrite, folder, "", options);
}

absl::StatusOr<std::unique_ptr<RocksCommitLog>> RocksCommitLog::OpenToRead(const std::string& folder,
                                                                           const std::string& scratch) {
  return OpenFor(Purpose::kRead, folder, scratch, RocksOptions());
}

absl::StatusOr<std::unique_ptr<RocksCommitLog>> RocksCommitLog::OpenJournal(const std::string& folder,
                                                                            const std::string& scratch) {
  return OpenFor(Purpose::kReadJournal, folder, scratch, RocksOptions());
}

absl::StatusOr<std::unique_ptr<RocksCommitLog>> RocksCommitLog::OpenToBuild(const std::string& folder) {
  return OpenFor(Purpose::kBuild, folder, "", RocksOptions());
}

bool RocksCommitLog::Exists(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder + "/CURRENT", ignored);
}

absl::Status RocksCommitLog::KeepLog(const std::string& folder, const std::string& kept) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".log") continue;
    const fs::path copy = fs::path(kept) / it->path().filename();
    if (fs::create_directories(kept, error); error) break;
    if (!fs::exists(copy, error) && !error) fs::create_hard_link(it->path(), copy, error);
    if (error) break;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return absl::UnavailableError(
        fmt::format("the log files of {} can't be linked into {}: {}", folder, kept, error.message()));
  }
  return absl::OkStatus();
}

uint64_t RocksCommitLog::LogBytes(const std::string& folder) {
  namespace fs = std::filesystem;
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".log") continue;
    const uintmax_t size = it->file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace waystation::storage
