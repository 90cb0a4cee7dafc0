#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "bench/load_generator.h"

// What payments cost where the books are kept by others: the same work a payment, done by two stored procedures.
namespace waystation::bench {

struct BaselineOptions {
  // Where the server's temporary folder is made, on a disk.
  std::string work_folder;
  size_t stations = 1'000;
  double warm_up_seconds = 2;
  double seconds = 10;
};

// Each starts a private server in a folder of its own, pays in a closed loop, makes sure that the books have two
// durable legs a payment, and ends the server. NotFound, with what would have to be installed: it is not installed
// here. Other errors: it failed.

// PostgreSQL: pgbench, 32 clients, prepared statements, synchronous commit. No latencies.
absl::StatusOr<LoadResult> MeasurePostgres(const BaselineOptions& options);

// Redis: 64 clients, append-only file synced always; each client has `pipelined` commands in flight.
absl::StatusOr<LoadResult> MeasureRedis(const BaselineOptions& options, size_t pipelined);

}  // namespace waystation::bench
