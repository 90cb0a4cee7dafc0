// kill9: kills a switchd with SIGKILL under load, again and again, and checks after each restart that every answer it
// gave is still true. Exit status 0: no fault was found.

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

#include "fmt/format.h"
#include "tests/crash/journal_books.h"
#include "tests/crash/options.h"
#include "tests/crash/station_client.h"

namespace {

using waystation::crash::StationClient;
using waystation::crash::Tally;
using waystation::e2e::Api;
using waystation::e2e::SwitchOptions;
using waystation::e2e::SwitchProcess;

// A round's kill comes at one of its first answers, or at a later one: at most so many for each client.
constexpr uint64_t kMostAnswersEach = 100;

// What was found wrong.
class Faults {
 public:
  void Add(const std::string& fault) {
    const std::lock_guard lock(mutex_);
    constexpr int kShown = 20;
    if (++count_ <= kShown) fmt::print(stderr, "FAULT {}\n", fault);
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  int count_ = 0;
};

// Waits for a number of answers.
class AnswerGate {
 public:
  void Arm(int answers) {
    const std::lock_guard lock(mutex_);
    left_ = answers;
  }
  void OnAnswer() {
    const std::lock_guard lock(mutex_);
    if (--left_ <= 0) reached_.notify_all();
  }
  // False when the switch does not get there.
  bool Wait() {
    std::unique_lock lock(mutex_);
    return reached_.wait_for(lock, std::chrono::seconds(60), [this] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable reached_;
  int left_ = 0;
};

template <typename Step>
void ForEachAtOnce(std::deque<StationClient>& clients, const SwitchProcess& process, Step step) {
  std::vector<std::thread> threads;
  for (StationClient& client : clients) {
    threads.emplace_back([&client, step, api = process.Connect()] { step(client, api); });
  }
  for (std::thread& thread : threads) thread.join();
}

SwitchOptions Options() {
  SwitchOptions options;
  options.time_limit_ms = 200;         // the slow and the silent become unknown
  options.snapshot_interval_ms = 100;  // so that kills fall into snapshots too
  options.review_after_ms = 5'000;
  return options;
}

// Load, the kill, a look at what is on disk, a restart, and what it must remember.
absl::Status RunRound(int round, int answers, SwitchProcess& process, std::deque<StationClient>& clients,
                      AnswerGate& gate, Tally& tally) {
  tally.killed = false;
  gate.Arm(answers);
  // All are connected before the first works: the kill finds each of them at it.
  std::vector<Api> connected;
  for (size_t i = 0; i < clients.size(); ++i) connected.push_back(process.Connect());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&client = clients[i], &api = connected[i]] { client.Work(api); });
  }
  const bool reached = gate.Wait();
  tally.killed = true;
  process.Kill();
  for (std::thread& thread : threads) thread.join();
  if (!reached) return absl::DeadlineExceededError("the switch stopped answering");
  if (absl::Status verified = process.VerifyJournal(); !verified.ok()) return verified;
  if (absl::Status started = process.Start(); !started.ok()) return started;
  ForEachAtOnce(clients, process, [](StationClient& client, const Api& api) { client.CheckRound(api); });
  if (round % 2 == 0) return absl::OkStatus();
  // Every second round ends with a day cut.
  const Api api = process.Connect();
  const auto cut = CloseDay(api, waystation::e2e::GetDay(api).value.business_date());
  return cut.ok() ? absl::OkStatus() : absl::InternalError("day cut: " + cut.status.error_message());
}

// Nothing is left to the resolver past its deadline.
absl::Status CheckDeadlines(const SwitchProcess& process, Faults& faults) {
  waystation::v1::ListExceptionsRequest request;
  request.set_overdue_only(true);
  const Api api = process.Connect();
  do {
    waystation::v1::ListExceptionsResponse response;
    grpc::ClientContext context;
    const grpc::Status status = api.exceptions->ListExceptions(&context, request, &response);
    if (!status.ok()) return absl::InternalError("exceptions: " + status.error_message());
    for (const auto& payment : response.payments()) faults.Add("past its deadline: " + payment.ShortDebugString());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

// The clients' books against the switch's.
absl::Status CompareWithJournal(const SwitchProcess& process, const std::deque<StationClient>& clients,
                                Faults& faults) {
  const auto legs = process.ExportJournal();
  if (!legs.ok()) return legs.status();
  const auto journal = waystation::crash::JournalBooks::Read(*legs);
  for (const uint64_t leg : journal.strays) faults.Add(fmt::format("leg {} is of a payment that is not there", leg));
  if (journal.stations.size() != clients.size()) faults.Add("the journal has other stations than the clients'");
  for (const StationClient& client : clients) client.CheckJournal(journal);
  return absl::OkStatus();
}

absl::Status RunRounds(int rounds, uint64_t seed, uint64_t client_count, Faults& faults, Tally& tally) {
  absl::StatusOr<std::unique_ptr<SwitchProcess>> process = SwitchProcess::Make(Options());
  if (!process.ok()) return process.status();
  if (absl::Status started = (*process)->Start(); !started.ok()) return started;
  AnswerGate gate;
  std::deque<StationClient> clients;
  for (uint64_t i = 0; i < client_count; ++i) {
    clients.emplace_back(
        static_cast<int>(i), seed * client_count + i, &tally,
        [&faults](const std::string& fault) { faults.Add(fault); }, [&gate] { gate.OnAnswer(); });
  }
  ForEachAtOnce(clients, **process, [](StationClient& client, const Api& api) { client.Open(api); });
  std::mt19937_64 random(seed);
  for (int round = 1; round <= rounds && faults.count() == 0; ++round) {
    const int answers =
        std::uniform_int_distribution<int>(1, static_cast<int>(kMostAnswersEach * client_count))(random);
    if (absl::Status status = RunRound(round, answers, **process, clients, gate, tally); !status.ok()) return status;
    fmt::print("round {}: killed after {} answers\n", round, answers);
    std::fflush(stdout);
  }
  ForEachAtOnce(clients, **process, [](StationClient& client, const Api& api) { client.CheckAll(api); });
  if (absl::Status status = CheckDeadlines(**process, faults); !status.ok()) return status;
  if (absl::Status stopped = (*process)->Stop(); !stopped.ok()) return stopped;
  if (absl::Status verified = (*process)->VerifyJournal(); !verified.ok() || faults.count() > 0) return verified;
  return CompareWithJournal(**process, clients, faults);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t rounds = 20;
  uint64_t seed = 1;
  uint64_t clients = 6;
  if (!waystation::crash::ReadOptions(argc, argv, "kill9 [--rounds N] [--seed S] [--clients C]",
                                      {{"--rounds", &rounds}, {"--seed", &seed}, {"--clients", &clients}})) {
    return 2;
  }
  Faults faults;
  Tally tally;
  const absl::Status status = RunRounds(static_cast<int>(rounds), seed, clients, faults, tally);
  if (!status.ok()) faults.Add(std::string(status.message()));
  fmt::print(
      "kill9 --rounds {} --seed {} --clients {}: {} payments, {} cancelled; {} answers before a kill, {} requests "
      "without an answer; {} payments settled after a restart, {} in REVIEW, {} of them late successes; {} faults\n",
      rounds, seed, clients, tally.payments.load(), tally.cancelled.load(), tally.answers.load(),
      tally.unanswered.load(), tally.resolved.load(), tally.in_review.load(), tally.late_successes.load(),
      faults.count());
  return faults.count() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
