#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "switch/core/account.h"
#include "switch/core/payment.h"

// The facts of the journal. proto/waystation/journal/v1 is their stored form and describes each field.
namespace waystation::core {

struct StationRegistered {
  StationId station;
  std::string name;
  std::vector<StationId> signing_institutions;
};

struct StationStatusSet {
  StationId station;
  StationStatus status;
  std::string reason;
};

struct CreditGranted {
  StationId station;
  Money credit_limit;
  std::string reason;
  AccountAfter after;
};

struct CounterPurchased {
  StationId station;
  std::string request_id;
  Money amount;
  std::string clerk_id;
  AccountAfter after;
};

struct BillerRegistered {
  std::string biller_id;
};

struct BillerStatusSet {
  std::string biller_id;
  bool enabled;
  std::string reason;
};

struct DayCut {
  BusinessDate closed;
  BusinessDate opened;
};

struct PaymentAccepted {
  StationId station;
  std::string operator_id;
  std::string request_id;
  std::string biller_id;
  std::string customer_number;
  std::string customer_name;
  Money amount;
  std::optional<Decline> decline;  // set: declined at once; null: held
  AccountAfter after;
};

struct PaymentMoved {
  PaymentId payment_id;
  StationId station;
  PaymentEvent event;
  PaymentState state;
  std::optional<Decline> decline;
  std::string biller_reference;
  std::string voucher;
  std::string customer_name;
  std::string unknown_cause;
  std::string operator_id;  // who asked for the cancel
  AccountAfter after;
  std::optional<Payment> reopened;
  std::optional<Resolution> resolution;  // with kAdjusted
};

// What one person would have done about a payment in REVIEW; a later one takes its place.
struct ResolutionProposed {
  PaymentId payment_id;
  StationId station;
  Resolution resolution;
};

// A ledger that lacks legs it had goes on, under sequence numbers that were never given; this leg has the first.
struct JournalResumed {
  std::string confirmed_by;
  std::string reason;
};

using Fact = std::variant<StationRegistered, StationStatusSet, CreditGranted, CounterPurchased, BillerRegistered,
                          BillerStatusSet, DayCut, PaymentAccepted, PaymentMoved, ResolutionProposed, JournalResumed>;

struct Leg {
  uint64_t sequence = 0;
  Fact fact;
};

// What a block says for all of its legs. A day cut is the last leg of its block.
struct BlockStamp {
  TimePoint time;
  BusinessDate business_date;
};

}  // namespace waystation::core
