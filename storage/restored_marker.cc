#include "storage/restored_marker.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include "fmt/format.h"
#include "storage/durable_file.h"

namespace waystation::storage {
namespace {

constexpr std::string_view kMarker = "restored";

std::string ToText(const RestoredMarker& marker) {
  return fmt::format("waystation_restored: 1\ncomplete: {}\nbackup_id: {}\nbackup_time_ms: {}\nlast_sequence: {}\n",
                     marker.complete ? 1 : 0, marker.backup_id, marker.backup_time.time_since_epoch().count(),
                     marker.last_sequence);
}

template <typename Number>
bool ReadField(const std::map<std::string, std::string, std::less<>>& fields, std::string_view name, Number* number) {
  const auto it = fields.find(name);
  if (it == fields.end()) return false;
  const char* end = it->second.data() + it->second.size();
  const auto [parsed_to, error] = std::from_chars(it->second.data(), end, *number);
  return error == std::errc() && parsed_to == end;
}

std::optional<RestoredMarker> FromText(std::string_view text) {
  std::map<std::string, std::string, std::less<>> fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t colon = line.find(": ");
    if (colon == line.npos) return std::nullopt;
    fields.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  RestoredMarker marker;
  int version = 0;
  int complete = 0;
  int64_t backup_time = 0;
  if (!ReadField(fields, "waystation_restored", &version) || version != 1 ||
      !ReadField(fields, "complete", &complete) || !ReadField(fields, "backup_id", &marker.backup_id) ||
      !ReadField(fields, "backup_time_ms", &backup_time) ||
      !ReadField(fields, "last_sequence", &marker.last_sequence)) {
    return std::nullopt;
  }
  marker.complete = complete == 1;
  marker.backup_time = core::TimePoint(std::chrono::milliseconds(backup_time));
  return marker;
}

}  // namespace

absl::StatusOr<std::optional<RestoredMarker>> ReadRestoredMarker(const std::string& data_folder) {
  const std::string path = fmt::format("{}/{}", data_folder, kMarker);
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return absl::DataLossError(fmt::format("{} can't be read; see who owns it", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::optional<RestoredMarker> marker = FromText(text);
  if (!marker.has_value()) {
    return absl::DataLossError(fmt::format(
        "{} is not what a restore writes; expected the file as `switchctl backup restore` left it: empty the folder "
        "and restore again",
        path));
  }
  return marker;
}

absl::Status WriteRestoredMarker(const std::string& data_folder, const RestoredMarker& marker) {
  return WriteFileDurably(fmt::format("{}/{}", data_folder, kMarker), ToText(marker));
}

absl::Status RemoveRestoredMarker(const std::string& data_folder) {
  const std::string path = fmt::format("{}/{}", data_folder, kMarker);
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) return absl::UnavailableError(fmt::format("{} can't be removed: {}", path, error.message()));
  return SyncFolder(data_folder);
}

}  // namespace waystation::storage
