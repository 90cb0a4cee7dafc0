#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "switch/ctl/text_forms.h"

// Options whose values are those of an enum of the API, by their Word.
namespace waystation::ctl {

// The value whose Word this is, in upper or lower case ("review"); null for what is none.
template <typename Enum>
std::optional<Enum> FromWord(std::string word) {
  std::ranges::transform(word, word.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  const google::protobuf::EnumDescriptor* type = google::protobuf::GetEnumDescriptor<Enum>();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto value = static_cast<Enum>(type->value(i)->number());
    if (Word(value) == word) return value;
  }
  return std::nullopt;
}

// What is wrong with a word of the command line that should be a value of Enum; empty when nothing is. `what` names the
// enum ("payment state").
template <typename Enum>
std::string FaultOfWord(const std::string& word, std::string_view what) {
  if (FromWord<Enum>(word).has_value()) return "";
  const google::protobuf::EnumDescriptor* type = google::protobuf::GetEnumDescriptor<Enum>();
  std::string known;
  for (int i = 1; i < type->value_count(); ++i) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", Word(static_cast<Enum>(type->value(i)->number())));
  }
  return fmt::format("\"{}\" is not a {}; expected one of {}", word, what, known);
}

// "--state WORD", which may be repeated or have several words between commas; one that is no value of Enum is bad
// usage.
template <typename Enum>
void AddWordsOption(CLI::App& command, const std::string& name, std::vector<std::string>& into, std::string what,
                    const std::string& description, const std::string& type_name) {
  command.add_option(name, into, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check([what = std::move(what)](const std::string& word) { return FaultOfWord<Enum>(word, what); })
      ->type_name(type_name);
}

}  // namespace waystation::ctl
