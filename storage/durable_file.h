#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace waystation::storage {

// Makes or replaces the file at `path` as a whole: after a crash it holds either all of `bytes` or what it held before.
// Durable, name and contents, when it returns OK. Not OK: kUnavailable, naming the file and the cause.
absl::Status WriteFileDurably(const std::string& path, std::string_view bytes);

// Makes the names in `folder` durable: files made, renamed or removed in it.
absl::Status SyncFolder(const std::string& folder);

}  // namespace waystation::storage
