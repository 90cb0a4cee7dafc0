#include "switch/daemon/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "storage/sha256.h"

namespace waystation::daemon {
namespace {

constexpr size_t kTokenKeyBytes = 32;

std::string Cause() {
  return std::strerror(errno);
}

absl::StatusOr<std::string> ReadWholeFile(int file) {
  std::string text(256, '\0');
  const ssize_t size = pread(file, text.data(), text.size(), 0);
  if (size < 0) return absl::UnavailableError(Cause());
  text.resize(static_cast<size_t>(size));
  return text;
}

// Durable when it returns OK: a token sealed with a key that is lost would be refused after a restart.
absl::Status WriteWholeFile(int file, const std::string& text) {
  if (ftruncate(file, 0) != 0) return absl::UnavailableError(Cause());
  if (pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return absl::UnavailableError(Cause());
  }
  if (fsync(file) != 0) return absl::UnavailableError(Cause());
  return absl::OkStatus();
}

absl::StatusOr<int> Lock(const std::string& path) {
  const std::string name = path + "/switchd.lock";
  const int file = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::PermissionDeniedError(fmt::format(
        "storage.data_dir: {} can't be written: {}; give switchd's user write access, or name another folder", path,
        Cause()));
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const absl::StatusOr<std::string> holder = ReadWholeFile(file);
    close(file);
    return absl::FailedPreconditionError(
        fmt::format("storage.data_dir: {} is in use by process {}; stop it, or name another folder", path,
                    holder.ok() && !holder->empty() ? *holder : "unknown"));
  }
  if (absl::Status status = WriteWholeFile(file, std::to_string(getpid())); !status.ok()) {
    close(file);
    return absl::UnavailableError(
        fmt::format("storage.data_dir: {} can't be written: {}", name, std::string(status.message())));
  }
  return file;
}

absl::StatusOr<std::string> ReadOrMakeKey(const std::string& path) {
  const std::string name = path + "/token.key";
  const int file = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::PermissionDeniedError(fmt::format("{} can't be opened: {}", name, Cause()));
  absl::StatusOr<std::string> key = ReadWholeFile(file);
  if (key.ok() && key->empty()) {
    key = storage::RandomBytes(kTokenKeyBytes);
    if (absl::Status status = WriteWholeFile(file, *key); !status.ok()) key = status;
  }
  close(file);
  if (!key.ok()) {
    return absl::UnavailableError(fmt::format("{} can't be used: {}", name, std::string(key.status().message())));
  }
  if (key->size() != kTokenKeyBytes) {
    return absl::DataLossError(fmt::format(
        "{} has {} bytes; expected {}. Remove it: open inquiries will have to be repeated, nothing else is lost", name,
        key->size(), kTokenKeyBytes));
  }
  return key;
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::PermissionDeniedError(fmt::format(
        "storage.data_dir: {} can't be made: {}; make it by hand, or name another folder", path, error.message()));
  }
  absl::StatusOr<int> lock = Lock(path);
  if (!lock.ok()) return lock.status();
  DataFolder folder(path, *lock);
  absl::StatusOr<std::string> key = ReadOrMakeKey(path);
  if (!key.ok()) return key.status();
  folder.token_key_ = *std::move(key);
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), token_key_(std::move(other.token_key_)) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) close(lock_);
}

}  // namespace waystation::daemon
