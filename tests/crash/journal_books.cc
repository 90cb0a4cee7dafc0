#include "tests/crash/journal_books.h"

#include "fmt/format.h"
#include "switch/core/payment.h"

namespace waystation::crash {
namespace {

std::string StationId(uint64_t number) {
  return fmt::format("{:012}", number);
}

void Enter(const journal::v1::CounterPurchased& fact, JournalBooks* books) {
  JournalBooks::Station& station = books->stations[StationId(fact.station())];
  ++station.request_ids[fact.request_id()];
  station.balance_fen = fact.after().balance_fen();
}

void Enter(uint64_t sequence, const journal::v1::PaymentAccepted& fact, JournalBooks* books) {
  JournalBooks::Station& station = books->stations[StationId(fact.station())];
  ++station.request_ids[fact.request_id()];
  station.balance_fen = fact.after().balance_fen();
  station.payments[std::to_string(sequence)] = {fact.request_id(), fact.amount_fen(), {fact.state()}, 0};
}

void Enter(uint64_t sequence, const journal::v1::PaymentMoved& fact, JournalBooks* books) {
  JournalBooks::Station& station = books->stations[StationId(fact.station())];
  station.balance_fen = fact.after().balance_fen();
  const auto payment = station.payments.find(std::to_string(fact.payment_id()));
  if (payment == station.payments.end()) {
    books->strays.push_back(sequence);
    return;
  }
  payment->second.states.push_back(fact.state());
  if (fact.event() == static_cast<uint32_t>(core::PaymentEvent::kApproved)) ++payment->second.captures;
}

}  // namespace

JournalBooks JournalBooks::Read(const std::vector<journal::v1::Leg>& legs) {
  JournalBooks books;
  for (const journal::v1::Leg& leg : legs) {
    // Also one that has sent nothing.
    if (leg.has_station_registered()) books.stations[StationId(leg.station_registered().station())];
    if (leg.has_counter_purchased()) Enter(leg.counter_purchased(), &books);
    if (leg.has_payment_accepted()) Enter(leg.sequence(), leg.payment_accepted(), &books);
    if (leg.has_payment_moved()) Enter(leg.sequence(), leg.payment_moved(), &books);
  }
  return books;
}

}  // namespace waystation::crash
