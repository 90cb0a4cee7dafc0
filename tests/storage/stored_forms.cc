#include "tests/storage/stored_forms.h"

#include <type_traits>

#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

using core::BusinessDate;
using core::Money;
using core::PaymentEvent;
using core::PaymentId;
using core::PaymentState;
using core::StationId;

// --- what makes two facts equal ---
auto Fields(const core::StationRegistered& f) {
  return std::tie(f.station, f.name, f.signing_institutions);
}
auto Fields(const core::StationStatusSet& f) {
  return std::tie(f.station, f.status, f.reason);
}
auto Fields(const core::CreditGranted& f) {
  return std::tie(f.station, f.credit_limit, f.reason, f.after);
}
auto Fields(const core::CounterPurchased& f) {
  return std::tie(f.station, f.request_id, f.amount, f.clerk_id, f.after);
}
auto Fields(const core::BillerRegistered& f) {
  return std::tie(f.biller_id);
}
auto Fields(const core::BillerStatusSet& f) {
  return std::tie(f.biller_id, f.enabled, f.reason);
}
auto Fields(const core::DayCut& f) {
  return std::tie(f.closed, f.opened);
}
auto Fields(const core::PaymentAccepted& f) {
  return std::tie(f.station, f.operator_id, f.request_id, f.biller_id, f.customer_number, f.customer_name, f.amount,
                  f.decline, f.after);
}
auto Fields(const core::PaymentMoved& f) {
  return std::tie(f.payment_id, f.station, f.event, f.state, f.decline, f.biller_reference, f.voucher, f.customer_name,
                  f.unknown_cause, f.operator_id, f.after, f.reopened, f.resolution);
}
auto Fields(const core::ResolutionProposed& f) {
  return std::tie(f.payment_id, f.station, f.resolution);
}
auto Fields(const core::JournalResumed& f) {
  return std::tie(f.confirmed_by, f.reason);
}

// --- random values ---
template <typename T>
T Any() {
  return *rc::gen::arbitrary<T>();
}
template <typename T>
T AnyOf(const std::vector<T>& values) {
  return *rc::gen::elementOf(values);
}
std::string AnyText() {
  return *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '\x7f'));
}
Money AnyMoney() {
  return Money::Fen(Any<int64_t>());
}
StationId AnyStation() {
  return StationId::FromNumber(Any<uint64_t>());
}
BusinessDate AnyDate() {
  // To 9999-12-31.
  return BusinessDate::FromDays(std::chrono::sys_days(std::chrono::days(*rc::gen::inRange(0, 2'932'897))));
}
core::TimePoint AnyTime() {
  return core::TimePoint(std::chrono::milliseconds(Any<int64_t>()));
}
PaymentState AnyState() {
  return AnyOf(std::vector(core::kAllPaymentStates.begin(), core::kAllPaymentStates.end()));
}
core::AccountAfter AnyAfter() {
  return {AnyMoney(), AnyMoney(), AnyMoney()};
}
core::Decline AnyDecline() {
  const auto reason = static_cast<uint32_t>(*rc::gen::inRange(1, core::kLastDeclineReason + 1));
  return {*core::DeclineReasonFromNumber(reason), AnyText(), AnyText()};
}
core::Resolution AnyResolution() {
  const auto verdict = static_cast<uint32_t>(*rc::gen::inRange(1, core::kLastVerdict + 1));
  return {*core::VerdictFromNumber(verdict), AnyText(), AnyText(), AnyText(), Any<uint64_t>()};
}
core::StationStatus AnyStatus() {
  return *core::StationStatusFromNumber(static_cast<uint32_t>(*rc::gen::inRange(1, 6)));
}
std::vector<StationId> AnyInstitutions() {
  std::vector<StationId> institutions(static_cast<size_t>(*rc::gen::inRange(0, 4)));
  for (StationId& institution : institutions) institution = AnyStation();
  return institutions;
}

core::Payment MakePayment() {
  core::Payment p;
  p.id = PaymentId::FromNumber(Any<uint64_t>());
  p.station = AnyStation();
  p.operator_id = AnyText();
  p.request_id = AnyText();
  p.biller_id = AnyText();
  p.customer_number = AnyText();
  p.customer_name = AnyText();
  p.amount = AnyMoney();
  if (Any<bool>()) p.decline = AnyDecline();
  p.biller_reference = AnyText();
  p.voucher = AnyText();
  p.unknown_cause = AnyText();
  if (Any<bool>()) p.resolution = AnyResolution();
  p.business_date = AnyDate();
  const int changes = *rc::gen::inRange<int>(2, static_cast<int>(core::kMaxStateChanges) + 1);
  for (int i = 0; i < changes; ++i) p.history.push_back({Any<uint64_t>(), AnyState(), AnyTime(), AnyDate()});
  p.history.front().state = PaymentState::kHeld;
  p.state = p.history.back().state;
  return p;
}

