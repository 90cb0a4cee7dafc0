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

  // Required, and not empty.
  std::string Text(const std::string& name);
  // `fallback` where it is absent.
  std::string Text(const std::string& name, const std::string& fallback);
  // What the adapter itself finds wrong with a setting that it asked for: "fault; expected ...".
  void Refuse(const std::string& name, std::string_view fault);

  // OK, or InvalidArgument: "settings.NAME: fault; expected ...".
  absl::Status Finish() const;

 private:
  const std::string* Find(const std::string& name);

  const Settings& settings_;
  std::vector<std::string> known_;
  absl::Status first_fault_;
};

}  // namespace waystation::adapters
