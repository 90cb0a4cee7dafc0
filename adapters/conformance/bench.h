#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/biller_adapter.h"
#include "adapters/conformance/suite.h"
#include "adapters/outcome_text.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "fmt/format.h"

namespace waystation::adapters::conformance {

// Late approvals as they come; any thread. The first telling of a payment is said not to be recorded, so that it comes
// again; then it is.
class LateList final : public LateApprovals {
 public:
  struct Telling {
    core::StationId station;
    core::PaymentId payment;
    Approved approved;
  };

  void OnLateApproval(core::StationId station, core::PaymentId payment, Approved approved, Recorded recorded) override;
  std::vector<Telling> Of(core::PaymentId payment) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Telling> tellings_;
};

// One check at work: the adapter, and the faults that were found. One thread.
class Bench {
 public:
  explicit Bench(const Target& target);

  bool ready() const { return biller_ != nullptr; }
  BillerAdapter& biller() { return *biller_; }
  const CapabilityCard& card() const { return biller_->card(); }
  const Scenario& scenario() const { return target_.scenario; }
  const Customer& good() const { return target_.scenario.good.front(); }
  bool is_process() const { return target_.is_process; }
  std::chrono::milliseconds patience() const { return target_.patience; }
  std::chrono::milliseconds silence_limit() const { return target_.silence_limit; }
  std::chrono::milliseconds late_limit() const { return target_.late_limit; }
  std::chrono::milliseconds settling_limit() const { return target_.settling_limit; }
  std::chrono::milliseconds denial_watch() const { return target_.denial_watch; }
  const LateList& late() const { return late_; }

  // --- the outcome ---
  // Notes what is wrong unless `holds`; returns `holds`.
  bool Expect(bool holds, std::string fault);
  // The check says nothing of this target.
  void NotApplicable(std::string why);
  // What a check that passes has left out.
  void Note(std::string left_out);
  Result Take(std::string_view check);

  // --- what checks need ---
  // Another one; null, and a fault, when it can't be made.
  std::unique_ptr<BillerAdapter> MakeBiller(const Settings& extra);
  // Another one after a restart of what is behind it, once that answers; null, and a fault, when it does not. The one
  // before may have lost its way by then.
  std::unique_ptr<BillerAdapter> Restart();
  // By when an operation that is to succeed must have answered.
  Deadline Soon() const { return In(card().time_limit); }
  static Deadline In(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
  InquiryRequest Inquiry(const Customer& customer) const;
  // A payment with an id of its own that the card allows: of what is owed where the biller goes by that, else of the
  // least amount. Null where a bill is paid exactly and nothing is owed, as when it was paid before: the check leaves
  // the customer out.
  std::optional<PaymentRequest> NewPayment(const Customer& customer);
  // Payments of customers for whom all goes well, `most` of them; fewer where each bill is paid once and not as many
  // owe something. Not applicable below `least`.
  std::vector<PaymentRequest> NewGoodPayments(size_t least, size_t most);
  // One of them, or null.
  std::optional<PaymentRequest> NewGoodPayment();
  // Fault unless the books have the payment `times` times. Nothing where they can't be looked into.
  void ExpectEffects(const PaymentRequest& request, int times);
  // Fault when a query says that the payment took effect, or the books do.
  void ExpectNoEffect(const PaymentRequest& request);

  // The answer. A fault, and Unknown, where none comes within patience() of the deadline, or an exception does.
  template <typename Outcome>
  Outcome Ask(std::string_view what, boost::asio::awaitable<Outcome> operation, Deadline deadline);
  bool AskProbe(BillerAdapter& biller, Deadline deadline);
  // Pays all of them at once; the answers in the same order.
  std::vector<PayOutcome> PayTogether(const std::vector<PaymentRequest>& requests, Deadline deadline);
  // Lets what runs on run until then.
  void WaitUntil(Deadline time);
  // Lets what runs on run until `done` says so; whether it did within `limit`.
  template <typename Done>
  bool RunUntil(Done done, Deadline limit);

 private:
  bool ScenarioSaysFound(const Customer& customer) const;
  std::optional<PaymentRequest> TryPayment(const Customer& customer);

  const Target& target_;
  boost::asio::io_context io_;  // outlives the adapters, which may have timers and sockets on it
  LateList late_;
  std::unique_ptr<BillerAdapter> biller_;
  std::vector<std::string> faults_;
  std::optional<std::string> not_applicable_;
  std::vector<std::string> notes_;
  std::vector<std::string> left_out_;  // customers who owe nothing any more
  size_t payments_ = 0;
};

// "13800138092 (cut in the middle of the answer)".
std::string Name(const Customer& customer);

template <typename Done>
bool Bench::RunUntil(Done done, Deadline limit) {
  // Looked at so often, for what comes on other threads.
  constexpr std::chrono::milliseconds kLook{10};
  while (!done()) {
    if (std::chrono::steady_clock::now() >= limit) return false;
    auto work = boost::asio::make_work_guard(io_);
    io_.restart();
    io_.run_one_for(kLook);
  }
  return true;
}

template <typename Outcome>
Outcome Bench::Ask(std::string_view what, boost::asio::awaitable<Outcome> operation, Deadline deadline) {
  struct Answer {
    std::optional<Outcome> outcome;
    bool thrown = false;
  };
  // Shared with a completion that may come when nobody waits for it any more.
  const auto answer = std::make_shared<Answer>();
  boost::asio::co_spawn(io_, std::move(operation), [answer](std::exception_ptr thrown, Outcome outcome) {
    answer->thrown = thrown != nullptr;
    answer->outcome = std::move(outcome);
  });
  const Deadline now = std::chrono::steady_clock::now();
  if (!RunUntil([&answer] { return answer->outcome.has_value(); }, std::max(now, deadline) + patience())) {
    Expect(false, fmt::format("{} ignores its deadline: no answer {} ms after it", what, patience().count()));
    return Outcome(Unknown{"no answer"});
  }
  if (!Expect(!answer->thrown, fmt::format("an exception left {}", what))) {
    return Outcome(Unknown{"an exception"});
  }
  return *std::move(answer->outcome);
}

}  // namespace waystation::adapters::conformance
