#include "storage/rocks_log_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace waystation::storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// A log doubles, so that a small one stays small, until it grows by this much: what a sync can write in about 2 ms.
constexpr uint64_t kLeastAhead = 64 << 10;
constexpr uint64_t kMostAhead = 1 << 20;

// A log is a row of blocks, each a row of records: 4 bytes of checksum, 2 of length (the lower one first), 1 of type,
// which is never 0, then the content. No record begins in a block's last 6 bytes. (RocksDB, db/log_format.h)
constexpr uint64_t kBlockBytes = 32 << 10;
constexpr uint64_t kHeaderBytes = 7;
constexpr uint64_t kTypeAt = 6;

bool IsLog(std::string_view path) {
  return path.ends_with(".log");
}

// Where the next record begins after `end`: no record begins in a block's last bytes, which stay zeros.
uint64_t RecordAfter(uint64_t end) {
  const uint64_t left = kBlockBytes - end % kBlockBytes;
  return left < kHeaderBytes ? end + left : end;
}

// How long the record is that begins with this header.
uint64_t RecordBytes(const char* header) {
  const auto low = static_cast<unsigned char>(header[4]);
  const auto high = static_cast<unsigned char>(header[5]);
  return kHeaderBytes + low + (uint64_t{high} << 8);
}

// How far each log that is being written goes: as far as its records.
class Ends {
 public:
  void Set(const std::string& path, uint64_t end) {
    const std::lock_guard lock(mutex_);
    ends_[path] = end;
  }
  void Remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    ends_.erase(path);
  }
  std::optional<uint64_t> Find(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto it = ends_.find(path);
    return it == ends_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, uint64_t> ends_;  // guarded by mutex_
};

// Writes a record only once all of it was appended (RocksDB's buffer may end within one), and of what it writes the
// first record's type last, in a write of its own: until then a reader takes all of it for not written, and from then
// on it is all there.
class LogToWrite final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  LogToWrite(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, std::shared_ptr<Ends> ends)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), ends_(std::move(ends)) {
    ends_->Set(path_, 0);
  }
  ~LogToWrite() override { ends_->Remove(path_); }

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (held_.empty()) {
      const size_t whole = WholeRecordsOf(data);
      held_.assign(data.data() + whole, data.size() - whole);
      return Write(Slice(data.data(), whole), options, debug);
    }
    held_.append(data.data(), data.size());
    const std::string appended = std::move(held_);
    const size_t whole = WholeRecordsOf(appended);
    held_ = appended.substr(whole);
    return Write(Slice(appended.data(), whole), options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return held_.empty() ? FSWritableFileOwnerWrapper::Sync(options, debug) : NotWhole();
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return held_.empty() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : NotWhole();
  }

  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = target()->Truncate(size, options, debug);
    if (status.ok()) {
      held_.clear();
      end_ = zeroed_ = size;
      ends_->Set(path_, size);
    }
    return status;
  }

  // Nothing is written any more, so nothing need be ahead.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus cut = Truncate(end_, options, debug);
    const IOStatus closed = FSWritableFileOwnerWrapper::Close(options, debug);
    return cut.ok() ? closed : cut;
  }

  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return end_ + held_.size(); }

  // The zeros take the place of space that is set aside; and RocksDB's file cuts such space off when it is closed, at
  // the end of what it wrote last, which is a type here.
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}

 private:
  IOStatus NotWhole() const { return IOStatus::InvalidArgument(path_ + ": a sync within a record"); }

  // How much of `bytes`, which stand at end_, are records that end within them.
  size_t WholeRecordsOf(const Slice& bytes) const {
    for (uint64_t at = end_;;) {
      const uint64_t header = RecordAfter(at) - end_;
      if (header + kHeaderBytes > bytes.size()) return at - end_;
      const uint64_t past = header + RecordBytes(bytes.data() + header);
      if (past > bytes.size()) return at - end_;
      at = end_ + past;
    }
  }

  // `records` are whole.
  IOStatus Write(const Slice& records, const IOOptions& options, IODebugContext* debug) {
    if (records.empty()) return IOStatus::OK();
    const uint64_t end = end_ + records.size();
    if (IOStatus status = WriteZeros(end, options, debug); !status.ok()) return status;
    const size_t type = RecordAfter(end_) + kTypeAt - end_;
    const std::array<std::pair<size_t, size_t>, 3> parts = {{{type + 1, records.size()}, {0, type}, {type, type + 1}}};
    for (const auto& [from, to] : parts) {
      const Slice part(records.data() + from, to - from);
      if (part.empty()) continue;
      if (IOStatus status = target()->PositionedAppend(part, end_ + from, options, debug); !status.ok()) return status;
    }
    end_ = end;
    ends_->Set(path_, end);
    return IOStatus::OK();
  }

  // So that the file goes up to `least`: then some way beyond.
  IOStatus WriteZeros(uint64_t least, const IOOptions& options, IODebugContext* debug) {
    if (least <= zeroed_) return IOStatus::OK();
    const uint64_t ahead = std::clamp(zeroed_, kLeastAhead, kMostAhead);
    const uint64_t size = (least + ahead) / kBlockBytes * kBlockBytes;
    const std::string zeros(size - zeroed_, '\0');
    IOStatus status = target()->PositionedAppend(zeros, zeroed_, options, debug);
    if (status.ok()) zeroed_ = size;
    return status;
  }

  const std::string path_;
  const std::shared_ptr<Ends> ends_;
  uint64_t end_ = 0;     // of the records that were written
  uint64_t zeroed_ = 0;  // of the file
  std::string held_;     // what was appended of a record that is not whole
};

