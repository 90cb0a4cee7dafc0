#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/runs.h"
#include "bench/server.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

struct CompareOptions {
  // The address is not used: each server takes a free port.
  PayOptions pay;
  size_t rounds = 3;
  ServerPlaces places;
  // Takes a line a round.
  std::FILE* progress = stdout;
};

struct CompareResult {
  // One a round.
  std::vector<LoadResult> echo;
  std::vector<LoadResult> pay;
  // Whether syncs cost nothing there, so that the payments' rate says nothing of a disk.
  bool work_folder_in_memory = false;
};

// Measures the bare echo and durable payments in turn, each against a server started for that round alone, on an empty
// data folder; which goes first alternates. Error: a server could not be started, prepared or ended cleanly. All
// children and folders are gone when it returns.
absl::StatusOr<CompareResult> Compare(const CompareOptions& options);

// Rates, ratio, medians and spread, for people.
std::string CompareText(const CompareResult& result);

// {"rates": {"echo_unary", "pay_unary"} (medians, per second), "ratios": {"pay_unary/echo_unary"} (of the medians),
// "rounds":
// [{"echo_unary": ..., "pay_unary": ...}] (as LoadJson), "work_folder_in_memory"}
boost::json::object CompareJson(const CompareResult& result);

// Of all rounds.
uint64_t UnexpectedResults(const CompareResult& result);

}  // namespace waystation::bench
