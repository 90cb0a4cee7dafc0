#include "switch/ctl/ledger_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace waystation::ctl {
namespace {

namespace fs = std::filesystem;

// The file that a RocksDB database always has.
bool HoldsDatabase(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "CURRENT", ignored);
}

}  // namespace

absl::StatusOr<fs::path> FindLedger(const std::string& data) {
  std::error_code error;
  const auto not_found = [&](const std::string& why) {
    return absl::NotFoundError(fmt::format("--data \"{}\": {}; expected the data folder of a switchd", data, why));
  };
  const fs::path folder = fs::canonical(data, error);
  if (error) return not_found(error.message());
  for (const fs::path& likely : {folder, folder / "ledger"}) {
    if (HoldsDatabase(likely)) return likely;
  }
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (HoldsDatabase(it->path())) found.push_back(it->path());
  }
  if (error) return not_found(error.message());
  if (found.size() == 1) return found.front();
  return not_found(found.empty() ? "has no ledger in it" : "has more than one ledger below it");
}

absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> OpenLedgerFolder(const std::string& data) {
  const absl::StatusOr<fs::path> database = FindLedger(data);
  if (!database.ok()) return database.status();

  std::error_code error;
  std::string scratch = (fs::temp_directory_path(error) / "switchctl-XXXXXX").string();
  if (error || ::mkdtemp(scratch.data()) == nullptr) {
    return absl::UnavailableError(fmt::format(
        "cannot make the folder \"{}\" for temporary files; expected TMPDIR to name one that can be written", scratch));
  }
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log =
      storage::RocksCommitLog::OpenToRead(database->string(), scratch);
  // It holds no more than RocksDB's own log, which nobody reads. Removed at once, it is not left behind when a signal
  // ends the program.
  fs::remove_all(scratch, error);
  return log;
}

}  // namespace waystation::ctl