class LogToRead final : public rocksdb::FSSequentialFile {
 public:
  explicit LogToRead(std::unique_ptr<rocksdb::FSRandomAccessFile> file) : file_(std::move(file)) {}

  IOStatus Read(size_t n, const IOOptions& options, Slice* result, char* scratch, IODebugContext* debug) override {
    IOStatus status = file_->Read(at_, n, options, result, scratch, debug);
    if (!status.ok()) return status;
    const size_t records = RecordsIn(*result);
    *result = Slice(scratch, 0);
    if (records == 0) return status;
    // A record whose type was seen is there as a whole, but what stands before the type may have been read before that.
    status = file_->Read(at_, records, options, result, scratch, debug);
    if (status.ok()) at_ += result->size();
    return status;
  }

  IOStatus Skip(uint64_t n) override {
    at_ += n;
    record_ = std::max(record_, at_);
    return IOStatus::OK();
  }

 private:
  // How much of `bytes`, which stand at at_, comes before the first record that was not written yet.
  size_t RecordsIn(const Slice& bytes) {
    const uint64_t end = at_ + bytes.size();
    while (true) {
      record_ = RecordAfter(record_);
      if (record_ >= end) return bytes.size();
      if (record_ + kHeaderBytes > end) return record_ - at_;
      const char* header = bytes.data() + (record_ - at_);
      if (header[kTypeAt] == 0) return record_ - at_;
      record_ += RecordBytes(header);
    }
  }

  const std::unique_ptr<rocksdb::FSRandomAccessFile> file_;
  uint64_t at_ = 0;      // where the next read begins
  uint64_t record_ = 0;  // where the next record begins, by the headers that were read
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

  static const char* kClassName() { return "FilesWithLogsWrittenAhead"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
    if (status.ok() && IsLog(path)) *result = std::make_unique<LogToWrite>(std::move(*result), path, ends_);
    return status;
  }

  IOStatus GetFileSize(const std::string& path, const IOOptions& options, uint64_t* size,
                       IODebugContext* debug) override {
    const std::optional<uint64_t> end = ends_->Find(path);
    if (!end.has_value()) return FileSystemWrapper::GetFileSize(path, options, size, debug);
    *size = *end;
    return IOStatus::OK();
  }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* debug) override {
    if (!IsLog(path)) return FileSystemWrapper::NewSequentialFile(path, options, result, debug);
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(path, options, &file, debug);
    if (status.ok()) *result = std::make_unique<LogToRead>(std::move(file));
    return status;
  }

 private:
  const std::shared_ptr<Ends> ends_ = std::make_shared<Ends>();
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> FilesWithLogsWrittenAhead(std::shared_ptr<rocksdb::FileSystem> base) {
  return std::make_shared<Files>(base != nullptr ? std::move(base) : rocksdb::FileSystem::Default());
}

}  // namespace waystation::storage
