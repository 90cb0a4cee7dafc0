#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/biller_adapter.h"
#include "boost/asio/awaitable.hpp"
#include "switch/core/clock.h"
#include "switch/core/payment.h"

namespace waystation::flow {

// The way to one biller: its adapter, the deadline of each operation, and the bound on requests in flight.
//
// Threads: any; operations run on the io_context of whoever awaits them.
//
// Limits: requests take a place, and no more have one than the card's max_in_flight. A share of them is the resolver's
// (a quarter, 1 to kMaxResolvingPerBiller), the rest the stations', so that neither waits for the other; the only place
// of a card that allows one is taken by whoever comes first. What a biller does to the others is only what the
// machine's shared cores allow.
class BillerLane {
 public:
  enum class Traffic {
    kStations,       // inquiries, payments, first cancels
    kResolver,       // queries, reversal advice, repeated cancels
    kLateApprovals,  // come from the biller, and have places of their own: kMaxLateApprovalsPerBiller
  };

  // A place among the requests in flight, given back when it ends.
  class Place {
   public:
    explicit Place(std::atomic<uint32_t>* in_flight) : in_flight_(in_flight) {}
    Place(Place&& other) noexcept : in_flight_(std::exchange(other.in_flight_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(in_flight_, other.in_flight_);
      return *this;
    }
    ~Place() {
      if (in_flight_ != nullptr) in_flight_->fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    std::atomic<uint32_t>* in_flight_;
  };

  // The clock outlives the lane.
  BillerLane(std::string biller_id, std::string name, std::unique_ptr<adapters::BillerAdapter> adapter,
             const core::Clock* clock);

  const std::string& biller_id() const { return biller_id_; }
  const std::string& name() const { return name_; }
  const adapters::CapabilityCard& card() const { return adapter_->card(); }

  // Null when as many have a place as may.
  std::optional<Place> Enter(Traffic traffic);

  boost::asio::awaitable<adapters::InquiryOutcome> Inquire(adapters::InquiryRequest request);
  boost::asio::awaitable<adapters::PayOutcome> Pay(const core::Payment& payment);
  boost::asio::awaitable<adapters::QueryOutcome> Query(const core::Payment& payment, int earlier_attempts);
  boost::asio::awaitable<adapters::ReverseOutcome> Reverse(const core::Payment& payment, int earlier_attempts);
  boost::asio::awaitable<adapters::CancelOutcome> Cancel(const core::Payment& payment, int earlier_attempts);

 private:
  adapters::Deadline DeadlineFromNow() const;

  const std::string biller_id_;
  const std::string name_;
  const std::unique_ptr<adapters::BillerAdapter> adapter_;
  const core::Clock* const clock_;
  std::atomic<uint32_t> of_stations_{0};
  std::atomic<uint32_t> of_resolver_{0};
  std::atomic<uint32_t> late_approvals_{0};
};

}  // namespace waystation::flow
