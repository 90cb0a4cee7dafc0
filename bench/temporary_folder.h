#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace waystation::bench {

// A folder of its own that is removed, with all in it, when this goes.
class TemporaryFolder {
 public:
  // Made within `parent`.
  static absl::StatusOr<std::unique_ptr<TemporaryFolder>> Make(const std::string& parent);
  ~TemporaryFolder();

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Where such folders are made unless someone says otherwise: $TMPDIR, else /tmp.
std::string DefaultParentFolder();

// Whether what lies there is in memory, so that a sync costs nothing.
bool IsInMemory(const std::string& folder);

}  // namespace waystation::bench
