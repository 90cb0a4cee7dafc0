#include "tests/crash/lossy_file_system.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "fmt/format.h"

namespace waystation::crash {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

std::string NameOf(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Folders are named with a slash at the end and without.
std::string Plain(const std::string& path) {
  std::string plain = std::filesystem::path(path).lexically_normal().string();
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

bool IsOutside(const std::string& path) {
  const std::string name = NameOf(path);
  return name.starts_with("LOG") || name == "LOCK";
}

IOStatus NoPower() {
  return IOStatus::IOError("the power is off");
}

}  // namespace

class LossyWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  LossyWritableFile(std::unique_ptr<rocksdb::FSWritableFile> real, std::string path, Disk::FilePtr file,
                    LossyFileSystem* files)
      : FSWritableFileOwnerWrapper(std::move(real)), path_(std::move(path)), file_(std::move(file)), files_(files) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return files_->Write(target(), file_.get(), path_, std::nullopt, data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t at, const IOOptions& options, IODebugContext* debug) override {
    return files_->Write(target(), file_.get(), path_, at, data, options, debug);
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t at, const IOOptions& options,
                            const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return PositionedAppend(data, at, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    return files_->Cut(target(), file_.get(), path_, size, options, debug);
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return files_->Sync(file_.get(), path_); }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return files_->Sync(file_.get(), path_); }
  // It starts writing and promises nothing.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const std::string path_;
  const Disk::FilePtr file_;
  LossyFileSystem* const files_;
};

class LossySequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  LossySequentialFile(std::unique_ptr<rocksdb::FSSequentialFile> real, std::string path, LossyFileSystem* files)
      : FSSequentialFileOwnerWrapper(std::move(real)), path_(std::move(path)), files_(files) {}

  IOStatus Read(size_t n, const IOOptions& options, Slice* result, char* scratch, IODebugContext* debug) override {
    const IOStatus status = files_->CountRead("reading", path_);
    return status.ok() ? FSSequentialFileOwnerWrapper::Read(n, options, result, scratch, debug) : status;
  }

 private:
  const std::string path_;
  LossyFileSystem* const files_;
};

class LossyRandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  LossyRandomAccessFile(std::unique_ptr<rocksdb::FSRandomAccessFile> real, std::string path, LossyFileSystem* files)
      : FSRandomAccessFileOwnerWrapper(std::move(real)), path_(std::move(path)), files_(files) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    const IOStatus status = files_->CountRead("reading", path_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, debug) : status;
  }
  // One after the other through Read.
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    return FSRandomAccessFile::MultiRead(requests, count, options, debug);
  }

 private:
  const std::string path_;
  LossyFileSystem* const files_;
};

class LossyFolder final : public rocksdb::FSDirectoryWrapper {
 public:
  LossyFolder(std::unique_ptr<rocksdb::FSDirectory> real, std::string path, LossyFileSystem* files)
      : FSDirectoryWrapper(std::move(real)), path_(std::move(path)), files_(files) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return files_->SyncFolder(path_); }
  IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*, const rocksdb::DirFsyncOptions&) override {
    return files_->SyncFolder(path_);
  }

 private:
  const std::string path_;
  LossyFileSystem* const files_;
};

LossyFileSystem::LossyFileSystem(std::string attic, uint64_t seed)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(std::move(attic)), random_(seed) {}

LossyFileSystem::~LossyFileSystem() = default;

void LossyFileSystem::CutPowerAt(uint64_t n) {
  const std::lock_guard lock(mutex_);
  cut_at_ = n == 0 ? std::nullopt : std::optional(changes_ + n);
}

void LossyFileSystem::CutPower() {
  const std::lock_guard lock(mutex_);
  power_ = false;
}

bool LossyFileSystem::power_is_on() const {
  const std::lock_guard lock(mutex_);
  return power_;
}

void LossyFileSystem::RestorePower() {
  const std::lock_guard lock(mutex_);
  disk_.LosePower(random_);
  cut_at_.reset();
  power_ = true;
}

void LossyFileSystem::Set(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  fault_at_ = fault.at + (fault.on == Fault::On::kChanges ? changes_ : reads_);
  fault_hit_.clear();
}

void LossyFileSystem::ClearFault() {
  const std::lock_guard lock(mutex_);
  fault_.reset();
}

std::string LossyFileSystem::fault_hit() const {
  const std::lock_guard lock(mutex_);
  return fault_hit_;
}

