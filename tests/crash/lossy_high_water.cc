#include "tests/crash/lossy_high_water.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace waystation::crash {
namespace {

std::string TextOf(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

absl::Status LossyHighWater::Write(const storage::ChainPosition& position) {
  const bool power_was_on = files_->power_is_on();
  const rocksdb::IOStatus status = files_->CountChange("writing", path_);
  if (status.ok()) return file_.Write(position);
  if (power_was_on && !files_->power_is_on()) WriteInPart(position);
  return absl::UnavailableError(absl::StrCat(path_, " can't be written: ", status.ToString()));
}

void LossyHighWater::WriteInPart(const storage::ChainPosition& position) {
  if (random_() % 3 == 0) return;
  const std::string before = TextOf(path_);
  if (!file_.Write(position).ok() || before.empty() || random_() % 2 == 0) return;
  // What was changed is there up to somewhere in its midst.
  std::string after = TextOf(path_);
  const auto [first, ignored] = std::mismatch(before.begin(), before.end(), after.begin());
  const size_t from = static_cast<size_t>(first - before.begin());
  const size_t torn_at = from + random_() % 64;
  if (torn_at < after.size()) after.replace(torn_at, after.size() - torn_at, before, torn_at);
  std::ofstream(path_, std::ios::binary) << after;
}

}  // namespace waystation::crash
