#pragma once

#include <string>

#include "adapters/iso8583/host_file.h"
#include "adapters/iso8583/specification.h"
#include "adapters/json_object.h"
#include "gtest/gtest.h"

namespace waystation::adapters::iso8583 {

// The power company's data file, and that of another host: ASCII throughout, private data by position.
inline std::string ElectricityFile() {
  return WS_SOURCE_DIR "/adapters/iso8583/electricity.json";
}
inline std::string AsciiHostFile() {
  return WS_SOURCE_DIR "/tests/adapters/iso8583_ascii_host.json";
}

inline HostFile LoadHost(const std::string& path) {
  absl::StatusOr<HostFile> file = HostFile::Load(path);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

// A specification with `fields`, the inside of its list; message type in ASCII, bitmap in hexadecimal digits.
inline absl::StatusOr<Specification> ParseFields(const std::string& fields) {
  const absl::StatusOr<boost::json::value> value = ParseJsonFile(
      R"({"version": 1987, "mti": "ascii", "bitmap": "hex", "frame": {"length": "binary2"}, "fields": [)" + fields +
      "]}");
  if (!value.ok()) return value.status();
  return Specification::Parse(value->get_object());
}

}  // namespace waystation::adapters::iso8583
