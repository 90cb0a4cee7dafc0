#include "tests/crash/power_loss_proof.h"

#include <algorithm>
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

constexpr uint64_t kMostCutsPerStore = 12;
// A cut comes at one of so many changes: an opening makes about 60, a batch of work 2 and more.
constexpr uint64_t kMostChangesBeforeCut = 400;
constexpr uint64_t kMostChangesWhileOpening = 80;

// One store, from its making to the end.
class StoreLife {
 public:
  StoreLife(uint64_t seed, Planted planted, PowerLossReport* report)
      : seed_(seed), random_(seed), business_(seed), report_(report) {
    const std::string attic = folder_.Under("attic");
    std::filesystem::create_directory(attic);
    files_ = std::make_shared<LossyFileSystem>(attic, seed);
    options_.folder = folder_.Under("ledger");
    options_.files = files_;
    options_.answers_before_commit = planted == Planted::kAnswersBeforeCommit;
    if (planted == Planted::kFileSyncsDoNothing) files_->SetLie(LossyFileSystem::Lie::kFileSyncs);
    if (planted == Planted::kFolderSyncsDoNothing) files_->SetLie(LossyFileSystem::Lie::kFolderSyncs);
  }

  void Run(uint64_t cuts) {
    for (uint64_t cut = 1; cut <= cuts && fault_.empty(); ++cut) {
      at_ = fmt::format("store {}, cut {} of {}", seed_, cut, cuts);
      CutOnce();
      if (fault_.empty()) Judge(CheckStore(options_));
    }
    if (fault_.empty()) {
      at_ = fmt::format("store {}, after the last cut", seed_);
      Finish();
    }
    ++report_->stores;
    report_->changes += files_->changes();
    report_->payments += business_.payments();
    report_->answers += business_.answers();
    report_->unanswered += business_.unanswered();
    report_->day_cuts += business_.day_cuts();
    if (!fault_.empty()) report_->faults.push_back(fault_);
  }

 private:
  void CutOnce() {
    // Small tables are written out in the midst of the work.
    options_.journal_memtable_bytes = random_() % 2 == 0 ? 64 << 10 : 64 << 20;
    options_.snapshot_interval = std::chrono::milliseconds(random_() % 3 == 0 ? 0 : 20);
    const bool while_opening = random_() % 3 == 0;
    const uint64_t changes = 1 + random_() % (while_opening ? kMostChangesWhileOpening : kMostChangesBeforeCut);
    if (while_opening) files_->CutPowerAt(changes);
    // The power may go where only the mark is written: the session then hears of it after a read has failed. While
    // there is power no read may.
    business_.SetLookupsMayFail([this] { return !files_->power_is_on(); });
    MakeHighWater();
    absl::StatusOr<std::unique_ptr<LedgerSession>> session = LedgerSession::Start(options_, &business_.clock());
    if (session.ok()) {
      business_.Check(**session);
      if (!while_opening) files_->CutPowerAt(changes);
      while ((*session)->goes_on() && business_.faults().empty()) business_.Work(**session);
    }
    if (!business_.faults().empty()) {
      Judge(absl::DataLossError(business_.faults().front()));
    } else if (files_->power_is_on()) {
      Judge(session.ok() ? absl::InternalError((*session)->fatal()) : session.status());
    }
    if (!session.ok()) ++report_->cuts_while_opening;
    ++report_->cuts;
    // Closing changes nothing any more.
    files_->CutPower();
    if (session.ok()) session->reset();
    files_->RestorePower();
  }

  void Finish() {
    business_.SetLookupsMayFail(false);
    MakeHighWater();
    absl::StatusOr<std::unique_ptr<LedgerSession>> session = LedgerSession::Start(options_, &business_.clock());
    if (!session.ok()) return Judge(session.status());
    business_.Check(**session);
    business_.Settle(**session);
    (*session)->Stop();
    if (!business_.faults().empty()) return Judge(absl::DataLossError(business_.faults().front()));
    if (!(*session)->goes_on()) return Judge(absl::InternalError((*session)->fatal()));
    session->reset();
    Judge(CheckStore(options_));
  }

  void MakeHighWater() {
    high_water_ = std::make_unique<LossyHighWater>(folder_.Under("high_water"), files_.get(), random_());
    options_.high_water = high_water_.get();
  }

  void Judge(const absl::Status& status) {
    if (!status.ok() && fault_.empty()) fault_ = fmt::format("{}: {}", at_, std::string(status.message()));
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  storage::TemporaryFolder folder_;
  std::shared_ptr<LossyFileSystem> files_;
  std::unique_ptr<LossyHighWater> high_water_;
  LedgerSession::Options options_;
  Business business_;
  PowerLossReport* const report_;
  std::string at_;
  std::string fault_;
};

}  // namespace

PowerLossReport ProvePowerLoss(uint64_t cuts, uint64_t seed, Planted planted) {
  PowerLossReport report;
  std::mt19937_64 random(seed);
  while (report.cuts < cuts && report.faults.empty()) {
    const uint64_t here = std::min(cuts - report.cuts, 1 + random() % kMostCutsPerStore);
    StoreLife(random(), planted, &report).Run(here);
  }
  return report;
}

}  // namespace waystation::crash
