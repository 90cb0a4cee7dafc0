#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace waystation::daemon {

// Where the keys of a YAML file stand, and how a fault is worded that is found at one of them. Keys go by their path:
// "listen.address", "billers[0].settings.latency_ms".
class KeyLines {
 public:
  // `file` as it is to be named in messages.
  explicit KeyLines(std::string file) : file_(std::move(file)) {}

  // `line` counts from 1.
  void Add(const std::string& path, int line) { lines_[path] = line; }
  bool Has(const std::string& path) const { return lines_.contains(path); }

  // InvalidArgument "FILE:LINE: PATH: FAULT". The line is that of the key, or of the nearest key around it that is
  // there; without any it is left out.
  absl::Status Fault(const std::string& path, std::string_view fault) const;
  // The same for a fault of the text itself: "FILE:LINE: FAULT".
  absl::Status FaultAtLine(int line, std::string_view fault) const;

 private:
  std::string file_;
  std::map<std::string, int> lines_;
};

// Reads the one YAML document in `text` into `message`, key by key as its descriptor has them, and notes where each key
// stands. Knows what a configuration needs: strings, whole numbers, sections (messages), lists of sections, and maps
// from string to string. Refused with the fault's place: bad syntax, text that is not UTF-8, unknown keys, keys that
// stand twice, a value of another shape. A section without any keys counts as absent keys; a value is never left out.
absl::Status ReadYaml(const std::string& text, google::protobuf::Message& message, KeyLines& lines);

}  // namespace waystation::daemon
