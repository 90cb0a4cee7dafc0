#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace waystation::adapters {

// An adapter's own settings, as they stand in the configuration.
using Settings = std::map<std::string, std::string>;

// Takes an adapter's settings apart. The adapter asks for each setting that it knows, then calls Finish, which names
// the first fault: a bad or missing value, or a setting that nobody asked for. What was asked for is only to be used
// when Finish is OK. `settings` outlives the reader.
class SettingsReader {
 public:
  explicit SettingsReader(const Settings& settings) : settings_(settings) {}

  // Required; one of `choices`.
  std::string Choice(const std::string& name, std::initializer_list<std::string_view> choices);
  // A whole number, least .. most; `fallback` where it is absent.
  uint64_t Number(const std::string& name, uint64_t least, uint64_t most, uint64_t fallback);

  // OK, or InvalidArgument: "settings.NAME: fault; expected ...".
  absl::Status Finish() const;

 private:
  const std::string* Find(const std::string& name);
  void Fault(const std::string& name, const std::string& fault);

  const Settings& settings_;
  std::vector<std::string> known_;
  absl::Status first_fault_;
};

}  // namespace waystation::adapters
