#include "storage/rocks_commit_log.h"

#include <pthread.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/write_batch.h>

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
#include "storage/rocks_figures.h"
#include "storage/rocks_log_files.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"
#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

constexpr size_t kProtectionBytesPerKey = 8;
// About what an index row takes in a batch.
constexpr size_t kBytesPerRow = 256;

RowReader::Row ToRow(const rocksdb::Status& status, const rocksdb::PinnableSlice& value) {
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return ReadStatus(status);
  return std::string(value.data(), value.size());
}

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
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

// RocksDB takes a folder without CURRENT for an empty one: it makes a database there, and removes the files of the one
// that was.
bool HasLostItsList(const std::string& folder) {
  namespace fs = std::filesystem;
  if (RocksCommitLog::Exists(folder)) return false;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".sst" || it->path().extension() == ".log") return true;
  }
  return false;
}

enum class Purpose {
  kWrite,
  kRead,
  kReadJournal,  // only that family
  kBuild,        // a new one, synced at the end
};

class RocksCommitLogImpl final : public RocksCommitLog {
 public:
  RocksCommitLogImpl(Purpose purpose, const std::string& folder) : purpose_(purpose), folder_(folder) {}

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
  absl::Status OpenDatabase(const std::string& scratch, const RocksOptions& chosen) {
    const std::vector<rocksdb::ColumnFamilyDescriptor> descriptors =
        FamilyDescriptors(purpose_ == Purpose::kReadJournal ? kFirstTable : kFamilies, chosen.journal_memtable_bytes);
    rocksdb::DBOptions options = DatabaseOptions();
    env_ = rocksdb::NewCompositeEnv(FilesWithLogsWrittenAhead(chosen.file_system));
    options.env = env_.get();
    if (purpose_ == Purpose::kWrite && HasLostItsList(folder_)) {
      return OpenError(folder_, rocksdb::Status::Corruption(
                                    folder_ + "/CURRENT", "is gone, which names the list of the files that are there"));
    }
    rocksdb::DB* db = nullptr;
    rocksdb::Status status;
    switch (purpose_) {
      case Purpose::kBuild:
        options.error_if_exists = true;
        options.rate_limiter = nullptr;  // nobody commits beside it
        [[fallthrough]];
      case Purpose::kWrite:
        status = rocksdb::DB::Open(options, folder_, descriptors, &families_, &db);
        if (status.ok()) status = SyncParent(options.env->GetFileSystem().get(), folder_);
        break;
      case Purpose::kRead:
        options.create_if_missing = false;
        options.max_open_files = -1;  // files that the writer deletes stay readable
        status = rocksdb::DB::OpenAsSecondary(options, folder_, scratch, descriptors, &families_, &db);
        break;
      case Purpose::kReadJournal:
        options.create_if_missing = false;
        options.db_log_dir = scratch;
        status = rocksdb::DB::OpenForReadOnly(options, folder_, descriptors, &families_, &db);
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
    return OpenError(folder_, status);
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
    return ReadStatus(it->status());
  }

  Row Get(Table table, std::string_view key) const override {
    rocksdb::PinnableSlice value;
    return ToRow(db_->Get(rocksdb::ReadOptions(), Family(table), ToSlice(key), &value), value);
  }

  std::vector<Row> GetEach(Table table, absl::Span<const std::string> keys) const override {
    const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(rocksdb::ReadOptions(), Family(table), keys.size(), slices.data(), values.data(), statuses.data());
    std::vector<Row> rows;
    rows.reserve(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) rows.push_back(ToRow(statuses[i], values[i]));
    return rows;
  }

  absl::Status Scan(Table table, std::string_view first, std::string_view past, Visit visit) const override {
    const rocksdb::Slice bound = ToSlice(past);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &bound;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, Family(table)));
    for (it->Seek(ToSlice(first)); it->Valid(); it->Next()) {
      if (!visit(ToView(it->key()), ToView(it->value()))) break;
    }
    return ReadStatus(it->status());
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
    return ReadStatus(it->status());
  }

  absl::Status CatchUp() override { return ReadStatus(db_->TryCatchUpWithPrimary()); }

  absl::Status SetCompacting(bool compacting) override {
    rocksdb::Status status;
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      if (!status.ok()) break;
      status = db_->SetOptions(family, {{"disable_auto_compactions", compacting ? "false" : "true"}});
    }
    return status.ok() ? absl::OkStatus() : absl::UnavailableError(status.ToString());
  }

  StoreFigures Figures() const override { return ReadFigures(db_.get(), families_, folder_); }

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

  const Purpose purpose_;
  const std::string folder_;
  std::unique_ptr<rocksdb::Env> env_;
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
  auto log = std::make_unique<RocksCommitLogImpl>(purpose, folder);
  if (absl::Status status = log->OpenDatabase(scratch, options); !status.ok()) return status;
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