uint64_t LossyFileSystem::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

uint64_t LossyFileSystem::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

void LossyFileSystem::SetLie(Lie lie) {
  const std::lock_guard lock(mutex_);
  lie_ = lie;
}

IOStatus LossyFileSystem::FaultFor(Fault::On on, Needs needs, const std::string& doing, const std::string& path) {
  if (!fault_.has_value()) return IOStatus::OK();
  const uint64_t count = fault_->on == Fault::On::kChanges ? changes_ : reads_;
  const bool is_it = fault_->on == on && count == fault_at_;
  const bool goes_on = fault_->lasts && !fault_hit_.empty() && (fault_->error == Error::kIo || needs == Needs::kSpace);
  if (!is_it && !goes_on) return IOStatus::OK();
  const std::string what = fmt::format("{} {}", doing, NameOf(path));
  if (fault_hit_.empty()) fault_hit_ = what;
  return fault_->error == Error::kIo ? IOStatus::IOError(what, std::strerror(EIO))
                                     : IOStatus::NoSpace(what, std::strerror(ENOSPC));
}

IOStatus LossyFileSystem::BeginChange(const std::string& doing, const std::string& path, Needs needs) {
  if (!power_) return NoPower();
  ++changes_;
  if (cut_at_.has_value() && changes_ >= *cut_at_) {
    power_ = false;
    return NoPower();
  }
  return FaultFor(Fault::On::kChanges, needs, doing, path);
}

IOStatus LossyFileSystem::BeginRead(const std::string& doing, const std::string& path) {
  if (!power_) return NoPower();
  ++reads_;
  return FaultFor(Fault::On::kReads, Needs::kNothing, doing, path);
}

IOStatus LossyFileSystem::CountChange(const std::string& doing, const std::string& path) {
  const std::lock_guard lock(mutex_);
  return BeginChange(doing, path, Needs::kSpace);
}

IOStatus LossyFileSystem::CountRead(const std::string& doing, const std::string& path) {
  const std::lock_guard lock(mutex_);
  return BeginRead(doing, path);
}

IOStatus LossyFileSystem::Write(rocksdb::FSWritableFile* real, Disk::File* file, const std::string& path,
                                std::optional<uint64_t> at, const Slice& data, const IOOptions& options,
                                IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  const IOStatus status = BeginChange("writing", path, Needs::kSpace);
  if (!power_) return status;
  const Slice written(data.data(), status.ok() ? data.size() : data.size() / 2);
  if (at.has_value()) Disk::WillOverwrite(*file, *at, written.size());
  const IOStatus done =
      at.has_value() ? real->PositionedAppend(written, *at, options, debug) : real->Append(written, options, debug);
  if (done.ok()) file->size = std::max(file->size, at.value_or(file->size) + written.size());
  return status.ok() || lie_ == Lie::kErrors ? done : status;
}

IOStatus LossyFileSystem::Cut(rocksdb::FSWritableFile* real, Disk::File* file, const std::string& path, uint64_t size,
                              const IOOptions& options, IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  IOStatus status = BeginChange("cutting", path, Needs::kNothing);
  if (status.ok()) status = real->Truncate(size, options, debug);
  if (status.ok()) Disk::WasCut(*file, size);
  return status;
}

IOStatus LossyFileSystem::Sync(Disk::File* file, const std::string& path) {
  const std::lock_guard lock(mutex_);
  const IOStatus status = BeginChange("syncing", path, Needs::kSpace);
  if (!power_) return status;
  if (!status.ok()) file->sync_failed = true;
  if (!file->sync_failed && lie_ != Lie::kFileSyncs) Disk::Synced(*file);
  return lie_ == Lie::kErrors ? IOStatus::OK() : status;
}

IOStatus LossyFileSystem::SyncFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const IOStatus status = BeginChange("syncing the folder", path, Needs::kSpace);
  if (status.ok() && lie_ != Lie::kFolderSyncs) disk_.SyncFolder(path);
  return status;
}

