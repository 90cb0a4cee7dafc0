#include "switch/flow/biller_lane.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"

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

std::optional<BillerLane::Place> BillerLane::Enter(Traffic traffic) {
  const uint32_t all = card().max_in_flight;
  const uint32_t share = std::clamp<uint32_t>(all / 4, 1, core::kMaxResolvingPerBiller);
  std::atomic<uint32_t>* taken = &of_stations_;
  uint32_t limit = all - share;
  if (traffic == Traffic::kLateApprovals) {
    taken = &late_approvals_;
    limit = core::kMaxLateApprovalsPerBiller;
  } else if (all == 1) {
    limit = 1;
  } else if (traffic == Traffic::kResolver) {
    taken = &of_resolver_;
    limit = share;
  }
  const uint32_t before = taken->fetch_add(1, std::memory_order_relaxed);
  Place place(taken);
  if (before >= limit) return std::nullopt;
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
