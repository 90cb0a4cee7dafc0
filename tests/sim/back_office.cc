#include "tests/sim/back_office.h"

#include <utility>

namespace waystation::sim {

using core::Money;

BackOffice::BackOffice(EventQueue* events, Random* random, Report* report, Oracle* oracle, Stations::Door door)
    : events_(events), random_(random), report_(report), oracle_(oracle), door_(std::move(door)) {}

void BackOffice::OpenStations(const std::vector<core::StationId>& stations, absl::AnyInvocable<void()> opened) {
  opened_ = std::move(opened);
  for (const core::StationId station : stations) {
    opening_.push_back(core::RegisterStation{station, "Corner shop", {}});
    opening_.push_back(core::SetStationStatus{station, core::StationStatus::kApproved, ""});
    opening_.push_back(core::SetStationStatus{station, core::StationStatus::kActive, ""});
    opening_.push_back(
        core::RecordCounterPurchase{station, "opening", Money::Fen(random_->Between(50'000, 500'000)), "clerk"});
  }
  DoNext();
}

void BackOffice::DoNext() {
  if (opening_.empty()) return opened_();
  core::Command command = std::move(opening_.front());
  opening_.pop_front();
  Do(std::move(command), [this] { DoNext(); });
}

void BackOffice::Work(const std::vector<core::StationId>& stations, const std::vector<std::string>& billers, int count,
                      std::chrono::milliseconds within) {
  for (int i = 0; i < count; ++i) {
    const core::StationId station = stations[random_->Below(stations.size())];
    const std::string& biller = billers[random_->Below(billers.size())];
    events_->After(random_->Millis(0, within.count()), [this, station, biller] { Act(station, biller); });
  }
}

void BackOffice::Resolve(core::PaymentId id, core::Verdict verdict) {
  Do(core::ProposeResolution{id, verdict, "as the biller's books say", "first"}, [this, id, verdict] {
    // A late approval may have undone it.
    const core::Payment* payment = oracle_->Find(id);
    if (payment == nullptr || !payment->resolution.has_value()) return;
    Do(core::ConfirmResolution{id, payment->resolution->sequence, verdict, "second"});
  });
}

void BackOffice::Act(core::StationId station, const std::string& biller_id) {
  const std::chrono::milliseconds later = random_->Millis(100, 5'000);
  switch (random_->Below(8)) {
    case 0:
    case 1: {
      // Sometimes with an id that a payment has.
      const std::string id =
          random_->Chance(100) ? fmt::format("R{}", random_->Below(20)) : fmt::format("P{}", ++purchases_);
      return Do(core::RecordCounterPurchase{station, id, Money::Fen(random_->Between(50'000, 200'000)), "clerk"});
    }
    case 2: return Do(core::GrantCredit{station, Money::Fen(random_->Between(0, 100'000)), "granted"});
    case 3: {
      Do(core::SetStationStatus{station, core::StationStatus::kSuspended, "looked into"});
      return events_->After(later, [this, station] {
        Do(core::SetStationStatus{station, core::StationStatus::kActive, ""});
      });
    }
    case 4: {
      Do(core::SetBillerStatus{biller_id, false, "maintenance"});
      return events_->After(later, [this, biller_id] { Do(core::SetBillerStatus{biller_id, true, ""}); });
    }
    case 5: {
      const core::BusinessDate today = oracle_->ledger().business_day().date;
      return Do(core::CloseDay{today, today.NextDay()});
    }
    default: return Do(core::ReadAccount{station});
  }
}

void BackOffice::Do(core::Command command, absl::AnyInvocable<void()> done) {
  tasks_.push_back({std::move(command), std::move(done)});
  Try(&tasks_.back());
}

void BackOffice::Try(Task* task) {
  if (task->answered) return;
  if (SwitchProcess* process = door_(); process != nullptr) {
    process->Do(task->command, [this, task](const core::Reply& reply) {
      oracle_->OnShown(reply.sequence);
      if (const auto* account = std::get_if<core::Account>(&reply.value)) CheckAccount(*account, reply.sequence);
      report_->Trace("office", "command {}: {}", task->command.index(),
                     reply.status.ok() ? "done" : std::string(reply.status.message()));
      if (random_->Chance(20)) return;
      events_->After(random_->Millis(0, 20), [this, task, reply] { OnReply(task, reply); });
    });
  }
  constexpr std::chrono::milliseconds kPatience{2'000};
  events_->After(kPatience, [this, task] { Try(task); });
}

void BackOffice::OnReply(Task* task, const core::Reply& reply) {
  // What could not be looked up was not done, and is tried again.
  if (absl::IsUnavailable(reply.status) || std::exchange(task->answered, true)) return;
  // A step that was taken before the crash that swallowed its answer, or an id that is a payment's.
  const bool expected =
      reply.status.ok() || absl::IsFailedPrecondition(reply.status) || absl::IsAlreadyExists(reply.status);
  if (!expected) return report_->Broken(std::string(reply.status.message()));
  if (task->done) task->done();
}

void BackOffice::CheckAccount(const core::Account& account, uint64_t sequence) {
  if (account.available() < Money()) {
    return report_->Broken(fmt::format("station {} was shown with less than nothing", account.station.ToString()));
  }
  if (sequence != oracle_->legs()) return;
  const core::Account* durable = oracle_->ledger().FindStation(account.station);
  if (durable == nullptr || durable->balance != account.balance || durable->reserved != account.reserved ||
      durable->forwarded != account.forwarded || durable->credit_limit != account.credit_limit ||
      durable->status != account.status || durable->status_reason != account.status_reason) {
    report_->Broken(
        fmt::format("station {} was shown with other figures than are durable", account.station.ToString()));
  }
}

}  // namespace waystation::sim
