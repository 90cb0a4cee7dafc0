#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "storage/rocks_commit_log.h"

namespace waystation::ctl {

// The folder of the database: `data` itself, its `ledger`, or the one folder below it that holds one. kNotFound when
// there is none.
absl::StatusOr<std::filesystem::path> FindLedger(const std::string& data);

// A temporary folder for what RocksDB says to itself, which nobody reads; removed with this.
class ScratchFolder {
 public:
  static absl::StatusOr<ScratchFolder> Make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, std::string())) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Opens a ledger for reading, straight from the data folder, as it stands at this moment; a switchd may be running on
// it, and nothing in it is changed. `data` is what `storage.data_dir` of switchd's configuration names. kNotFound when
// there is no ledger in it; another error when there is one that cannot be opened.
absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> OpenLedgerFolder(const std::string& data);

}  // namespace waystation::ctl
