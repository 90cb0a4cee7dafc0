#include "tests/sim/outage.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/block.h"
#include "tests/sim/biller.h"
#include "tests/sim/oracle.h"
#include "tests/sim/switch_process.h"

namespace waystation::sim {
namespace {

using core::Money;
using std::chrono::milliseconds;

constexpr int kPaymentsPerSecond = 1'000;
constexpr milliseconds kTick{5};
constexpr milliseconds kCommit{1};
constexpr uint64_t kStations = 1'000;
// As the switch is to be bounded in an hour of it; in less time, less of it.
constexpr uint64_t kUnresolvedInAnHour = 100'000;

uint64_t ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) >> 20U;
}

// A journal that is replayed as it becomes durable, and not kept: the simulation's own memory stays small.
class PassingJournal final : public Store {
 public:
  using OnMoved = std::function<void(const core::Payment&)>;

  PassingJournal(Life life, core::BusinessDate first_date, Report* report, OnMoved on_moved)
      : life_(std::move(life)), replayed_(first_date), report_(report), on_moved_(std::move(on_moved)) {}

  void Append(const storage::SealedBlock* block, const storage::RowBatch&, Done done) override {
    in_flight_.push_back({block == nullptr ? "" : block->bytes, std::move(done)});
    life_.After(kCommit, [this] { Finish(); });
  }
  absl::Status ReadBlocks(uint64_t, VisitBlock) const override { return absl::OkStatus(); }
  absl::StatusOr<std::optional<std::string>> Get(storage::Table, std::string_view) const override {
    return std::nullopt;
  }
  absl::Status Scan(storage::Table, std::string_view, std::string_view, Visit) const override {
    return absl::OkStatus();
  }
  absl::Status ScanBackward(storage::Table, std::string_view, std::string_view, Visit) const override {
    return absl::OkStatus();
  }

  const core::Ledger& replayed() const { return replayed_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Finish() {
    auto [bytes, done] = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (!bytes.empty()) Replay(bytes);
    done({storage::CommitOutcome::kDurable, ""});
  }

  void Replay(const std::string& bytes) {
    bytes_ += bytes.size();
    absl::StatusOr<storage::OpenedBlock> block = storage::OpenNextBlock(bytes, &position_);
    if (!block.ok()) return report_->Broken(std::string(block.status().message()));
    for (const core::Leg& leg : block->legs) {
      if (absl::Status status = replayed_.Apply(leg, block->stamp); !status.ok()) {
        return report_->Broken(std::string(status.message()));
      }
      core::PaymentId id;
      if (std::holds_alternative<core::PaymentAccepted>(leg.fact)) id = core::PaymentId::FromNumber(leg.sequence);
      if (const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact)) id = moved->payment_id;
      if (id != core::PaymentId()) on_moved_(*replayed_.FindPayment(id));
    }
    replayed_.ForgetAtRest(position_.last_sequence);
  }

  const Life life_;
  core::Ledger replayed_;
  storage::ChainPosition position_;
  Report* const report_;
  const OnMoved on_moved_;
  std::deque<std::pair<std::string, Done>> in_flight_;
  uint64_t bytes_ = 0;
};

