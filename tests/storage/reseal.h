#pragma once

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "waystation/journal/v1/journal.pb.h"

namespace waystation::storage {

// A sealed block around these bytes, with the hash that they have.
std::string SealBytes(std::string_view block);

// A sealed block with its contents changed, and a hash that fits again.
std::string Reseal(std::string_view sealed_block, absl::FunctionRef<void(journal::v1::Block*)> change);

}  // namespace waystation::storage
