#include "adapters/json_object.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "boost/json/parse.hpp"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters {

namespace json = boost::json;

absl::StatusOr<json::value> ParseJsonFile(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return absl::InvalidArgumentError(fmt::format("not JSON: {}", error.message()));
  if (!value.is_object()) return absl::InvalidArgumentError("not a JSON object");
  return value;
}

absl::StatusOr<json::value> ReadJsonFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(fmt::format("{}: cannot be read; expected a file of JSON", path));
  absl::StatusOr<json::value> value = ParseJsonFile(text.str());
  if (value.ok()) return value;
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(value.status().message())));
}

void JsonObjectReader::Text(std::string_view key, std::string* text) {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_string()) return Fault(key, "not a text");
  text->assign(value->get_string().begin(), value->get_string().end());
}

void JsonObjectReader::Choice(std::string_view key, std::initializer_list<std::string_view> choices, size_t* choice) {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  const auto found = value->is_string()
                         ? std::find(choices.begin(), choices.end(), std::string_view(value->get_string()))
                         : choices.end();
  if (found == choices.end()) return Fault(key, fmt::format("not known; expected one of {}", fmt::join(choices, ", ")));
  *choice = static_cast<size_t>(found - choices.begin());
}

void JsonObjectReader::Number(std::string_view key, uint64_t least, uint64_t most, uint64_t* number) {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  const bool whole = value->is_int64() && value->get_int64() >= 0;
  if (!whole || static_cast<uint64_t>(value->get_int64()) < least || static_cast<uint64_t>(value->get_int64()) > most) {
    return Fault(key, fmt::format("not a whole number of {} .. {}", least, most));
  }
  *number = static_cast<uint64_t>(value->get_int64());
}

void JsonObjectReader::Flag(std::string_view key, bool* flag) {
  const json::value* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_bool()) return Fault(key, "expected true or false");
  *flag = value->get_bool();
}

void JsonObjectReader::Texts(std::string_view key, std::vector<std::string>* texts) {
  const json::array* list = List(key);
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    if (!item.is_string()) return Fault(key, "not a list of texts");
    texts->emplace_back(item.get_string());
  }
}

void JsonObjectReader::TextMap(std::string_view key, std::map<std::string, std::string>* texts) {
  const json::object* object = Object(key);
  if (object == nullptr) return;
  for (const auto& [name, item] : *object) {
    if (!item.is_string()) return Fault(key, fmt::format("\"{}\" is not a text", std::string(name)));
    (*texts)[name] = std::string(item.get_string());
  }
}

const json::array* JsonObjectReader::List(std::string_view key) {
  const json::value* value = Find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) Fault(key, "not a list");
  return value->if_array();
}

const json::object* JsonObjectReader::Object(std::string_view key) {
  const json::value* value = Find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) Fault(key, "not an object");
  return value->if_object();
}

void JsonObjectReader::Fault(std::string_view key, std::string_view what) {
  fault_.Update(absl::InvalidArgumentError(fmt::format("{}{}: {}", where_, key, what)));
}

absl::Status JsonObjectReader::Finish(std::initializer_list<std::string_view> required) {
  for (const std::string_view key : required) {
    if (object_.find(key) == object_.end()) Fault(key, "missing");
  }
  for (const auto& [key, value] : object_) {
    if (std::find(known_.begin(), known_.end(), std::string_view(key)) == known_.end()) {
      Fault(std::string_view(key), fmt::format("unknown; expected one of {}", fmt::join(known_, ", ")));
    }
  }
  return fault_;
}

const json::value* JsonObjectReader::Find(std::string_view key) {
  known_.emplace_back(key);
  return object_.if_contains(key);
}

}  // namespace waystation::adapters
