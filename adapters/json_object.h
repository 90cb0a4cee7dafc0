#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"

namespace waystation::adapters {

// The JSON of a data file; comments are allowed. InvalidArgument: not an object.
absl::StatusOr<boost::json::value> ParseJsonFile(std::string_view text);
// The same, from a file. NotFound names the file.
absl::StatusOr<boost::json::value> ReadJsonFile(const std::string& path);

// Takes one object of a data file apart: ask for each key that is known, then call Finish, which names the first fault.
// What was asked for keeps its value where the key is absent, and is only to be used when Finish is OK. `object`
// outlives the reader.
class JsonObjectReader {
 public:
  // `where` stands in front of the key in a message: "hosts[0].".
  JsonObjectReader(const boost::json::object& object, std::string where) : object_(object), where_(std::move(where)) {}

  void Text(std::string_view key, std::string* text);
  // The place in `choices` of what stands there.
  void Choice(std::string_view key, std::initializer_list<std::string_view> choices, size_t* choice);
  void Number(std::string_view key, uint64_t least, uint64_t most, uint64_t* number);
  void Flag(std::string_view key, bool* flag);
  void Texts(std::string_view key, std::vector<std::string>* texts);
  void TextMap(std::string_view key, std::map<std::string, std::string>* texts);
  // Null when there is none.
  const boost::json::array* List(std::string_view key);
  const boost::json::object* Object(std::string_view key);
  // A key that is somebody else's business.
  void Ignore(std::string_view key) { known_.emplace_back(key); }
  void Fault(std::string_view key, std::string_view what);

  // OK, or InvalidArgument: "WHEREkey: fault; expected ...". A key that nobody asked for is a fault.
  absl::Status Finish(std::initializer_list<std::string_view> required = {});

 private:
  const boost::json::value* Find(std::string_view key);

  const boost::json::object& object_;
  const std::string where_;
  std::vector<std::string> known_;
  absl::Status fault_;
};

}  // namespace waystation::adapters
