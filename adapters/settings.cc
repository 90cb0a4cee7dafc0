#include "adapters/settings.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters {

std::string SettingsReader::Choice(const std::string& name, std::initializer_list<std::string_view> choices) {
  const std::string* value = Find(name);
  if (value == nullptr) {
    Refuse(name, fmt::format("missing; expected one of {}", fmt::join(choices, ", ")));
    return "";
  }
  if (std::find(choices.begin(), choices.end(), *value) == choices.end()) {
    Refuse(name, fmt::format("\"{}\" is not known; expected one of {}", *value, fmt::join(choices, ", ")));
  }
  return *value;
}

uint64_t SettingsReader::Number(const std::string& name, uint64_t least, uint64_t most, uint64_t fallback) {
  const std::string* value = Find(name);
  if (value == nullptr) return fallback;
  uint64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [parsed_to, error] = std::from_chars(value->data(), end, number);
  if (value->empty() || error != std::errc() || parsed_to != end) {
    Refuse(name, fmt::format("\"{}\" is not a whole number; expected {} .. {}", *value, least, most));
  } else if (number < least || number > most) {
    Refuse(name, fmt::format("{} is out of range; expected {} .. {}", number, least, most));
  }
  return number;
}

std::string SettingsReader::Text(const std::string& name) {
  const std::string* value = Find(name);
  if (value != nullptr && !value->empty()) return *value;
  Refuse(name, value == nullptr ? "missing; expected a text" : "empty; expected a text");
  return "";
}

std::string SettingsReader::Text(const std::string& name, const std::string& fallback) {
  const std::string* value = Find(name);
  return value == nullptr ? fallback : *value;
}

absl::Status SettingsReader::Finish() const {
  if (!first_fault_.ok()) return first_fault_;
  for (const auto& [name, value] : settings_) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      return absl::InvalidArgumentError(
          fmt::format("settings.{}: unknown setting; expected one of {}", name, fmt::join(known_, ", ")));
    }
  }
  return absl::OkStatus();
}

const std::string* SettingsReader::Find(const std::string& name) {
  known_.push_back(name);
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

void SettingsReader::Refuse(const std::string& name, std::string_view fault) {
  first_fault_.Update(absl::InvalidArgumentError(fmt::format("settings.{}: {}", name, fault)));
}

}  // namespace waystation::adapters
