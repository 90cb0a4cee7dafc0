#include "tests/crash/io_error_proof.h"

#include <cstring>
#include <filesystem>
#include <utility>

#include "fmt/format.h"
#include "tests/crash/business.h"
#include "tests/crash/ledger_session.h"
#include "tests/crash/lossy_file_system.h"
#include "tests/crash/lossy_high_water.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::crash {
namespace {

// A run of the ledger with so many batches of work makes about 100 changes and 50 reads.
constexpr int kBatches = 15;
constexpr int kMostSessions = 50;

// What RocksDB 7.8 takes a failure for that passes: it opens CURRENT to try direct I/O, and then once more without.
constexpr std::string_view kRocksMistakes = "Direct I/O is not supported by the specified DB";

std::string Describe(const Fault& fault) {
  return fmt::format("{} at {} {}{}", fault.error == Error::kIo ? "EIO" : "ENOSPC",
                     fault.on == Fault::On::kChanges ? "change" : "read", fault.at, fault.lasts ? " and after" : "");
}

// One store that meets one fault.
class FaultyLife {
 public:
  FaultyLife(const Fault& fault, uint64_t seed, bool errors_are_hidden, IoErrorReport* report)
      : planned_(fault), seed_(seed), business_(seed), report_(report) {
    const std::string attic = folder_.Under("attic");
    std::filesystem::create_directory(attic);
    files_ = std::make_shared<LossyFileSystem>(attic, seed);
    if (errors_are_hidden) files_->SetLie(LossyFileSystem::Lie::kErrors);
    options_.folder = folder_.Under("ledger");
    options_.files = files_;
  }

  void Run() {
    files_->Set(planned_);
    business_.SetLookupsMayFail(planned_.on == Fault::On::kReads || (planned_.error == Error::kIo && planned_.lasts));
    for (int session = 1; files_->fault_hit().empty() && !over_ && fault_.empty(); ++session) {
      if (session > kMostSessions) return Add("the operation did not come");
      RunOnce();
    }
    // It may also have come while the store was being closed.
    if (!over_) ++report_->went_on;
    files_->ClearFault();
    business_.SetLookupsMayFail(false);
    if (planned_.at % 2 == 0) {
      files_->CutPower();
      files_->RestorePower();
    }
    if (fault_.empty()) Finish();
    if (!fault_.empty()) Add(fault_);
    ++report_->runs;
    report_->payments += business_.payments();
    report_->answers += business_.answers();
  }

 private:
  void RunOnce() {
    absl::StatusOr<std::unique_ptr<LedgerSession>> session = Start();
    if (!session.ok()) {
      ++report_->refused;
      over_ = true;
      return JudgeMessage("start", std::string(session.status().message()));
    }
    business_.Check(**session);
    for (int i = 0; i < kBatches && (*session)->goes_on(); ++i) business_.Work(**session);
    (*session)->Stop();
    JudgeBusiness();
    if (!(*session)->goes_on()) {
      ++report_->stopped;
      over_ = true;
      JudgeMessage("stop", (*session)->fatal());
    }
  }

  // It says that the disk is at fault, and how.
  void JudgeMessage(const std::string& what, const std::string& message) {
    const bool clear = message.find(std::strerror(planned_.error == Error::kIo ? EIO : ENOSPC)) != message.npos ||
                       message.find(kRocksMistakes) != message.npos;
    if (!clear || files_->fault_hit().empty()) fault_ = fmt::format("{} without its cause: {}", what, message);
  }

  void JudgeBusiness() {
    if (fault_.empty() && !business_.faults().empty()) fault_ = business_.faults().front();
  }

  void Finish() {
    if (absl::Status checked = CheckStore(options_); !checked.ok()) {
      fault_ = std::string(checked.message());
      return;
    }
    absl::StatusOr<std::unique_ptr<LedgerSession>> session = Start();
    if (!session.ok()) {
      fault_ = std::string(session.status().message());
      return;
    }
    business_.Check(**session);
    business_.Settle(**session);
    (*session)->Stop();
    JudgeBusiness();
    if (fault_.empty()) fault_ = (*session)->fatal();
  }

  absl::StatusOr<std::unique_ptr<LedgerSession>> Start() {
    high_water_ = std::make_unique<LossyHighWater>(folder_.Under("high_water"), files_.get(), seed_);
    options_.high_water = high_water_.get();
    return LedgerSession::Start(options_, &business_.clock());
  }

  void Add(const std::string& what) {
    report_->faults.push_back(
        fmt::format("{} ({}), seed {}: {}", Describe(planned_), files_->fault_hit(), seed_, what));
  }

  const Fault planned_;
  const uint64_t seed_;
  storage::TemporaryFolder folder_;
  std::shared_ptr<LossyFileSystem> files_;
  std::unique_ptr<LossyHighWater> high_water_;
  LedgerSession::Options options_;
  Business business_;
  IoErrorReport* const report_;
  bool over_ = false;  // the process has ended on the error
  std::string fault_;
};

}  // namespace

IoErrorReport ProveIoErrors(uint64_t operations, uint64_t seed, bool errors_are_hidden) {
  IoErrorReport report;
  for (uint64_t at = 1; at <= operations && report.faults.empty(); ++at) {
    for (const bool lasts : {false, true}) {
      const Fault faults[] = {{.on = Fault::On::kChanges, .at = at, .error = Error::kIo, .lasts = lasts},
                              {.on = Fault::On::kChanges, .at = at, .error = Error::kNoSpace, .lasts = lasts},
                              {.on = Fault::On::kReads, .at = at, .error = Error::kIo, .lasts = lasts}};
      for (const Fault& fault : faults) {
        if (report.faults.empty()) FaultyLife(fault, seed * operations + at, errors_are_hidden, &report).Run();
      }
    }
  }
  return report;
}

}  // namespace waystation::crash
