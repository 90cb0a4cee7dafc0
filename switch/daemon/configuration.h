#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "adapters/card.h"
#include "adapters/settings.h"
#include "waystation/config/v1/config.pb.h"

namespace waystation::daemon {

// Reads the YAML file at `path`, fills in the defaults, and validates everything that config.proto says, the billers'
// settings and cards included. What comes back can be used without further checks; first_business_date stays empty
// where the file has none (its default needs the clock), and data_dir is not looked at on disk.
//
// Errors: NotFound or PermissionDenied where the file can't be opened, InvalidArgument for its first fault, worded
// "FILE:LINE: KEY: fault; expected ...".
absl::StatusOr<config::v1::Config> LoadConfiguration(const std::string& path);

// A biller's stanza in the terms of adapters::Create.
adapters::Settings SettingsOf(const config::v1::Biller& biller);
adapters::CardOverrides CardOverridesOf(const config::v1::Biller& biller);

}  // namespace waystation::daemon
