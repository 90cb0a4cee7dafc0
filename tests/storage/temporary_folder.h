#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "switch/core/check.h"

namespace waystation::storage {

// An empty folder that goes away, with all that is in it, when this does.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "waystation-storage-XXXXXX").string()) {
    WS_CHECK(mkdtemp(path_.data()) != nullptr, "no temporary folder can be made");
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string Under(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace waystation::storage