core::Fact MakeFact() {
  switch (*rc::gen::inRange(0, 11)) {
    case 0: return core::StationRegistered{AnyStation(), AnyText(), AnyInstitutions()};
    case 1: return core::StationStatusSet{AnyStation(), AnyStatus(), AnyText()};
    case 2: return core::CreditGranted{AnyStation(), AnyMoney(), AnyText(), AnyAfter()};
    case 3: return core::CounterPurchased{AnyStation(), AnyText(), AnyMoney(), AnyText(), AnyAfter()};
    case 4: return core::BillerRegistered{AnyText()};
    case 5: return core::BillerStatusSet{AnyText(), Any<bool>(), AnyText()};
    case 6: return core::DayCut{AnyDate(), AnyDate()};
    case 7: {
      core::PaymentAccepted f{AnyStation(), AnyText(),  AnyText(),    AnyText(), AnyText(),
                              AnyText(),    AnyMoney(), std::nullopt, AnyAfter()};
      if (Any<bool>()) f.decline = AnyDecline();
      return f;
    }
    case 8: return core::ResolutionProposed{PaymentId::FromNumber(Any<uint64_t>()), AnyStation(), AnyResolution()};
    case 9: return core::JournalResumed{AnyText(), AnyText()};
    default: {
      core::PaymentMoved f{PaymentId::FromNumber(Any<uint64_t>()),
                           AnyStation(),
                           AnyOf(std::vector(core::kAllPaymentEvents.begin(), core::kAllPaymentEvents.end())),
                           AnyState(),
                           std::nullopt,
                           AnyText(),
                           AnyText(),
                           AnyText(),
                           AnyText(),
                           AnyText(),
                           AnyAfter(),
                           std::nullopt,
                           std::nullopt};
      if (Any<bool>()) f.decline = AnyDecline();
      if (Any<bool>()) f.reopened = MakePayment();
      if (Any<bool>()) f.resolution = AnyResolution();
      return f;
    }
  }
}

core::Account MakeAccount() {
  core::Account a;
  a.kind = *core::AccountKindFromNumber(static_cast<uint32_t>(*rc::gen::inRange(1, 7)));
  a.balance = AnyMoney();
  if (a.kind == core::AccountKind::kStation) {
    a.station = AnyStation();
    a.reserved = AnyMoney();
    a.forwarded = AnyMoney();
    a.credit_limit = AnyMoney();
    a.status = AnyStatus();
    a.status_reason = AnyText();
    a.name = AnyText();
    a.signing_institutions = AnyInstitutions();
    a.opened = AnyDate();
  }
  if (a.kind == core::AccountKind::kBillerPayable) {
    a.biller_id = AnyText();
    a.biller_enabled = Any<bool>();
    a.status_reason = AnyText();
  }
  return a;
}

BusinessDate Date(uint32_t yyyymmdd) {
  return *BusinessDate::FromNumber(yyyymmdd);
}

const StationId kStation = StationId::FromNumber(440'106'000'017);
const core::AccountAfter kAfter{Money::Fen(-150), Money::Fen(20), Money::Fen(30)};
const core::Resolution kResolution{core::Verdict::kWriteOff, "the biller insists", "clerk 7", "clerk 8"};
const core::Decline kDecline{core::DeclineReason::kBillerDeclined, "51", "余额不足"};

}  // namespace