class Outage {
 public:
  Outage(uint64_t minutes, uint64_t seed)
      : outage_(minutes * 60'000),
        random_(seed),
        report_(&clock_, nullptr),
        journal_(life_, FirstDate(), &report_, [this](const core::Payment& payment) { OnMoved(payment); }) {
    for (const char* id : {"down", "up one", "up two"}) {
      adapters::CapabilityCard card;
      card.service = "mobile";
      card.least = Money::Fen(1);
      card.most = Money::Fen(1'000'000);
      card.can_query = true;
      card.query_denial_is_final = true;
      card.can_reverse = true;
      card.time_limit = milliseconds(5'000);
      card.settling_time = milliseconds(60'000);
      card.max_in_flight = 1'000;
      billers_.push_back(
          std::make_unique<Biller>(id, std::move(card), &events_, &random_, &report_, milliseconds(1'000)));
      tallies_[id];
    }
  }
  ~Outage() {
    life_.End();
    for (BillerLink* link : links_) link->DropCalls();
  }

  bool Run(uint64_t minutes) {
    Start(minutes);
    const milliseconds before{10'000};
    const milliseconds after{30'000};
    Pay(before + outage_ + after);
    const core::SteadyTime begins = events_.now() + before;
    events_.At(begins, [this] {
      resident_before_ = ResidentMegabytes();
      billers_.front()->GoDown(outage_);
    });
    while (report_.broken().empty() && Step()) {
    }
    return Conclude(minutes);
  }

 private:
  struct Tally {
    uint64_t asked = 0;
    uint64_t refused = 0;  // told to come again
    uint64_t accepted = 0;
    uint64_t out_of_service = 0;
    uint64_t succeeded = 0;
    uint64_t declined = 0;  // for another reason
    uint64_t other = 0;     // reversed, in review
    uint64_t unknown = 0;   // ever
    core::SteadyTime::duration slowest{};
  };

  static core::BusinessDate FirstDate() { return *core::BusinessDate::FromNumber(20261121); }

  void Start(uint64_t minutes) {
    std::vector<std::pair<std::string, std::unique_ptr<adapters::BillerAdapter>>> adapters;
    for (const auto& biller : billers_) {
      auto link = std::make_unique<BillerLink>(biller.get(), life_, &random_, nullptr);
      links_.push_back(link.get());
      adapters.emplace_back(biller->id(), std::move(link));
    }
    most_unresolved_ = std::max<size_t>(kUnresolvedInAnHour * minutes / 60, 1'000);
    process_ =
        std::make_unique<SwitchProcess>(SwitchProcess::Options{.clock = &clock_,
                                                               .store = &journal_,
                                                               .first_date = FirstDate(),
                                                               .schedule = {},
                                                               .snapshot_interval = milliseconds(1'000),
                                                               .adapters = std::move(adapters),
                                                               .max_unresolved = most_unresolved_,
                                                               .breaker = {},
                                                               .adopts = [](const core::Payment&) { return true; },
                                                               .on_late = [](const flow::PaymentFlow::Result&) {}});
    if (absl::Status status = process_->Start(); !status.ok()) report_.Broken(std::string(status.message()));
    for (uint64_t i = 0; i < kStations; ++i) {
      const core::StationId station = StationOf(i);
      Do(core::RegisterStation{station, "Corner shop", {}});
      Do(core::SetStationStatus{station, core::StationStatus::kApproved, ""});
      Do(core::SetStationStatus{station, core::StationStatus::kActive, ""});
      Do(core::RecordCounterPurchase{station, "opening", core::kMaxAmount, "clerk"});
    }
    while (!process_->serving() || pending_ > 0) Step();
  }

  static core::StationId StationOf(uint64_t i) { return core::StationId::FromNumber(440'106'000'000 + i % kStations); }

  void Do(core::Command command) {
    ++pending_;
    process_->Do(std::move(command), [this](const core::Reply& reply) {
      --pending_;
      if (!reply.status.ok()) report_.Broken(std::string(reply.status.message()));
    });
  }

  // A tick's payments, and the next tick, for so long.
  void Pay(milliseconds left) {
    constexpr int64_t kEachTick = kPaymentsPerSecond * kTick.count() / 1'000;
    for (int64_t i = 0; i < kEachTick; ++i) {
      const uint64_t number = asked_++;
      Tally* tally = &tallies_[billers_[number % billers_.size()]->id()];
      ++tally->asked;
      const core::StationId station = StationOf(number / 3);
      flow::PayOrder order{.station = station,
                           .operator_id = "0000000001",
                           .request_id = fmt::format("R{}", number),
                           .biller_id = billers_[number % billers_.size()]->id(),
                           .customer_number = "13800000000",
                           .amount = Money::Fen(random_.Between(100, 20'000)),
                           .inquiry = {},
                           .answer_by = events_.now() + core::kDefaultPayWait};
      process_->FlowOf(station).Pay(std::move(order),
                                    [this, tally, asked_at = events_.now()](const flow::PaymentFlow::Result& result) {
                                      ++answered_;
                                      if (!result.status.ok()) ++tally->refused;
                                      tally->slowest = std::max(tally->slowest, events_.now() - asked_at);
                                    });
    }
    if (left > kTick) events_.After(kTick, [this, left] { Pay(left - kTick); });
  }

  void OnMoved(const core::Payment& payment) {
    Tally& tally = tallies_[payment.biller_id];
    if (payment.history.size() == 1) ++tally.accepted;
    int due = 0;
    switch (payment.state) {
      case core::PaymentState::kSucceeded:
        ++tally.succeeded;
        amount_of_station_[payment.station] += payment.amount;
        due = 1;
        break;
      case core::PaymentState::kDeclined:
        ++(payment.decline->reason == core::DeclineReason::kBillerOutOfService ? tally.out_of_service : tally.declined);
        break;
      case core::PaymentState::kUnknown: ++tally.unknown; return;
      case core::PaymentState::kHeld:
      case core::PaymentState::kReversing: return;
      default: ++tally.other; return;
    }
    for (const auto& biller : billers_) {
      if (biller->id() != payment.biller_id) continue;
      auto it = biller->books().find(payment.id);
      const int effects = it == biller->books().end() ? 0 : it->second.effects - it->second.taken_back;
      if (effects != due)
        report_.Broken(fmt::format("payment {} and the biller's books differ", payment.id.ToString()));
      biller->Forget(payment.id);
    }
  }

  bool Step() {
    const std::optional<core::SteadyTime> alarm = process_->NextAlarm();
    const std::optional<core::SteadyTime> next = events_.next();
    if (!alarm.has_value() && !next.has_value() && !did_something_) return false;
    if (!did_something_) {
      if (alarm.has_value() && (!next.has_value() || *alarm < *next)) {
        clock_.AdvanceTo(std::max(*alarm, clock_.Steady()));
      } else {
        events_.RunNext();
      }
    }
    did_something_ = false;
    for (size_t part = 0; part < SwitchProcess::kParts; ++part) did_something_ |= process_->Run(part);
    if (!process_->fatal().empty()) report_.Broken(process_->fatal());
    constexpr uint64_t kLookEvery = 100'000;
    if (++steps_ % kLookEvery == 0) {
      resident_peak_ = std::max(resident_peak_, ResidentMegabytes());
      open_peak_ = std::max(open_peak_, process_->ledger().payments_in_memory());
    }
    return true;
  }

  bool Conclude(uint64_t minutes) {
    const core::Ledger& ledger = process_->ledger();
    if (std::string fault = FaultOf(ledger); !fault.empty()) report_.Broken(std::move(fault));
    if (std::string difference = DifferenceOf(ledger, journal_.replayed()); !difference.empty()) {
      report_.Broken(std::move(difference));
    }
    if (ledger.payments_in_memory() != 0) {
      report_.Broken(fmt::format("{} payments are still open", ledger.payments_in_memory()));
    }
    if (answered_ != asked_) report_.Broken(fmt::format("{} of {} requests were answered", answered_, asked_));
    for (const auto& [station, amount] : amount_of_station_) {
      if (ledger.FindStation(station)->balance != core::kMaxAmount - amount) {
        report_.Broken(
            fmt::format("station {} has {} fen", station.ToString(), ledger.FindStation(station)->balance.fen()));
      }
    }
    for (const auto& [id, tally] : tallies_) {
      const auto slowest = std::chrono::duration_cast<milliseconds>(tally.slowest);
      fmt::print(
          "{}: {} asked, {} told to come again, {} out of service, {} succeeded, {} declined, {} other; "
          "{} were unknown for a time; slowest answer {} ms\n",
          id, tally.asked, tally.refused, tally.out_of_service, tally.succeeded, tally.declined, tally.other,
          tally.unknown, slowest.count());
      if (tally.asked != tally.refused + tally.accepted) report_.Broken(fmt::format("{}: payments are missing", id));
      if (tally.accepted != tally.out_of_service + tally.succeeded + tally.declined + tally.other) {
        report_.Broken(fmt::format("{}: payments without an end", id));
      }
      const bool untouched = tally.succeeded == tally.asked && slowest < milliseconds(200);
      if (id != billers_.front()->id() && !untouched) report_.Broken(fmt::format("{} was touched", id));
      if (tally.other != 0) report_.Broken(fmt::format("{}: a person had to decide", id));
    }
    // What one open payment may take, the flow's and the resolver's part and the copy of the replay with it.
    constexpr uint64_t kBytesEach = 8'000;
    const uint64_t allowed = resident_before_ + (((most_unresolved_ + 3'000) * kBytesEach) >> 20U) + 100;
    if (resident_peak_ > allowed)
      report_.Broken(fmt::format("{} MB resident; allowed are {}", resident_peak_, allowed));
    fmt::print(
        "outage of {} minutes: {} payments asked for; resident {} MB before it, {} MB at most; {} open at most, "
        "{} of a biller; journal {} MB; all resolved {} s after it began: {}\n",
        minutes, asked_, resident_before_, resident_peak_, open_peak_, most_unresolved_, journal_.bytes() >> 20U,
        std::chrono::duration_cast<std::chrono::seconds>(events_.now() - core::SteadyTime()).count(),
        report_.broken().empty() ? "all invariants held" : report_.broken());
    return report_.broken().empty();
  }

  const milliseconds outage_;
  Random random_;
  storage::SimulatedClock clock_;
  EventQueue events_{&clock_};
  Report report_;
  Life life_{&events_};
  PassingJournal journal_;
  std::vector<std::unique_ptr<Biller>> billers_;
  std::vector<BillerLink*> links_;
  std::unique_ptr<SwitchProcess> process_;
  std::map<std::string, Tally> tallies_;
  std::map<core::StationId, Money> amount_of_station_;
  size_t most_unresolved_ = 0;
  uint64_t pending_ = 0;
  uint64_t asked_ = 0;
  uint64_t answered_ = 0;
  uint64_t steps_ = 0;
  uint64_t resident_before_ = 0;
  uint64_t resident_peak_ = 0;
  size_t open_peak_ = 0;
  bool did_something_ = true;
};

}  // namespace

bool RunOutage(uint64_t minutes, uint64_t seed) {
  return Outage(minutes, seed).Run(minutes);
}

}  // namespace waystation::sim
