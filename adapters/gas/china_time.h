#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "switch/core/business_date.h"

namespace waystation::adapters::gas {

// "20261121103000": the time in China, which has had no summer time since 1991, to the second below.
std::string ChinaTime(core::TimePoint time);
// InvalidArgument for anything but 14 digits of a day and a time that exist.
absl::StatusOr<core::TimePoint> ParseChinaTime(std::string_view text);

}  // namespace waystation::adapters::gas
