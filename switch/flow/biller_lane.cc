#include "switch/flow/biller_lane.h"

#include <exception>
#include <utility>

#include "fmt/format.h"

namespace waystation::flow {

namespace asio = boost::asio;

namespace {

adapters::PaymentRequest RequestFor(const core::Payment& payment, int earlier_attempts) {
  return {.payment_id = payment.id,
          .station = payment.station,
          .customer_number = payment.customer_number,
          .amount = payment.amount,
          .accepted_at = payment.accepted_at(),
          .business_date = payment.business_date,
          .biller_reference = payment.biller_reference,
          .earlier_attempts = earlier_attempts};
}

// An adapter lets no exception out; should one come all the same, the payment must not be lost with its coroutine.
template <typename Outcome>
asio::awaitable<Outcome> Contained(asio::awaitable<Outcome> operation) {
  try {
    co_return co_await std::move(operation);
  } catch (const std::exception& e) {
    co_return adapters::Unknown{fmt::format("the adapter failed: {}", e.what())};
  } catch (...) {
    co_return adapters::Unknown{"the adapter failed"};
  }
}

}  // namespace

BillerLane::BillerLane(std::string biller_id, std::string name, std::unique_ptr<adapters::BillerAdapter> adapter,
                       const core::Clock* clock)
    : biller_id_(std::move(biller_id)), name_(std::move(name)), adapter_(std::move(adapter)), clock_(clock) {}

std::optional<BillerLane::Place> BillerLane::Enter() {
  const uint32_t before = in_flight_.fetch_add(1, std::memory_order_relaxed);
  Place place(&in_flight_);
  if (before >= card().max_in_flight) return std::nullopt;
  return place;
}

asio::awaitable<adapters::InquiryOutcome> BillerLane::Inquire(adapters::InquiryRequest request) {
  return Contained(adapter_->Inquire(std::move(request), DeadlineFromNow()));
}

asio::awaitable<adapters::PayOutcome> BillerLane::Pay(const core::Payment& payment) {
  return Contained(adapter_->Pay(RequestFor(payment, 0), DeadlineFromNow()));
}

asio::awaitable<adapters::QueryOutcome> BillerLane::Query(const core::Payment& payment, int earlier_attempts) {
  return Contained(adapter_->Query(RequestFor(payment, earlier_attempts), DeadlineFromNow()));
}

asio::awaitable<adapters::ReverseOutcome> BillerLane::Reverse(const core::Payment& payment, int earlier_attempts) {
  return Contained(adapter_->Reverse(RequestFor(payment, earlier_attempts), DeadlineFromNow()));
}

asio::awaitable<adapters::CancelOutcome> BillerLane::Cancel(const core::Payment& payment, int earlier_attempts) {
  return Contained(adapter_->Cancel(RequestFor(payment, earlier_attempts), DeadlineFromNow()));
}

adapters::Deadline BillerLane::DeadlineFromNow() const {
  return clock_->Steady() + card().time_limit;
}

}  // namespace waystation::flow
