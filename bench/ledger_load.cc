#include "bench/ledger_load.h"

#include "fmt/format.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::bench {

namespace {

constexpr uint64_t kFirstStation = 990'000'000'001;
constexpr char kBiller[] = "mobile";
// Odd, so that the numbers of one run reach all stations, in an order that jumps about.
constexpr uint64_t kScatter = 0x9e3779b97f4a7c15ULL;

}  // namespace

core::BusinessDate OpeningDate() {
  const absl::StatusOr<core::BusinessDate> date = core::BusinessDate::FromNumber(20'261'121);
  WS_CHECK(date.ok(), "a date that exists");
  return *date;
}

std::vector<core::Command> OpeningCommands(size_t stations) {
  std::vector<core::Command> commands;
  commands.push_back(core::RegisterBiller{kBiller});
  for (size_t i = 0; i < stations; ++i) {
    const core::StationId station = core::StationId::FromNumber(kFirstStation + i);
    commands.push_back(core::RegisterStation{station, "Load station", {}});
    commands.push_back(core::SetStationStatus{station, core::StationStatus::kApproved, ""});
    commands.push_back(core::SetStationStatus{station, core::StationStatus::kActive, ""});
    commands.push_back(core::RecordCounterPurchase{station, "opening", core::kMaxAmount, "9900000001"});
  }
  return commands;
}

core::AcceptPayment NumberedPayment(uint64_t number, size_t stations) {
  const uint64_t scattered = number * kScatter;
  return {.station = core::StationId::FromNumber(kFirstStation + (scattered >> 32) % stations),
          .operator_id = "9900000001",
          .request_id = fmt::format("b19ab3c4d5e6-127-{}", number),
          .biller_id = kBiller,
          .customer_number = fmt::format("139{:08}", scattered % 100'000'000),
          .customer_name = "",
          .amount = core::Money::Fen(5'000),
          .presented = std::nullopt};
}

core::RecordOutcome Approval(core::PaymentId payment) {
  return {.payment_id = payment,
          .event = core::PaymentEvent::kApproved,
          .decline = std::nullopt,
          .biller_reference = fmt::format("M{:016}", payment.number()),
          .voucher = "",
          .customer_name = "\u5f20*",
          .unknown_cause = ""};
}

}  // namespace waystation::bench
