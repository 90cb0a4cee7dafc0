#include "storage/rocks_log_files.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

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
// then the content. No record begins in a block's last 6 bytes. (RocksDB, db/log_format.h)
constexpr uint64_t kBlockBytes = 32 << 10;
constexpr uint64_t kHeaderBytes = 7;

bool IsLog(std::string_view path) {
  return path.ends_with(".log");
}

class LogToWrite final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  explicit LogToWrite(std::unique_ptr<rocksdb::FSWritableFile> file) : FSWritableFileOwnerWrapper(std::move(file)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (end_ + data.size() > zeroed_) {
      if (IOStatus status = WriteZeros(end_ + data.size(), options, debug); !status.ok()) return status;
    }
    IOStatus status = target()->PositionedAppend(data, end_, options, debug);
    if (status.ok()) end_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = target()->Truncate(size, options, debug);
    if (status.ok()) end_ = zeroed_ = size;
    return status;
  }

  // Nothing is written any more, so nothing need be ahead.
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus cut = zeroed_ > end_ ? Truncate(end_, options, debug) : IOStatus::OK();
    const IOStatus closed = FSWritableFileOwnerWrapper::Close(options, debug);
    return cut.ok() ? closed : cut;
  }

  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return end_; }

 private:
  // So that the file goes up to `least` and some way beyond.
  IOStatus WriteZeros(uint64_t least, const IOOptions& options, IODebugContext* debug) {
    const uint64_t ahead = std::clamp(zeroed_, kLeastAhead, kMostAhead);
    const uint64_t size = (least + ahead) / kBlockBytes * kBlockBytes;
    const std::string zeros(size - zeroed_, '\0');
    IOStatus status = target()->PositionedAppend(zeros, zeroed_, options, debug);
    if (status.ok()) zeroed_ = size;
    return status;
  }

  uint64_t end_ = 0;     // of what RocksDB has written
  uint64_t zeroed_ = 0;  // of the file
};

class LogToRead final : public rocksdb::FSSequentialFile {
 public:
  explicit LogToRead(std::unique_ptr<rocksdb::FSRandomAccessFile> file) : file_(std::move(file)) {}

  IOStatus Read(size_t n, const IOOptions& options, Slice* result, char* scratch, IODebugContext* debug) override {
    IOStatus status = file_->Read(at_, n, options, result, scratch, debug);
    if (!status.ok()) return status;
    *result = Slice(result->data(), RecordsIn(*result));
    at_ += result->size();
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
      const uint64_t left = kBlockBytes - record_ % kBlockBytes;
      if (left < kHeaderBytes) {
        record_ += left;
        continue;
      }
      if (record_ >= end) return bytes.size();
      if (record_ + kHeaderBytes > end) return record_ - at_;
      const std::string_view header(bytes.data() + (record_ - at_), kHeaderBytes);
      if (header == std::string_view("\0\0\0\0\0\0\0", kHeaderBytes)) return record_ - at_;
      const auto low = static_cast<unsigned char>(header[4]);
      const auto high = static_cast<unsigned char>(header[5]);
      record_ += kHeaderBytes + low + (uint64_t{high} << 8);
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
    if (status.ok() && IsLog(path)) *result = std::make_unique<LogToWrite>(std::move(*result));
    return status;
  }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* debug) override {
    if (!IsLog(path)) return FileSystemWrapper::NewSequentialFile(path, options, result, debug);
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(path, options, &file, debug);
    if (status.ok()) *result = std::make_unique<LogToRead>(std::move(file));
    return status;
  }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> FilesWithLogsWrittenAhead(std::shared_ptr<rocksdb::FileSystem> base) {
  return std::make_shared<Files>(base != nullptr ? std::move(base) : rocksdb::FileSystem::Default());
}

}  // namespace waystation::storage
