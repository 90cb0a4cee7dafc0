#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocks_commit_log.h"

namespace waystation::ctl {

// Opens a ledger for reading, straight from the data folder, as it stands at this moment; a switchd may be running on
// it, and nothing in it is changed. `data` is what `storage.data_dir` of switchd's configuration names. kNotFound when
// there is no ledger in it; another error when there is one that cannot be opened.
absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> OpenLedgerFolder(const std::string& data);

}  // namespace waystation::ctl
