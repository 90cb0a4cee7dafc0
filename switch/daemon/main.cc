// switchd: the transaction switch.

#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "fmt/format.h"
#include "grpc/support/log.h"
#include "switch/core/limits.h"
#include "switch/core/log.h"
#include "switch/daemon/async_log.h"
#include "switch/daemon/configuration.h"
#include "switch/daemon/last_words.h"
#include "switch/daemon/switch.h"

// Read by jemalloc. One heap for all threads: with several, what a thread has freed is not there for the others, and
// most of a payment is freed by another thread than made it.
extern "C" {
const char* malloc_conf = "narenas:1";
}

namespace {

constexpr int kBadUsage = 2;

// Errors of start-up go to stderr in one line and end the process.
int Refuse(const absl::Status& status) {
  fmt::print(stderr, "switchd: {}\n", std::string(status.message()));
  return EXIT_FAILURE;
}

// What gRPC has to say becomes a line of the log as well.
void LogForGrpc(gpr_log_func_args* line) {
  using waystation::core::LogLevel;
  LogLevel level = LogLevel::kDebug;
  if (line->severity == GPR_LOG_SEVERITY_INFO) level = LogLevel::kInfo;
  if (line->severity == GPR_LOG_SEVERITY_ERROR) level = LogLevel::kError;
  waystation::core::Log(level, "grpc", line->message);
}

// From here on whoever logs writes to it. It is there to the very end of the process, also for a handler of a signal,
// so nobody owns it.
absl::StatusOr<waystation::daemon::AsyncLog*> StartLog(const waystation::config::v1::Config& config) {
  absl::StatusOr<std::unique_ptr<waystation::daemon::AsyncLog>> opened =
      waystation::daemon::AsyncLog::Open(config.log());
  if (!opened.ok()) return opened.status();
  waystation::daemon::AsyncLog* const log = opened->release();
  waystation::core::SetLogSink(log, waystation::daemon::LogLevelOf(config.log().level()));
  gpr_set_log_function(LogForGrpc);
  waystation::daemon::PrepareLastWords(config.storage().data_dir(), log);
  return log;
}

// SIGTERM and SIGINT are waited for, not handled: blocked here, before any thread starts.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A payment wakes a thread some eight times on its way. By default each wake-up may take the core from the thread that
// woke it, which then has handed over one payment instead of all that were ready, and each commit carries a few. As a
// batch process, who is woken waits for a core, or until the running thread's turn is over. Inherited by all threads.
// The unit in deploy/ sets it, and forbids the call. False: it could not be set.
bool LetThreadsFinishTheirTurn() {
  const sched_param none = {};
  return sched_getscheduler(0) == SCHED_BATCH || sched_setscheduler(0, SCHED_BATCH, &none) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "The Waystation transaction switch. Reads its configuration, recovers its ledger, serves until SIGTERM or "
      "SIGINT, then finishes what is in progress and exits with 0."};
  app.name("switchd");
  std::string config_path;
  bool check = false;
  app.add_option("--config", config_path, "The configuration, YAML; deploy/switchd.yaml is an example")->required();
  app.add_flag("--check", check, "Only check the configuration");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr,
               "switchd: {}\n  next: start it with switchd --config FILE (deploy/switchd.yaml is an example); switchd "
               "--help has all options\n",
               error.what());
    return kBadUsage;
  }

  // gRPC's mutexes are Abseil's, and Debian builds them with the search for lock cycles on: 3 % of a loaded switch.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const bool threads_finish_their_turn = LetThreadsFinishTheirTurn();
  const sigset_t stop_signals = BlockStopSignals();

  const absl::StatusOr<waystation::config::v1::Config> config = waystation::daemon::LoadConfiguration(config_path);
  if (!config.ok()) return Refuse(config.status());
  if (check) {
    fmt::print("{} is well-formed\n", config_path);
    return EXIT_SUCCESS;
  }

  const absl::StatusOr<waystation::daemon::AsyncLog*> log = StartLog(*config);
  if (!log.ok()) return Refuse(log.status());
  if (!threads_finish_their_turn) {
    waystation::core::Log(waystation::core::LogLevel::kWarn, "switchd",
                          "the system does not allow SCHED_BATCH, without which latency is several times as long under "
                          "load; next: start it under that policy (chrt -b 0, or CPUSchedulingPolicy=batch in a unit)");
  }
  absl::StatusOr<std::unique_ptr<waystation::daemon::Switch>> started =
      waystation::daemon::Switch::Start(*config, *log);
  if (!started.ok()) {
    // Where the log is text on stderr it would stand there twice.
    if ((*log)->is_json() || (*log)->file() != STDERR_FILENO) {
      waystation::core::Log(waystation::core::LogLevel::kCritical, "switchd", std::string(started.status().message()));
    }
    waystation::core::FlushLog();
    return Refuse(started.status());
  }
  // What the start had to say stands in the log when it is over.
  waystation::core::FlushLog();
  // First, for whoever waits for the line that comes last.
  const std::string metrics = (*started)->metrics_address();
  if (!metrics.empty()) fmt::print("metrics on http://{}/metrics\n", metrics);
  fmt::print("listening on {}\n", (*started)->address());
  std::fflush(stdout);

  const timespec pause = {.tv_sec = 0,
                          .tv_nsec = std::chrono::nanoseconds(waystation::core::kDiskWatchInterval).count()};
  int signal = 0;
  while ((signal = sigtimedwait(&stop_signals, nullptr, &pause)) < 0) (*started)->WatchDisk();
  waystation::core::Log(
      waystation::core::LogLevel::kInfo, "switchd",
      fmt::format("{}: taking nothing new, finishing what is in progress", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
  (*started)->Stop();
  waystation::core::FlushLog();
  return EXIT_SUCCESS;
}
