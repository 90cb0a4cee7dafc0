#include "bench/message_size.h"

#include <algorithm>

namespace waystation::bench {

namespace {

constexpr size_t kShortPayload = 128;  // from here on the length takes two bytes
constexpr size_t kShortFrame = 2;      // tag and a length of one byte
constexpr size_t kLongFrame = 3;

void AddChange(v1::Payment& payment, uint64_t sequence, v1::PaymentState state, int64_t at_ms) {
  v1::StateChange& change = *payment.add_history();
  change.set_sequence(sequence);
  change.set_state(state);
  change.set_changed_at_ms(at_ms);
  change.set_business_date("2026-11-21");
}

}  // namespace

v1::PayRequest TypicalPayRequest() {
  v1::PayRequest request;
  request.set_station_id("990000000001");
  request.set_operator_id("9900000001");
  request.set_request_id("b19ab3c4d5e6-127-12345");
  request.set_biller_id("mobile");
  request.set_customer_number("13912345678");
  request.set_amount_fen(5'000);
  return request;
}

v1::PayResponse TypicalPayResponse() {
  constexpr int64_t kAcceptedAtMs = 1'795'219'200'000;
  const v1::PayRequest request = TypicalPayRequest();
  v1::PayResponse response;
  v1::Payment& payment = *response.mutable_payment();
  payment.set_payment_id("12345678");
  payment.set_station_id(request.station_id());
  payment.set_operator_id(request.operator_id());
  payment.set_request_id(request.request_id());
  payment.set_biller_id(request.biller_id());
  payment.set_customer_number(request.customer_number());
  payment.set_customer_name("\u5f20*");
  payment.set_amount_fen(request.amount_fen());
  payment.set_state(v1::PAYMENT_STATE_SUCCEEDED);
  payment.set_biller_reference("M0000000012345678");
  payment.set_business_date("2026-11-21");
  payment.set_accepted_at_ms(kAcceptedAtMs);
  payment.set_changed_at_ms(kAcceptedAtMs + 1);
  payment.set_sequence(12'345'679);
  payment.set_owner(v1::PAYMENT_OWNER_NOBODY);
  payment.set_next_action(v1::NEXT_ACTION_NONE);
  AddChange(payment, 12'345'678, v1::PAYMENT_STATE_HELD, kAcceptedAtMs);
  AddChange(payment, 12'345'679, v1::PAYMENT_STATE_SUCCEEDED, kAcceptedAtMs + 1);
  return response;
}

size_t PayloadFor(size_t message_bytes) {
  if (message_bytes <= kShortFrame) return 0;
  if (message_bytes - kShortFrame < kShortPayload) return message_bytes - kShortFrame;
  return std::max(message_bytes - kLongFrame, kShortPayload - 1);
}

}  // namespace waystation::bench
