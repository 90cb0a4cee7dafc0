#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/arrival_schedule.h"
#include "bench/call_mix.h"

// A load as a file describes it, so that it can be run again, elsewhere and later. profiles/README.md is about the
// files.
namespace waystation::bench {

struct ProfileBiller {
  std::string id;
  uint32_t parts = 1;
  std::vector<EndingShare> endings = {};
  // The sandbox that plays it in a switch of our own: mobile, electricity or gas.
  std::string sandbox = {};
  uint32_t latency_ms = 0;
  uint32_t latency_ms_p99 = 0;
  // How long a call of it may take; 0: as long as the sandbox says.
  uint32_t time_limit_ms = 0;
};

// For a while all customer numbers of one biller end so. Times count from the start of the measured time.
struct ProfileOutage {
  size_t biller = 0;  // of Profile::billers
  std::chrono::seconds from{0};
  std::chrono::seconds until{0};
  int ending = 0;
};

struct Profile {
  std::string name;
  std::string description;
  std::chrono::seconds warm_up{0};
  std::chrono::seconds measured{0};
  size_t in_flight = 0;
  size_t channels = 0;
  size_t threads = 0;
  // Calls due; at least one point.
  std::vector<RatePoint> curve;
  std::array<uint32_t, kCallKinds> parts = {};
  size_t stations = 0;
  uint64_t first_station = 0;
  // 0: all stations alike.
  double zipf_theta = 0;
  std::vector<ProfileBiller> billers;
  std::vector<ProfileOutage> outages;
  // Counts from the start of the measured time.
  std::optional<std::chrono::seconds> day_cut_at;
  // Results other than success that may come, by name as in the results, each with the reason.
  std::map<std::string, std::string> expected;
};

// `file` as it is to be named in messages. InvalidArgument "FILE:LINE: KEY: what is wrong; expected ...": bad YAML, an
// unknown key, one that is missing, or a value out of its range.
absl::StatusOr<Profile> ParseProfile(const std::string& file, const std::string& text);

// The same, of a file. Also an error: it can't be read, or is longer than 1 MB.
absl::StatusOr<Profile> ReadProfile(const std::string& path);

// The configuration of a switch with the profile's billers, as StartServer takes it.
std::string SwitchConfiguration(const Profile& profile);

}  // namespace waystation::bench