core::Payment SamplePayment() {
  core::Payment p;
  p.id = PaymentId::FromNumber(70);
  p.station = kStation;
  p.operator_id = "0000000001";
  p.request_id = "R1";
  p.biller_id = "mobile";
  p.customer_number = "13800000000";
  p.customer_name = "*明";
  p.amount = Money::Fen(5'000);
  p.state = PaymentState::kReview;
  p.decline = kDecline;
  p.biller_reference = "B70";
  p.voucher = "12345678901234567890";
  p.unknown_cause = "no answer in time";
  p.resolution = {core::Verdict::kRelease, "not in the biller's file", "clerk 7", ""};
  p.business_date = Date(20261121);
  const core::TimePoint time = Date(20261121).days() + std::chrono::hours(9);
  p.history = {{70, PaymentState::kHeld, time, Date(20261121)},
               {71, PaymentState::kUnknown, time + std::chrono::seconds(10), Date(20261121)},
               {99, PaymentState::kReview, time + std::chrono::hours(24), Date(20261122)}};
  return p;
}

core::Purchase SamplePurchase() {
  return {.sequence = 12,
          .station = kStation,
          .request_id = "P1",
          .amount = Money::Fen(50'000),
          .clerk_id = "clerk 7",
          .balance_after = Money::Fen(-49'000),
          .business_date = Date(20261121),
          .time = Date(20261121).days() + std::chrono::milliseconds(1)};
}

std::vector<core::Account> SampleAccounts() {
  std::vector<core::Account> accounts(6);
  core::Account& station = accounts[0];
  station.station = kStation;
  station.balance = Money::Fen(-1);
  station.reserved = Money::Fen(2);
  station.forwarded = Money::Fen(3);
  station.credit_limit = Money::Fen(4);
  station.status = core::StationStatus::kSuspended;
  station.status_reason = "moved";
  station.name = "便民服务站";
  station.signing_institutions = {StationId::FromNumber(1), StationId::FromNumber(2)};
  station.opened = Date(20260301);
  accounts[1].kind = core::AccountKind::kBillerPayable;
  accounts[1].balance = Money::Fen(9);
  accounts[1].biller_id = "gas";
  accounts[1].biller_enabled = false;
  accounts[1].status_reason = "maintenance";
  const core::AccountKind kinds[] = {core::AccountKind::kBankClearing, core::AccountKind::kCounterClearing,
                                     core::AccountKind::kCommission, core::AccountKind::kSuspense};
  for (size_t i = 0; i < std::size(kinds); ++i) {
    accounts[2 + i].kind = kinds[i];
    accounts[2 + i].balance = Money::Fen(-static_cast<int64_t>(i));
  }
  return accounts;
}

std::vector<core::Leg> SampleLegs() {
  core::Payment at_rest = SamplePayment();
  at_rest.history.pop_back();
  at_rest.history.back().state = at_rest.state = PaymentState::kSucceeded;
  const std::vector<core::Fact> facts = {
      core::StationRegistered{kStation, "便民服务站", {StationId::FromNumber(1), StationId::FromNumber(2)}},
      core::StationRegistered{},
      core::StationStatusSet{kStation, core::StationStatus::kClosed, "moved"},
      core::StationStatusSet{kStation, core::StationStatus::kApplied, ""},
      core::CreditGranted{kStation, Money::Fen(700), "season", kAfter},
      core::CreditGranted{},
      core::CounterPurchased{kStation, "P1", Money::Fen(50'000), "clerk 7", kAfter},
      core::CounterPurchased{},
      core::BillerRegistered{"gas"},
      core::BillerRegistered{},
      core::BillerStatusSet{"gas", true, "back again"},
      core::BillerStatusSet{},
      core::DayCut{Date(20261121), Date(20261122)},
      core::PaymentAccepted{kStation, "0000000001", "R1", "gas", "0551", "*明", Money::Fen(1), std::nullopt, kAfter},
      core::PaymentAccepted{kStation, "0000000001", "R1", "gas", "0551", "", Money::Fen(1), kDecline, kAfter},
      core::PaymentAccepted{},
      core::PaymentMoved{PaymentId::FromNumber(70), kStation, PaymentEvent::kCancelStarted, PaymentState::kCancelling,
                         kDecline, "B70", "1234", "*明", "no answer", "0000000002", kAfter, at_rest, std::nullopt},
      core::PaymentMoved{PaymentId(), StationId(), PaymentEvent::kApproved, PaymentState::kSucceeded, std::nullopt, "",
                         "", "", "", "", core::AccountAfter(), std::nullopt, std::nullopt},
      core::PaymentMoved{PaymentId::FromNumber(70), kStation, PaymentEvent::kAdjusted, PaymentState::kAdjusted,
                         std::nullopt, "", "", "", "late success", "", kAfter, std::nullopt, kResolution},
      core::ResolutionProposed{PaymentId::FromNumber(70), kStation, kResolution},
      core::JournalResumed{"8000000001", "host 7 is unplugged"}};
  std::vector<core::Leg> legs;
  for (const core::Fact& fact : facts) legs.push_back({legs.size() + 1, fact});
  return legs;
}

bool Same(const core::Fact& a, const core::Fact& b) {
  return std::visit(
      [](const auto& left, const auto& right) {
        if constexpr (std::is_same_v<decltype(left), decltype(right)>) {
          return Fields(left) == Fields(right);
        } else {
          return false;
        }
      },
      a, b);
}

bool Same(const core::Account& a, const core::Account& b) {
  const auto fields = [](const core::Account& x) {
    return std::tie(x.kind, x.balance, x.station, x.reserved, x.forwarded, x.credit_limit, x.status, x.status_reason,
                    x.name, x.signing_institutions, x.opened, x.biller_id, x.biller_enabled);
  };
  return fields(a) == fields(b);
}

rc::Gen<core::Payment> AnyPayment() {
  return rc::gen::exec(MakePayment);
}

rc::Gen<core::Purchase> AnyPurchase() {
  return rc::gen::exec([] {
    return core::Purchase{Any<uint64_t>(), AnyStation(), AnyText(), AnyMoney(),
                          AnyText(),       AnyMoney(),   AnyDate(), AnyTime()};
  });
}

rc::Gen<core::Account> AnyAccount() {
  return rc::gen::exec(MakeAccount);
}

rc::Gen<core::Fact> AnyFact() {
  return rc::gen::exec(MakeFact);
}

}  // namespace waystation::storage
