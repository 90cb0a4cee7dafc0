#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "adapters/biller_adapter.h"

namespace waystation::adapters {

// A first request, from one station on one day.
inline PaymentRequest MakePayment(uint64_t id, std::string customer_number, core::Money amount) {
  PaymentRequest request;
  request.payment_id = core::PaymentId::FromNumber(id);
  request.station = core::StationId::FromNumber(1);
  request.customer_number = std::move(customer_number);
  request.amount = amount;
  request.accepted_at = core::TimePoint(std::chrono::milliseconds(1'795'000'000'000));
  request.business_date = core::BusinessDate::FromNumber(20261121).value();
  return request;
}

}  // namespace waystation::adapters
