#include "switch/daemon/data_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "storage/durable_file.h"
#include "storage/sha256.h"

namespace waystation::daemon {
namespace {

constexpr size_t kTokenKeyBytes = 32;

absl::StatusOr<storage::FolderLock> Lock(const std::string& path) {
  absl::StatusOr<storage::FolderLock> lock = storage::FolderLock::Take(path);
  if (lock.ok()) return lock;
  return absl::Status(
      lock.status().code(),
      fmt::format("storage.data_dir: {}; {}, or name another folder", std::string(lock.status().message()),
                  absl::IsFailedPrecondition(lock.status()) ? "stop it" : "give switchd's user write access"));
}

// Durable before the first token is sealed with it: one whose key is lost would be refused after a restart.
absl::StatusOr<std::string> ReadOrMakeKey(const std::string& path) {
  const std::string name = path + "/token.key";
  std::error_code error;
  if (!std::filesystem::exists(name, error) && !error) {
    const absl::Status made = storage::WriteFileDurably(name, storage::RandomBytes(kTokenKeyBytes));
    if (!made.ok()) {
      return absl::UnavailableError(
          fmt::format("{}; see that its disk has space and works", std::string(made.message())));
    }
  }
  std::ifstream file(name, std::ios::binary);
  if (error || !file) return absl::PermissionDeniedError(fmt::format("{} can't be read; see who owns it", name));
  std::string key((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (key.size() != kTokenKeyBytes) {
    return absl::DataLossError(fmt::format(
        "{} has {} bytes; expected {}. Remove it: open inquiries will have to be repeated, nothing else is lost", name,
        key.size(), kTokenKeyBytes));
  }
  return key;
}

// Makes it, and what is missing above it; a power loss does not take it back.
absl::Status MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  const std::filesystem::path parent = path.parent_path();
  if (absl::Status above = MakeFolder(parent); !above.ok()) return above;
  if (!std::filesystem::create_directory(path, error) && error) return absl::UnavailableError(error.message());
  return storage::SyncFolder(parent);
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Open(const std::string& path) {
  // Without a slash at the end, or the folder would be its own parent.
  const std::string whole = std::filesystem::absolute(path).lexically_normal().string();
  if (absl::Status made = MakeFolder(whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole); !made.ok()) {
    return absl::PermissionDeniedError(
        fmt::format("storage.data_dir: {} can't be made: {}; make it by hand, or name another folder", path,
                    std::string(made.message())));
  }
  absl::StatusOr<storage::FolderLock> lock = Lock(path);
  if (!lock.ok()) return lock.status();
  DataFolder folder(path, *std::move(lock));
  absl::StatusOr<std::string> key = ReadOrMakeKey(path);
  if (!key.ok()) return key.status();
  folder.token_key_ = *std::move(key);
  return folder;
}

void DataFolder::DropKeptLog() const {
  std::error_code ignored;
  std::filesystem::remove_all(kept_log_path(), ignored);
}

}  // namespace waystation::daemon
