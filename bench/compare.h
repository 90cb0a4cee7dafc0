#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/runs.h"
#include "bench/server.h"
#include "boost/json/object.hpp"

namespace waystation::bench {

struct CompareOptions {
  // The address is not used: each server takes a free port. `load` is of the unary calls.
  PayOptions pay;
  // Of the streams.
  size_t stream_in_flight = 4'096;
  size_t a_message = 128;
  size_t rounds = 3;
  // Measures only unary calls against the unary echo.
  bool unary_only = false;
  ServerPlaces places;
  // Takes some lines a round.
  std::FILE* progress = stdout;
};

struct CompareResult {
  // What was measured, in the order in which it is shown; a result a round.
  struct Contestant {
    std::string name;  // as in the JSON
    std::string text;  // as people are shown it
    std::vector<LoadResult> rounds;
  };
  std::vector<Contestant> contestants;
  // Why some were not measured, by name.
  std::map<std::string, std::string> skipped;
  // Whether syncs cost nothing there, so that the payments' rate says nothing of a disk.
  bool work_folder_in_memory = false;
};

// Measures in turn, on this machine: bare echoes and durable payments, each unary and streamed; the ledger with its
// storage alone, 1,024 payments under way; and the same business in PostgreSQL and Redis (baselines/), which are
// skipped where they are not installed. Each has a server that is started for that round alone, on an empty data
// folder; who goes first alternates. Error: a server could not be started, prepared or ended cleanly. All children and
// folders are gone when it returns.
absl::StatusOr<CompareResult> Compare(const CompareOptions& options);

// The load that its streamed payments are measured with.
LoadOptions StreamedLoad(const CompareOptions& options);

// Rates, ratios, medians and spreads, for people.
std::string CompareText(const CompareResult& result);

// {"kind", "schema" (report.h), "rates": {name: median a second}, "ratios": {"name/name": of the medians}, "spreads":
// {name or ratio: {"least", "most"}} (of the rounds), "targets": {ratio or name: at least}, "rounds": [{name: as
// LoadJson}], "skipped": {name: why}, "work_folder_in_memory"}
boost::json::object CompareJson(const CompareResult& result);

// Of all rounds.
uint64_t UnexpectedResults(const CompareResult& result);

}  // namespace waystation::bench
