#include "tests/sim/stations.h"

#include <algorithm>
#include <utility>

namespace waystation::sim {

using core::Money;
using flow::PaymentFlow;

Stations::Stations(EventQueue* events, Random* random, Report* report, Oracle* oracle, Door door)
    : events_(events), random_(random), report_(report), oracle_(oracle), door_(std::move(door)) {}

void Stations::Open(const std::vector<core::StationId>& stations, const std::vector<std::string>& billers, int payments,
                    std::chrono::milliseconds within) {
  for (int i = 0; i < payments; ++i) {
    const core::StationId station = stations[random_->Below(stations.size())];
    const std::string& biller = billers[random_->Below(billers.size())];
    wishes_.push_back({.station = station,
                       .request_id = fmt::format("R{}", i),
                       .biller_id = biller,
                       .amount = Money::Fen(random_->Between(1, 200) * 100),
                       .to_cancel = {}});
    Wish* wish = &wishes_.back();
    const std::chrono::milliseconds at = random_->Millis(0, within.count());
    events_->After(at, [this, wish] { Pay(wish, wish->amount); });
    // The counter's clerk presses the key twice; or a program takes one id for two payments.
    if (random_->Chance(60)) {
      events_->After(at + random_->Millis(0, 5), [this, wish] { Pay(wish, wish->amount); });
    }
    if (random_->Chance(40)) {
      events_->After(at + random_->Millis(0, 3'000), [this, wish] { Pay(wish, wish->amount + Money::Fen(100)); });
    }
    if (random_->Chance(60)) events_->After(at, [this, station, biller] { Inquire(station, biller); });
  }
}

void Stations::AskAgain() {
  for (Wish& wish : wishes_) Pay(&wish, wish.amount);
}

size_t Stations::open() const {
  size_t count = 0;
  for (const Wish& wish : wishes_) count += wish.known ? 0 : 1;
  return count;
}

std::chrono::milliseconds Stations::Longer(Wish* wish) {
  constexpr std::chrono::milliseconds kLongest{60'000};
  wish->patience = std::min(2 * wish->patience, kLongest);
  return wish->patience;
}

Stations::Heard Stations::Await(std::chrono::milliseconds time, std::function<void()> again) {
  auto heard = std::make_shared<bool>(false);
  events_->After(time, [heard, again = std::move(again)] {
    if (!*heard) again();
  });
  return heard;
}

void Stations::Carry(std::function<void()> deliver) {
  if (random_->Chance(20)) return;
  events_->After(random_->Millis(0, 20), std::move(deliver));
}

void Stations::Pay(Wish* wish, Money amount) {
  const auto again = [this, wish, amount] { Pay(wish, amount); };
  SwitchProcess* process = door_();
  if (process == nullptr) return events_->After(Longer(wish), again);
  const std::chrono::milliseconds wait = random_->Millis(20, 3'000);
  report_->Trace("station", "{} {}: {} fen to {}, waits {} ms", wish->station.number() % 100, wish->request_id,
                 amount.fen(), wish->biller_id, wait.count());
  flow::PayOrder order{.station = wish->station,
                       .operator_id = "0000000001",
                       .request_id = wish->request_id,
                       .biller_id = wish->biller_id,
                       .customer_number = "13800000000",
                       .amount = amount,
                       .inquiry = {},
                       .answer_by = events_->now() + wait};
  const Heard heard = Await(wait + Longer(wish), again);
  process->FlowOf(wish->station).Pay(std::move(order), [this, wish, amount, heard](PaymentFlow::Result result) {
    CheckResult(*wish, result);
    Carry([this, wish, amount, heard, result = std::move(result)] {
      *heard = true;
      OnPaid(wish, amount, result);
    });
  });
}

void Stations::CheckResult(const Wish& wish, const PaymentFlow::Result& result) {
  ++answers_;
  if (!result.status.ok()) {
    report_->Trace("station", "{} {} is told: {}", wish.station.number() % 100, wish.request_id,
                   std::string(result.status.message()));
    return;
  }
  report_->Trace("station", "{} {} is told: payment {} is {}{}", wish.station.number() % 100, wish.request_id,
                 result.payment.id.number(), core::Name(result.payment.state),
                 result.decline.has_value() ? ", declined" : "");
  oracle_->OnAnswer(result.payment);
}

void Stations::OnPaid(Wish* wish, Money amount, const PaymentFlow::Result& result) {
  if (absl::IsAlreadyExists(result.status)) {
    const core::Payment* first = oracle_->FindRequest(wish->station, wish->request_id);
    const bool differs =
        first != nullptr ? first->amount != amount : oracle_->HasPurchase(wish->station, wish->request_id);
    if (!differs) report_->Broken(fmt::format("{} was refused for other content, and has none", wish->request_id));
    if (amount == wish->amount) wish->known = true;
    return;
  }
  // Too many at once, or its request id could not be looked up: nothing was done.
  if (absl::IsResourceExhausted(result.status) || absl::IsUnavailable(result.status)) {
    return events_->After(Longer(wish), [this, wish, amount] { Pay(wish, amount); });
  }
  if (!result.status.ok()) return report_->Broken(std::string(result.status.message()));

  const core::Payment& payment = result.payment;
  if (payment.request_id != wish->request_id || payment.amount != amount || payment.station != wish->station ||
      payment.biller_id != wish->biller_id) {
    return report_->Broken(
        fmt::format("{} was answered with payment {} of other content", wish->request_id, payment.id.ToString()));
  }
  if (!flow::HasSettled(payment.state)) {
    return events_->After(Longer(wish), [this, wish, amount] { Pay(wish, amount); });
  }
  if (amount == wish->amount) wish->known = true;
  if (payment.state != core::PaymentState::kSucceeded || wish->to_cancel != core::PaymentId()) return;
  if (!random_->Chance(200)) return;
  wish->to_cancel = payment.id;
  events_->After(random_->Millis(0, 5'000), [this, wish] { Cancel(wish); });
}

void Stations::Cancel(Wish* wish) {
  if (wish->cancel_known) return;
  const auto again = [this, wish] { Cancel(wish); };
  SwitchProcess* process = door_();
  if (process == nullptr) return events_->After(Longer(wish), again);
  const std::chrono::milliseconds wait = random_->Millis(20, 3'000);
  report_->Trace("station", "{} {}: cancels payment {}", wish->station.number() % 100, wish->request_id,
                 wish->to_cancel.number());
  flow::CancelOrder order{.station = wish->station,
                          .operator_id = "0000000001",
                          .payment_id = wish->to_cancel,
                          .biller_id = wish->biller_id,
                          .answer_by = events_->now() + wait};
  const Heard heard = Await(wait + Longer(wish), again);
  process->FlowOf(wish->station).Cancel(std::move(order), [this, wish, heard](PaymentFlow::Result result) {
    CheckResult(*wish, result);
    Carry([this, wish, heard, result = std::move(result)] {
      *heard = true;
      OnCancelled(wish, result);
    });
  });
}

void Stations::OnCancelled(Wish* wish, const PaymentFlow::Result& result) {
  // Too many at once, or its request id could not be looked up: nothing was done.
  if (absl::IsResourceExhausted(result.status) || absl::IsUnavailable(result.status)) {
    return events_->After(Longer(wish), [this, wish] { Cancel(wish); });
  }
  if (!result.status.ok()) return report_->Broken(std::string(result.status.message()));
  wish->cancel_known = result.decline.has_value() || flow::HasSettled(result.payment.state);
  if (!wish->cancel_known) events_->After(Longer(wish), [this, wish] { Cancel(wish); });
}

void Stations::Inquire(core::StationId station, const std::string& biller_id) {
  SwitchProcess* process = door_();
  if (process == nullptr) return;
  process->FlowOf(station).Inquire({station, biller_id, "13800000000"}, [](const PaymentFlow::InquiryResult&) {});
}

}  // namespace waystation::sim
