#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

namespace waystation::sim {
namespace {

using std::chrono::milliseconds;

// The first day of every run.
core::BusinessDate FirstDate() {
  return *core::BusinessDate::FromNumber(20261121);
}

adapters::CapabilityCard Card(std::string service, bool can_query, bool denial_is_final, bool can_reverse,
                              adapters::CancelRule cancel) {
  adapters::CapabilityCard card;
  card.service = std::move(service);
  card.inquiry = adapters::InquiryRule::kOptional;
  card.least = core::Money::Fen(100);
  card.most = core::Money::Fen(1'000'000);
  card.can_query = can_query;
  card.query_denial_is_final = denial_is_final;
  card.can_reverse = can_reverse;
  card.cancel = cancel;
  return card;
}

}  // namespace

World::World(uint64_t seed, std::FILE* trace, std::optional<Fault> fault)
    : random_(seed),
      report_(&clock_, trace),
      doubles_(DoublesFor(fault)),
      counters_(&events_, &random_, &report_, &oracle_,
                [this] { return process_ != nullptr && process_->serving() ? process_.get() : nullptr; }),
      office_(&events_, &random_, &report_, &oracle_,
              [this] { return process_ != nullptr && process_->serving() ? process_.get() : nullptr; }) {
  schedule_.first_query_after = random_.Millis(100, 1'000);
  schedule_.longest_interval = random_.Millis(2'000, 30'000);
  schedule_.review_after = random_.Millis(20'000, 300'000);
  max_unresolved_ = random_.Chance(300) ? static_cast<size_t>(random_.Between(1, 5)) : 1'000;
  breaker_ = {.consecutive_failures = static_cast<uint32_t>(random_.Between(1, 10)),
              .failure_percent = static_cast<uint32_t>(random_.Between(10, 100)),
              .least_requests = static_cast<uint32_t>(random_.Between(2, 20)),
              .window = std::chrono::seconds(random_.Between(1, 60)),
              .shortest_trouble = random_.Millis(0, 2'000),
              .probe_after = random_.Millis(50, 5'000),
              .longest_probe_interval = random_.Millis(5'000, 60'000)};
  snapshot_interval_ = random_.Millis(50, 3'000);
  active_for_ = random_.Millis(3'000, 60'000);
  disk_profile_ = {.failed_commits = random_.Chance(300) ? 10U : 0U,
                   .failed_reads = random_.Chance(300) ? 10U : 0U,
                   .slowest_commit_ms = random_.Between(1, 60)};
  constexpr uint64_t kEvery[] = {0, 1'000, 4'000, 12'000};
  crash_every_ = kEvery[random_.Below(std::size(kEvery))];
  AddBillers();
}

World::~World() {
  DropSwitch();
}

void World::AddBillers() {
  using adapters::CancelRule;
  const std::pair<std::string, adapters::CapabilityCard> kinds[] = {
      {"mobile", Card("mobile", true, true, true, CancelRule::kSameDay)},
      {"power", Card("electricity", false, false, true, CancelRule::kSameDay)},
      {"gas", Card("gas", false, false, false, CancelRule::kNone)},
      {"water", Card("water", true, false, true, CancelRule::kNone)},
      {"heat", Card("heat", false, true, true, CancelRule::kNone)},
      {"tv", Card("tv", true, false, false, CancelRule::kSameDay)},
  };
  for (auto [id, card] : kinds) {
    card.time_limit = random_.Millis(300, 2'000);
    card.settling_time = random_.Millis(0, 10'000);
    card.max_in_flight = static_cast<uint32_t>(random_.Between(2, 50));
    card.max_waiting = static_cast<uint32_t>(random_.Between(0, 10));
    // The longest that a denial's being final allows for.
    const milliseconds slowest = card.time_limit + card.settling_time;
    auto biller = std::make_unique<Biller>(id, std::move(card), &events_, &random_, &report_, slowest);
    biller->set_keeps_advice(random_.Chance(500));
    const auto some = [this](uint32_t most) {
      return random_.Chance(500) ? 0 : static_cast<uint32_t>(random_.Below(most));
    };
    biller->trouble() = {.not_sent = some(100),
                         .lost_requests = some(200),
                         .slow_requests = some(400),
                         .lost_answers = some(300),
                         .late_answers = some(400),
                         .twice = some(300),
                         .declines = some(300),
                         .refuses_back = some(400),
                         .false_denials = some(400),
                         .adapter_faults = some(30),
                         .overdue = some(500)};
    billers_.push_back(std::move(biller));
  }
}

void World::Begin() {
  const int64_t count = random_.Between(1, 4);
  for (int64_t i = 0; i < count; ++i) {
    stations_.push_back(core::StationId::FromNumber(440'106'000'010 + static_cast<uint64_t>(i)));
  }
  StartSwitch();
  if (random_.Chance(200)) {
    const milliseconds by = random_.Millis(1'000, 120'000);
    events_.After(random_.Millis(0, active_for_.count()), [this, by] {
      report_.Trace("world", "the calendar is set {} ms forward", by.count());
      clock_.JumpCalendar(by);
    });
  }
  office_.OpenStations(stations_, [this] {
    std::vector<std::string> ids;
    for (const auto& biller : billers_) ids.push_back(biller->id());
    counters_.Open(stations_, ids, static_cast<int>(random_.Between(5, 60)), active_for_);
    office_.Work(stations_, ids, static_cast<int>(random_.Between(0, 12)), active_for_);
    for (const auto& biller : billers_) {
      if (!random_.Chance(400)) continue;
      Biller* down = biller.get();
      const milliseconds time = random_.Millis(500, active_for_.count());
      events_.After(random_.Millis(0, active_for_.count()), [down, time] { down->GoDown(time); });
    }
  });
}

Outcome World::Run() {
  Begin();
  if (RunUntil(clock_.Steady() + active_for_ + std::chrono::seconds(5))) {
    EndTrouble();
    if (RunUntil(PastDeadlines())) CheckEnd();
  }
  Outcome outcome{.broken = report_.broken(),
                  .steps = steps_,
                  .crashes = crashes_,
                  .payments = oracle_.payments().size(),
                  .answers = counters_.answers(),
                  .trace_hash = report_.trace_hash()};
  for (const auto& [id, payment] : oracle_.payments()) {
    outcome.in_review += payment.state == core::PaymentState::kReview ? 1 : 0;
    outcome.out_of_service +=
        payment.decline.has_value() && payment.decline->reason == core::DeclineReason::kBillerOutOfService ? 1 : 0;
  }
  return outcome;
}

core::SteadyTime World::PastDeadlines() const {
  // A payment may become UNKNOWN, then REVERSING or SUCCEEDED and CANCELLING, each with a deadline of its own.
  constexpr int kDeadlines = 4;
  return clock_.Steady() + kDeadlines * schedule_.review_after + std::chrono::minutes(10);
}

bool World::RunUntil(core::SteadyTime time) {
  // Far more than any run takes that comes to rest.
  constexpr uint64_t kMostSteps = 2'000'000;
  while (report_.broken().empty()) {
    const std::optional<core::SteadyTime> alarm = process_ == nullptr ? std::nullopt : process_->NextAlarm();
    std::optional<core::SteadyTime> next = events_.next();
    if (alarm.has_value() && (!next.has_value() || *alarm < *next)) next = alarm;
    if (!next.has_value() || *next > time) return true;
    Step(alarm == next ? alarm : std::nullopt);
    if (steps_ > kMostSteps) report_.Broken("the run does not come to rest");
  }
  return false;
}

void World::Step(std::optional<core::SteadyTime> alarm) {
  if (alarm.has_value()) {
    clock_.AdvanceTo(std::max(*alarm, clock_.Steady()));
  } else {
    events_.RunNext();
  }
  LetRun();
}

void World::LetRun() {
  bool did_something = true;
  while (did_something && process_ != nullptr) {
    did_something = false;
    const size_t first = random_.Below(SwitchProcess::kParts);
    for (size_t i = 0; i < SwitchProcess::kParts; ++i) {
      if (!report_.broken().empty()) return;
      ++steps_;
      // A thread that is not let run for a while.
      if (random_.Chance(10)) {
        life_.After(random_.Millis(0, 30), [] {});
        continue;
      }
      const bool did = process_->Run((first + i) % SwitchProcess::kParts);
      did_something |= did;
      if (!process_->fatal().empty()) return EndSwitch(process_->fatal());
      if (did && CrashesNow()) return EndSwitch("crash");
    }
  }
  if (process_ == nullptr) return;
  if (random_.Chance(20)) oracle_.CheckLive(process_->ledger());
  // A snapshot is written when the sequencer is run and one is due: it is, so long after the last leg.
  if (process_->ledger().last_sequence() == ticked_at_) return;
  ticked_at_ = process_->ledger().last_sequence();
  life_.After(snapshot_interval_, [] {});
}

bool World::CrashesNow() {
  if (crash_every_ == 0) return false;
  // Start-up is short, and its crashes are as good as any.
  constexpr uint64_t kMoreWhileStarting = 50;
  return random_.Below(process_->serving() ? crash_every_ : crash_every_ / kMoreWhileStarting) == 0;
}

void World::StartSwitch() {
  life_ = Life(&events_);
  auto disk = std::make_unique<Disk>(&durable_, life_, &random_, &report_, &disk_profile_,
                                     [this](std::string_view block) { oracle_.OnDurable(block); });
  disk_ = disk.get();
  store_ = doubles_.store(std::move(disk));
  std::vector<std::pair<std::string, std::unique_ptr<adapters::BillerAdapter>>> adapters;
  for (const auto& biller : billers_) {
    auto link = std::make_unique<BillerLink>(biller.get(), life_, &random_, &oracle_);
    links_.push_back(link.get());
    adapters.emplace_back(biller->id(), doubles_.adapter(std::move(link)));
  }
  process_ = std::make_unique<SwitchProcess>(
      SwitchProcess::Options{.clock = &clock_,
                             .store = store_.get(),
                             .first_date = FirstDate(),
                             .schedule = schedule_,
                             .snapshot_interval = snapshot_interval_,
                             .adapters = std::move(adapters),
                             .max_unresolved = max_unresolved_,
                             .breaker = breaker_,
                             .adopts = doubles_.adopts,
                             .on_late = [this](const flow::PaymentFlow::Result& result) {
                               if (!result.status.ok()) return;
                               report_.Trace("switch", "late approval: payment {} is {}", result.payment.id.number(),
                                             core::Name(result.payment.state));
                               oracle_.OnAnswer(result.payment);
                             }});
  const absl::Status started = process_->Start();
  if (absl::IsUnavailable(started)) return EndSwitch("the disk fails at the start");
  if (!started.ok()) {
    report_.Broken(fmt::format("the switch does not start: {}", std::string(started.message())));
    return EndSwitch("no start");
  }
  report_.Trace("switch", "starts: snapshot of leg {}, {} legs replayed", process_->recovered().snapshot_sequence,
                process_->recovered().legs_replayed);
  oracle_.CheckRecovered(process_->ledger());
}

void World::EndSwitch(std::string_view why) {
  report_.Trace("switch", "ends: {}", why);
  ++crashes_;
  life_.End();
  disk_->Crash();
  DropSwitch();
  if (!report_.broken().empty()) return;
  oracle_.Reload(durable_);
  if (random_.Chance(300)) oracle_.CheckStored(durable_);
  events_.After(random_.Millis(10, 3'000), [this] { StartSwitch(); });
}

void World::DropSwitch() {
  for (BillerLink* link : links_) link->DropCalls();
  links_.clear();
  process_.reset();
  store_.reset();
}

void World::EndTrouble() {
  report_.Trace("world", "the trouble ends");
  crash_every_ = 0;
  disk_profile_ = {.slowest_commit_ms = disk_profile_.slowest_commit_ms};
  for (const auto& biller : billers_) {
    // What it does not take back stays so.
    biller->trouble() = {.refuses_back = biller->trouble().refuses_back};
    biller->ComeBack();
  }
}

void World::ResolveSome() {
  // By what the biller's books say, as a person does who has asked there.
  for (const auto& [id, payment] : oracle_.payments()) {
    if (payment.state != core::PaymentState::kReview || random_.Chance(500)) continue;
    const Biller::Entry entry = EntryOf(payment);
    core::Verdict verdict = core::Verdict::kRelease;
    if (entry.effects > entry.taken_back) {
      verdict = random_.Chance(500) ? core::Verdict::kChargeStation : core::Verdict::kWriteOff;
    }
    office_.Resolve(id, verdict);
  }
}

Biller::Entry World::EntryOf(const core::Payment& payment) const {
  const auto is_its = [&](const auto& biller) { return biller->id() == payment.biller_id; };
  const auto& books = (*std::find_if(billers_.begin(), billers_.end(), is_its))->books();
  auto it = books.find(payment.id);
  return it == books.end() ? Biller::Entry() : it->second;
}

void World::CheckEnd() {
  if (process_ == nullptr || !process_->serving()) return report_.Broken("the switch does not serve at the end");
  oracle_.CheckSettled();
  if (counters_.open() > 0) report_.Broken(fmt::format("{} requests have no end", counters_.open()));
  ResolveSome();
  counters_.AskAgain();
  if (!RunUntil(PastDeadlines())) return;
  oracle_.CheckSettled();
  oracle_.CheckLive(process_->ledger());
  for (const auto& biller : billers_) {
    for (const auto& [id, entry] : biller->books()) oracle_.CheckBooks(id, entry.effects, entry.taken_back);
  }
  for (const auto& [id, payment] : oracle_.payments()) {
    const Biller::Entry entry = EntryOf(payment);
    oracle_.CheckBooks(id, entry.effects, entry.taken_back);
  }
  if (!report_.broken().empty()) return;
  EndSwitch("the end");
  oracle_.CheckStored(durable_);
  StartSwitch();
}

}  // namespace waystation::sim
