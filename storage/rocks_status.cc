#include "storage/rocks_status.h"

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "fmt/format.h"

namespace waystation::storage {
namespace {

// Of the operating system's error RocksDB keeps the text alone.
bool HasErrno(const std::string& text, std::initializer_list<int> errors) {
  for (const int error : errors) {
    if (text.find(std::strerror(error)) != text.npos) return true;
  }
  return false;
}

bool HasAny(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != text.npos) return true;
  }
  return false;
}

// A file that its lists name is not there: as good as damaged.
bool IsMissingFile(const rocksdb::Status& status, const std::string& text) {
  return status.IsPathNotFound() || status.IsNotFound() || HasErrno(text, {ENOENT});
}

struct Verdict {
  absl::StatusCode code;
  std::string_view next;
};

Verdict Judge(const rocksdb::Status& status, const std::string& text) {
  if (HasAny(text, {"lock hold by current process", "While lock file"})) {
    return {absl::StatusCode::kFailedPrecondition,
            "another process has it open for writing: find it with `fuser` on the file LOCK in it, stop it, and start "
            "this one again; a ledger has one writer"};
  }
  if (HasErrno(text, {EACCES, EPERM, EROFS})) {
    return {absl::StatusCode::kPermissionDenied,
            "give this program's user the right to read and write the folder and every file in it (`ls -la` shows who "
            "has it; the disk may be mounted read-only), then start again; nothing was changed"};
  }
  if (status.IsNoSpace() || HasErrno(text, {ENOSPC, EDQUOT, EFBIG})) {
    return {
        absl::StatusCode::kResourceExhausted,
        "free disk space, or raise the quota or the limit on file sizes that holds there, then start again; nothing "
        "that was answered is lost"};
  }
  if (HasErrno(text, {ENOTDIR}) || HasAny(text, {"exists but is not a directory"})) {
    return {absl::StatusCode::kFailedPrecondition,
            "something that is no folder stands on that path: move it away, or name another folder; nothing was "
            "changed"};
  }
  // By a newer RocksDB, or a newer switchd that has a table more.
  if (status.IsNotSupported() || HasAny(text, {"newer version of RocksDB", "Column families not opened"})) {
    return {absl::StatusCode::kUnimplemented,
            "it was written by a newer version: use the switchd and switchctl that wrote it, or newer ones; nothing "
            "was changed"};
  }
  if (HasErrno(text, {ENOENT}) && HasAny(text, {"/CURRENT", "While mkdir"})) {
    return {absl::StatusCode::kNotFound,
            "no ledger stands there, and none can be made: name the folder of one, or make the folder above it"};
  }
  if (status.IsCorruption() || IsMissingFile(status, text)) {
    return {absl::StatusCode::kDataLoss,
            "it is damaged, or a file of it is gone: keep a copy of the folder as it is, then run `switchctl journal "
            "verify`; where the index alone is damaged `switchctl journal rebuild-index` makes it anew from the "
            "journal, otherwise restore the newest backup"};
  }
  return {absl::StatusCode::kUnavailable,
          "the disk failed, or did not answer: look at the kernel's log (`dmesg`) for its errors, mend or replace it, "
          "then start again; what was answered is still in the folder, as far as the disk keeps it"};
}

}  // namespace

absl::Status ReadStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = status.ToString();
  if (!IsMissingFile(status, text) &&
      (status.IsIOError() || status.IsTryAgain() || status.IsTimedOut() || status.IsBusy() || status.IsAborted() ||
       status.IsIncomplete() || status.IsShutdownInProgress() || status.IsMemoryLimit())) {
    return absl::UnavailableError(fmt::format(
        "the disk did not give what was asked of it ({}); see the kernel's log for its cause, and try again", text));
  }
  return absl::DataLossError(fmt::format("the ledger can't be read: {}", text));
}

absl::Status OpenError(const std::string& folder, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  const Verdict verdict = Judge(status, text);
  return absl::Status(verdict.code,
                      fmt::format("the ledger in {} can't be opened: {}. Next: {}", folder, text, verdict.next));
}

}  // namespace waystation::storage
