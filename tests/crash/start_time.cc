// start_time: how long a switch takes from its start until it serves, after a SIGKILL in the middle of its business.
// Prints the milliseconds. Exit status 0: it served, and within --within where that is given.
//
// The store is made by the real ledger, sequencer and RocksDB in a process of its own, which kills itself when the last
// payment is durable.

#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "bench/ledger_load.h"
#include "bench/payment_pump.h"
#include "fmt/format.h"
#include "storage/high_water.h"
#include "storage/high_water_keeper.h"
#include "storage/rocks_commit_log.h"
#include "storage/sequencer.h"
#include "switch/core/limits.h"
#include "tests/e2e/calls.h"

namespace waystation::crash {
namespace {

namespace fs = std::filesystem;

struct Options {
  uint64_t payments = 2'000'000;
  uint64_t stations = 20'000;
  uint64_t within_ms = 0;  // 0: however long it takes
};

[[noreturn]] void End(const std::string& cause) {
  fmt::print(stderr, "start_time: {}\n", cause);
  std::_Exit(EXIT_FAILURE);
}

// Never returns: the process kills itself.
[[noreturn]] void MakeStore(const std::string& data, const Options& options) {
  fs::create_directories(data);
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log = storage::RocksCommitLog::Open(data + "/ledger");
  if (!log.ok()) End(std::string(log.status().message()));
  core::Ledger ledger(bench::OpeningDate());
  const core::SystemClock clock;
  const storage::Index index(log->get(), log->get());
  storage::HighWaterFile mark(data + "/high_water");
  storage::HighWaterKeeper keeper(&mark, core::kHighWaterInterval, End);
  storage::Sequencer sequencer(storage::ChainPosition(), &ledger, log->get(), &index, &clock, /*observer=*/nullptr,
                               {.snapshot_interval = core::kDefaultSnapshotInterval,
                                .on_fatal = End,
                                .snapshot_sequence = std::nullopt,
                                .on_durable = [&keeper](const storage::ChainPosition& end) { keeper.Note(end); }});
  keeper.Start();
  sequencer.Start();
  bench::OpenStations(sequencer, options.stations);
  bench::PumpPayments(sequencer, options.stations, /*first=*/1, options.payments,
                      core::kMaxBlocksInFlight * core::kMaxCommandsPerBlock);
  kill(getpid(), SIGKILL);
  std::abort();
}

bool MakeStoreAndKill(const std::string& data, const Options& options) {
  const pid_t maker = fork();
  if (maker == 0) MakeStore(data, options);
  int status = 0;
  return maker > 0 && waitpid(maker, &status, 0) == maker && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

uint64_t MegabytesOf(const std::string& folder, std::string_view extension) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) bytes += entry.file_size();
  }
  return bytes >> 20;
}

bool Run(const Options& options) {
  absl::StatusOr<std::unique_ptr<e2e::SwitchProcess>> process = e2e::SwitchProcess::Make();
  if (!process.ok()) End(std::string(process.status().message()));
  const std::string data = (*process)->data_folder();
  if (!MakeStoreAndKill(data, options)) End("the store could not be made");
  const uint64_t tables = MegabytesOf(data + "/ledger", ".sst");
  const uint64_t log = MegabytesOf(data + "/ledger", ".log");

  const auto started = std::chrono::steady_clock::now();
  if (absl::Status status = (*process)->Start(); !status.ok()) End(std::string(status.message()));
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started).count();

  // The last payment is there, and new work is taken.
  const e2e::Api api = (*process)->Connect();
  const core::AcceptPayment last = bench::NumberedPayment(options.payments, options.stations);
  const auto known = e2e::GetPaymentByRequest(api, last.station.ToString(), last.request_id);
  const auto paid = e2e::Pay(
      api, e2e::PayRequestFor(last.station.ToString(), "after", "mobile", e2e::CustomerNumber("mobile", 1, 0), 5'000));
  const bool serves =
      known.value.state() == v1::PAYMENT_STATE_SUCCEEDED && paid.value.payment().state() == v1::PAYMENT_STATE_SUCCEEDED;
  if (!serves) {
    fmt::print(stderr, "start_time: the last payment is not known, or a new one is not taken: {} {} / {} {}\n",
               known.status.error_message(), known.value.ShortDebugString(), paid.status.error_message(),
               paid.value.ShortDebugString());
  }
  fmt::print("{}", (*process)->child().Errors());
  fmt::print(
      "start_time --payments {} --stations {}: serving {} ms after the start; {} MB of tables and {} MB of log were "
      "there\n",
      options.payments, options.stations, took, tables, log);
  return serves && (options.within_ms == 0 || static_cast<uint64_t>(took) <= options.within_ms);
}

bool ReadNumber(const char* text, uint64_t* number) {
  const char* end = text + std::strlen(text);
  const auto [parsed_to, error] = std::from_chars(text, end, *number);
  return error == std::errc() && parsed_to == end && *number > 0;
}

}  // namespace
}  // namespace waystation::crash

int main(int argc, char** argv) {
  waystation::crash::Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    uint64_t* number = nullptr;
    if (option == "--payments") number = &options.payments;
    if (option == "--stations") number = &options.stations;
    if (option == "--within") number = &options.within_ms;
    if (number == nullptr || i + 1 == argc || !waystation::crash::ReadNumber(argv[i + 1], number)) {
      fmt::print(stderr, "{} is not understood; expected: start_time [--payments N] [--stations N] [--within MS]\n",
                 option);
      return 2;
    }
  }
  return waystation::crash::Run(options) ? EXIT_SUCCESS : EXIT_FAILURE;
}
