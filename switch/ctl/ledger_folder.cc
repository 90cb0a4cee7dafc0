#include "switch/ctl/ledger_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace waystation::ctl {
namespace fs = std::filesystem;

absl::StatusOr<fs::path> FindLedger(const std::string& data) {
  std::error_code error;
  const auto not_found = [&](const std::string& why) {
    return absl::NotFoundError(fmt::format("--data \"{}\": {}; expected the data folder of a switchd", data, why));
  };
  const fs::path folder = fs::canonical(data, error);
  if (error) return not_found(error.message());
  for (const fs::path& likely : {folder, folder / "ledger"}) {
    if (storage::RocksCommitLog::Exists(likely.string())) return likely;
  }
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (storage::RocksCommitLog::Exists(it->path().string())) found.push_back(it->path());
  }
  if (error) return not_found(error.message());
  if (found.size() == 1) return found.front();
  return not_found(found.empty() ? "has no ledger in it" : "has more than one ledger below it");
}

absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> OpenLedgerFolder(const std::string& data) {
  const absl::StatusOr<fs::path> database = FindLedger(data);
  if (!database.ok()) return database.status();

  // Removed at once, the scratch folder is not left behind when a signal ends the program.
  const absl::StatusOr<ScratchFolder> scratch = ScratchFolder::Make();
  if (!scratch.ok()) return scratch.status();
  return storage::RocksCommitLog::OpenToRead(database->string(), scratch->path());
}

absl::StatusOr<ScratchFolder> ScratchFolder::Make() {
  std::error_code error;
  std::string path = (fs::temp_directory_path(error) / "switchctl-XXXXXX").string();
  if (error || ::mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(fmt::format(
        "cannot make the folder \"{}\" for temporary files; expected TMPDIR to name one that can be written", path));
  }
  return ScratchFolder(std::move(path));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace waystation::ctl