IOStatus LossyFileSystem::NewSequentialFile(const std::string& path, const FileOptions& options,
                                            std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* debug) {
  IOStatus status = CountRead("opening", path);
  if (status.ok()) status = FileSystemWrapper::NewSequentialFile(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<LossySequentialFile>(std::move(*result), path, this);
  return status;
}

IOStatus LossyFileSystem::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                              IODebugContext* debug) {
  IOStatus status = CountRead("opening", path);
  if (status.ok()) status = FileSystemWrapper::NewRandomAccessFile(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<LossyRandomAccessFile>(std::move(*result), path, this);
  return status;
}

IOStatus LossyFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  if (IsOutside(path)) return FileSystemWrapper::NewWritableFile(path, options, result, debug);
  const std::lock_guard lock(mutex_);
  IOStatus status = BeginChange("making", path, Needs::kSpace);
  if (!status.ok()) return status;
  const std::string plain = Plain(path);
  Disk::FilePtr file = disk_.Create(plain);
  status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
  if (!status.ok()) return status;
  *result = std::make_unique<LossyWritableFile>(std::move(*result), plain, std::move(file), this);
  return status;
}

IOStatus LossyFileSystem::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  const std::string plain = Plain(path);
  Disk::FilePtr file;
  {
    const std::lock_guard lock(mutex_);
    file = disk_.Find(plain);
    if (file != nullptr) {
      if (IOStatus status = BeginChange("opening", path, Needs::kNothing); !status.ok()) return status;
    }
  }
  if (file == nullptr) return NewWritableFile(path, options, result, debug);
  const IOStatus status = FileSystemWrapper::ReopenWritableFile(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<LossyWritableFile>(std::move(*result), plain, std::move(file), this);
  return status;
}

IOStatus LossyFileSystem::ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                                            std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("ReuseWritableFile");
}

IOStatus LossyFileSystem::NewRandomRWFile(const std::string&, const FileOptions&,
                                          std::unique_ptr<rocksdb::FSRandomRWFile>*, IODebugContext*) {
  return IOStatus::NotSupported("NewRandomRWFile");
}

IOStatus LossyFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  IOStatus status = CountRead("opening the folder", path);
  if (status.ok()) status = FileSystemWrapper::NewDirectory(path, options, result, debug);
  if (status.ok()) *result = std::make_unique<LossyFolder>(std::move(*result), Plain(path), this);
  return status;
}

IOStatus LossyFileSystem::FileExists(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const IOStatus status = CountRead("looking for", path);
  return status.ok() ? FileSystemWrapper::FileExists(path, options, debug) : status;
}

IOStatus LossyFileSystem::GetChildren(const std::string& path, const IOOptions& options,
                                      std::vector<std::string>* result, IODebugContext* debug) {
  const IOStatus status = CountRead("listing", path);
  return status.ok() ? FileSystemWrapper::GetChildren(path, options, result, debug) : status;
}

IOStatus LossyFileSystem::GetFileSize(const std::string& path, const IOOptions& options, uint64_t* size,
                                      IODebugContext* debug) {
  const IOStatus status = CountRead("asking the size of", path);
  return status.ok() ? FileSystemWrapper::GetFileSize(path, options, size, debug) : status;
}

IOStatus LossyFileSystem::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  if (IsOutside(path)) return FileSystemWrapper::DeleteFile(path, options, debug);
  const std::lock_guard lock(mutex_);
  const IOStatus status = BeginChange("deleting", path, Needs::kNothing);
  if (!status.ok()) return status;
  return disk_.Delete(Plain(path)) ? status : IOStatus::PathNotFound(path);
}

IOStatus LossyFileSystem::Truncate(const std::string& path, size_t, const IOOptions&, IODebugContext*) {
  return IOStatus::NotSupported("Truncate " + path);
}

IOStatus LossyFileSystem::CreateDir(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  IOStatus status = BeginChange("making the folder", path, Needs::kSpace);
  if (status.ok()) status = FileSystemWrapper::CreateDir(path, options, debug);
  if (status.ok()) disk_.MadeFolder(Plain(path));
  return status;
}

IOStatus LossyFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  const IOStatus there = FileExists(path, options, debug);
  if (there.ok() || !there.IsNotFound()) return there;
  return CreateDir(path, options, debug);
}

IOStatus LossyFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                     IODebugContext* debug) {
  if (IsOutside(from)) return FileSystemWrapper::RenameFile(from, to, options, debug);
  const std::lock_guard lock(mutex_);
  const IOStatus status = BeginChange("renaming", from, Needs::kSpace);
  if (!status.ok()) return status;
  return disk_.Rename(Plain(from), Plain(to)) ? status : IOStatus::PathNotFound(from);
}

IOStatus LossyFileSystem::LinkFile(const std::string&, const std::string&, const IOOptions&, IODebugContext*) {
  return IOStatus::NotSupported("LinkFile");
}

}  // namespace waystation::crash
