// disk_full: fills up the disk of a switch that is under load, again and again, and frees it. New work is refused in
// words, repeats are answered, the outcomes of what is held are recorded while the disk is full, and afterwards work is
// taken again: without a restart, or after the one that the switch's last words ask for. Exit status 0: no fault was
// found.

#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "bench/temporary_folder.h"
#include "fmt/format.h"
#include "switch/core/payment.h"
#include "tests/crash/small_disk.h"
#include "tests/e2e/calls.h"

namespace {

using waystation::crash::SmallDisk;
using waystation::e2e::Answer;
using waystation::e2e::Api;
using waystation::e2e::SwitchProcess;
namespace e2e = waystation::e2e;
namespace v1 = waystation::v1;

constexpr int kStations = 6;
constexpr int kHeldEach = 5;
// No step takes longer, unless the switch hangs.
constexpr std::chrono::seconds kPatience{60};

struct Tally {
  uint64_t payments = 0;        // answered, and still so at the end
  uint64_t refused = 0;         // for want of space
  uint64_t outcomes = 0;        // recorded while the disk was full
  uint64_t full = 0;            // rounds in which nothing more could be written
  uint64_t released = 0;        // rounds in which the ballast was given back
  uint64_t kills = 0;           // with SIGKILL, on a full disk
  uint64_t refused_starts = 0;  // there was no space to start with
  uint64_t restarts = 0;        // that the switch asked for
};

// What was found wrong. Any thread.
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

bool IsRefusal(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
         status.error_message().find("disk is nearly full") != std::string::npos;
}

// The counter of one station. Each request is written down before it is sent, each answer after.
class Counter {
 public:
  struct Entry {
    v1::PayRequest request;
    std::optional<v1::Payment> seen;
  };

  Counter(int number, Faults* faults) : station_(e2e::StationNumber(number)), number_(number), faults_(faults) {}

