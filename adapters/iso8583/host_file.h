#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/iso8583/dialect.h"
#include "adapters/iso8583/specification.h"

namespace waystation::adapters::iso8583 {

// All that is particular about one host: a data file, so that another host needs no new code (README.md).
struct HostFile {
  Specification specification;
  Dialect dialect;
  CapabilityCard card;

  // NotFound, InvalidArgument: the text begins with the file, and names the key.
  static absl::StatusOr<HostFile> Load(const std::string& path);
};

}  // namespace waystation::adapters::iso8583
