#include "storage/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "fmt/format.h"

namespace waystation::storage {
namespace {

absl::Status Failed(std::string_view what, const std::string& path) {
  return absl::UnavailableError(fmt::format("{} can't be {}: {}", path, what, std::strerror(errno)));
}

}  // namespace

absl::Status WriteFileDurably(const std::string& path, std::string_view bytes) {
  const std::string made = path + ".new";
  const int file = open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return Failed("made", made);
  absl::Status status;
  if (pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    status = Failed("written", made);
  } else if (fsync(file) != 0) {
    status = Failed("synced", made);
  }
  close(file);
  if (!status.ok()) return status;
  if (rename(made.c_str(), path.c_str()) != 0) return Failed("renamed to " + path, made);
  return SyncFolder(std::filesystem::absolute(path).parent_path());
}

absl::Status SyncFolder(const std::string& folder) {
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return Failed("opened", folder);
  absl::Status status;
  if (fsync(file) != 0) status = Failed("synced", folder);
  close(file);
  return status;
}

}  // namespace waystation::storage