  void Open(const Api& api) {
    const grpc::Status status = e2e::OpenStation(api, station_, 1'000'000'000);
    if (!status.ok()) faults_->Add("a station can't be opened: " + status.error_message());
  }

  // Payments whose biller takes its time: held when the disk fills up.
  void Hold(const Api& api) {
    for (int i = 0; i < kHeldEach; ++i) {
      v1::PayRequest request = Next(i % 2 == 0 ? 95 : 96);
      request.set_wait_ms(0);
      Send(api, request);
    }
  }

  // Payments one after the other, until one is refused or the switch is gone.
  void WorkUntilRefused(const Api& api, const std::function<void()>& on_answer) {
    while (Send(api, Next(0))) on_answer();
  }

  // After a refusal: what was accepted before is answered as ever.
  void CheckRepeat(const Api& api) {
    for (const Entry& entry : entries_) {
      if (!entry.seen.has_value()) continue;
      const Answer<v1::PayResponse> again = e2e::Pay(api, entry.request);
      if (!again.ok()) return faults_->Add("a repeat is not answered: " + again.status.error_message());
      if (again.value.payment().payment_id() != entry.seen->payment_id()) faults_->Add("a repeat was paid anew");
      return;
    }
  }

  // How many of its payments are open now; then waits until all have ended.
  uint64_t SettleAll(const Api& api) {
    uint64_t open = 0;
    for (Entry& entry : entries_) {
      if (!entry.seen.has_value() || HasEnded(*entry.seen)) continue;
      const Answer<v1::Payment> now = e2e::GetPayment(api, entry.seen->payment_id());
      if (!now.ok()) {
        faults_->Add("an open payment can't be read: " + now.status.error_message());
        continue;
      }
      if (!HasEnded(now.value)) {
        ++open;
        e2e::Watch watch(api, station_, now.value.sequence());
        if (!watch.WaitFor(now.value.payment_id(), v1::PAYMENT_STATE_SUCCEEDED)) {
          faults_->Add("never settled: " + now.value.ShortDebugString());
          continue;
        }
      }
      entry.seen = e2e::GetPayment(api, entry.seen->payment_id()).value;
    }
    return open;
  }

  // With room again: what was refused, or not answered, is sent again and taken.
  void SendAgain(const Api& api) {
    for (Entry& entry : entries_) {
      if (entry.seen.has_value()) continue;
      const Answer<v1::PayResponse> answer = e2e::Pay(api, entry.request);
      if (!answer.ok()) return faults_->Add("refused with room again: " + answer.status.error_message());
      entry.seen = answer.value.payment();
    }
  }

  // All that was ever answered is still so.
  void CheckAll(const Api& api, Tally* tally) {
    for (const Entry& entry : entries_) {
      if (!entry.seen.has_value()) continue;
      const Answer<v1::Payment> now = e2e::GetPaymentByRequest(api, station_, entry.request.request_id());
      if (!now.ok() || now.value.payment_id() != entry.seen->payment_id() ||
          now.value.history_size() < entry.seen->history_size() ||
          (HasEnded(*entry.seen) && now.value.SerializeAsString() != entry.seen->SerializeAsString())) {
        faults_->Add(fmt::format("was {{{}}}, is {{{}}} {}", entry.seen->ShortDebugString(),
                                 now.value.ShortDebugString(), now.status.error_message()));
      }
      ++tally->payments;
    }
  }

  uint64_t refused() const { return refused_; }

 private:
  static bool HasEnded(const v1::Payment& payment) {
    return waystation::core::IsAtRest(static_cast<waystation::core::PaymentState>(payment.state()));
  }

  v1::PayRequest Next(int ending) {
    const int n = static_cast<int>(entries_.size());
    return e2e::PayRequestFor(station_, fmt::format("request-{}", n), "mobile",
                              e2e::CustomerNumber("mobile", n % 100'000, ending), 2'000);
  }

  bool Send(const Api& api, const v1::PayRequest& request) {
    Entry& entry = entries_.emplace_back(Entry{request, std::nullopt});
    const Answer<v1::PayResponse> answer = e2e::Pay(api, request);
    if (answer.ok()) {
      entry.seen = answer.value.payment();
      return true;
    }
    if (IsRefusal(answer.status)) {
      ++refused_;
    } else if (answer.status.error_code() != grpc::StatusCode::UNAVAILABLE &&
               answer.status.error_code() != grpc::StatusCode::CANCELLED) {
      faults_->Add(fmt::format("refused with {}: {}", static_cast<int>(answer.status.error_code()),
                               answer.status.error_message()));
    }
    return false;
  }

  const std::string station_;
  const int number_;
  Faults* const faults_;
  std::deque<Entry> entries_;
  uint64_t refused_ = 0;
};

// One run: a switch on a small disk, the counters, and what is found.
class Run {
 public:
  Run(SmallDisk disk, uint64_t seed, std::unique_ptr<SwitchProcess> process, Faults* faults)
      : disk_(std::move(disk)), random_(seed), process_(std::move(process)), faults_(faults) {
    for (int i = 0; i < kStations; ++i) counters_.emplace_back(i, faults);
  }

  absl::Status Start() {
    if (absl::Status started = process_->Start(); !started.ok()) return started;
    ForEach([](Counter& counter, const Api& api) { counter.Open(api); });
    return absl::OkStatus();
  }

  absl::Status Round() {
    ForEach([](Counter& counter, const Api& api) { counter.Hold(api); });
    Load load(this);
    load.WaitForAnswers(std::uniform_int_distribution<int>(1, 300)(random_));
    // Low; with the ballast given back; full; full without the ballast too, and killed.
    const int kind = std::uniform_int_distribution<int>(0, disk_.can_be_full() ? 3 : 0)(random_);
    const uint64_t low = disk_.low_mb();
    const uint64_t left = kind == 0   ? low - std::min<uint64_t>(low / 2, disk_.ballast_mb() + 16)
                          : kind == 1 ? low / 8
                                      : 0;
    if (absl::Status filled = disk_.FillTo(left); !filled.ok()) return filled;
    if (kind >= 2) ++tally_.full;
    load.Join();  // each counter was refused once, or the switch has stopped
    if (process_->child().WaitForEnd(std::chrono::milliseconds(0)).has_value()) return AfterStop();

    absl::StatusOr<v1::SwitchStatus> status = WaitForStatus(
        "low", [kind](const v1::DiskStatus& disk) { return disk.low() && (kind == 0 || disk.ballast_bytes() == 0); });
    if (!status.ok()) return status.status();
    if (kind > 0) ++tally_.released;
    ForEach([](Counter& counter, const Api& api) { counter.CheckRepeat(api); });
    CheckBackupIsRefused();
    if (kind == 3) {
      if (absl::Status filled = disk_.FillTo(0); !filled.ok()) return filled;
      process_->Kill();
      ++tally_.kills;
      return StartAgain();
    }
    Settle(true);
    disk_.Free();
    status = WaitForStatus("freed", [this](const v1::DiskStatus& disk) {
      return !disk.low() && disk.ballast_bytes() == disk_.ballast_mb() * uint64_t{1 << 20};
    });
    if (!status.ok()) return status.status();
    return GoOn();
  }

  absl::Status Finish() {
    ForEach([this](Counter& counter, const Api& api) {
      Tally mine;
      counter.CheckAll(api, &mine);
      const std::lock_guard lock(mutex_);
      tally_.payments += mine.payments;
      tally_.refused += counter.refused();
    });
    if (absl::Status stopped = process_->Stop(); !stopped.ok()) return stopped;
    return process_->VerifyJournal();
  }

  const Tally& tally() const { return tally_; }

 private:
  // All counters at work, each until it is refused.
  class Load {
   public:
    explicit Load(Run* run) {
      for (Counter& counter : run->counters_) {
        threads_.emplace_back([this, &counter, api = run->process_->Connect()] {
          counter.WorkUntilRefused(api, [this] { OnAnswer(); });
        });
      }
    }
    ~Load() { Join(); }
    void WaitForAnswers(int count) {
      std::unique_lock lock(mutex_);
      answered_.wait_for(lock, kPatience, [&] { return answers_ >= count; });
    }
    void Join() {
      for (std::thread& thread : threads_) thread.join();
      threads_.clear();
    }

   private:
    void OnAnswer() {
      const std::lock_guard lock(mutex_);
      ++answers_;
      answered_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable answered_;
    int answers_ = 0;
    std::vector<std::thread> threads_;
  };

  template <typename Step>
  void ForEach(Step step) {
    std::vector<std::thread> threads;
    for (Counter& counter : counters_) {
      threads.emplace_back([&counter, step, api = process_->Connect()] { step(counter, api); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  template <typename Wanted>
  absl::StatusOr<v1::SwitchStatus> WaitForStatus(const std::string& what, Wanted wanted) {
    const Api api = process_->Connect();
    Answer<v1::SwitchStatus> answer;
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < give_up) {
      answer = e2e::Call(api.operations.get(), &v1::OperationsService::Stub::GetStatus, v1::GetStatusRequest());
      if (!answer.ok()) break;
      if (wanted(answer.value.disk())) return answer.value;
    }
    return absl::DeadlineExceededError(fmt::format("waited for the disk to be {}: {{{}}} {}; {} MB are free", what,
                                                   answer.value.disk().ShortDebugString(),
                                                   answer.status.error_message(), disk_.FreeMb()));
  }

  // The outcomes of all that is held.
  void Settle(bool while_full) {
    ForEach([this, while_full](Counter& counter, const Api& api) {
      const uint64_t settled = counter.SettleAll(api);
      const std::lock_guard lock(mutex_);
      if (while_full) tally_.outcomes += settled;
    });
  }

  // Where it would go to the same disk.
  void CheckBackupIsRefused() {
    if (disk_.can_be_full()) return;
    const auto backup = e2e::Call(process_->Connect().operations.get(), &v1::OperationsService::Stub::CreateBackup,
                                  v1::CreateBackupRequest());
    if (backup.status.error_message().find("the disk is nearly full") == std::string::npos) {
      faults_->Add("a backup to a disk that is nearly full: " + backup.status.error_message());
    }
  }

  absl::Status GoOn() {
    ForEach([](Counter& counter, const Api& api) { counter.SendAgain(api); });
    Settle(false);
    return absl::OkStatus();
  }

  // A write failed before the ballast was given back: the switch stops, by design, and says what to do.
  absl::Status AfterStop() {
    ++tally_.restarts;
    const std::string words = process_->child().Errors();
    if (words.find("then start switchd again") == std::string::npos) {
      return absl::InternalError("switchd stopped without saying what to do:\n" + words);
    }
    return StartAgain();
  }

  // On the full disk where that is possible: a start gives the ballast back. The outcomes come first then.
  absl::Status StartAgain() {
    absl::Status started = process_->Start();
    if (started.ok()) {
      Settle(true);
      disk_.Free();
    } else {
      if (started.message().find("Free disk space") == std::string_view::npos) return started;
      fmt::print("does not start on the full disk: {}\n", std::string(started.message()));
      ++tally_.refused_starts;
      disk_.Free();
      started = process_->Start();
    }
    if (!started.ok()) return started;
    const auto freed = WaitForStatus("freed", [](const v1::DiskStatus& disk) { return !disk.low(); });
    return freed.ok() ? GoOn() : freed.status();
  }

  SmallDisk disk_;
  std::mt19937_64 random_;
  std::unique_ptr<SwitchProcess> process_;
  Faults* const faults_;
  std::deque<Counter> counters_;
  std::mutex mutex_;
  Tally tally_;
};

absl::Status RunRounds(uint64_t rounds, uint64_t seed, bool mount, Faults& faults, Tally& tally) {
  auto folder = waystation::bench::TemporaryFolder::Make(waystation::bench::DefaultParentFolder());
  if (!folder.ok()) return folder.status();
  absl::StatusOr<SmallDisk> disk =
      mount ? SmallDisk::Mount((*folder)->path()) : SmallDisk::InRelationTo((*folder)->path());
  if (!disk.ok()) return disk.status();
  e2e::SwitchOptions options;
  options.data_folder = disk->folder() + "/data";
  options.low_disk_mb = disk->low_mb();
  options.enough_disk_mb = disk->enough_mb();
  options.ballast_mb = disk->ballast_mb();
  options.time_limit_ms = 5'000;
  absl::StatusOr<std::unique_ptr<SwitchProcess>> process = SwitchProcess::Make(options);
  if (!process.ok()) return process.status();
  Run run(*std::move(disk), seed, *std::move(process), &faults);
  if (absl::Status started = run.Start(); !started.ok()) return started;
  for (uint64_t round = 1; round <= rounds && faults.count() == 0; ++round) {
    if (absl::Status status = run.Round(); !status.ok()) return status;
    fmt::print("round {}: {} outcomes recorded on a full disk, {} restarts so far\n", round, run.tally().outcomes,
               run.tally().restarts);
    std::fflush(stdout);
  }
  const absl::Status finished = run.Finish();
  tally = run.tally();
  if (finished.ok() && tally.outcomes == 0) faults.Add("no payment was open when the disk was full: nothing was shown");
  return finished;
}

bool ReadNumber(std::string_view text, uint64_t* number) {
  const auto [parsed_to, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && parsed_to == text.data() + text.size();
}

int Usage(std::string_view option) {
  fmt::print(stderr,
             "{} is not understood; expected: disk_full [--rounds N] [--seed S] [--fill mount|limits]\n"
             "  mount: a small file system of its own, which is filled up for real; limits: the limits are set by what "
             "is free on TMPDIR's, for where nothing may be mounted\n",
             option);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t rounds = 20;
  uint64_t seed = 1;
  std::string_view fill = "mount";
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 == argc) return Usage(option);
    if (option == "--fill") {
      fill = argv[i + 1];
      if (fill != "mount" && fill != "limits") return Usage(fill);
    } else if (!(option == "--rounds" && ReadNumber(argv[i + 1], &rounds)) &&
               !(option == "--seed" && ReadNumber(argv[i + 1], &seed))) {
      return Usage(option);
    }
  }
  Faults faults;
  Tally tally;
  const absl::Status status = RunRounds(rounds, seed, fill == "mount", faults, tally);
  if (!status.ok()) faults.Add(std::string(status.message()));
  fmt::print(
      "disk_full --rounds {} --seed {} --fill {}: {} payments, {} refused for want of space and taken afterwards, {} "
      "outcomes recorded while the disk was full; {} rounds with nothing left, {} with the ballast given back, {} "
      "killed then, of which {} could start only with space; {} restarts asked for; {} faults\n",
      rounds, seed, fill, tally.payments, tally.refused, tally.outcomes, tally.full, tally.released, tally.kills,
      tally.refused_starts, tally.restarts, faults.count());
  return faults.count() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
