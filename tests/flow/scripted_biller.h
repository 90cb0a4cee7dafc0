#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "adapters/biller_adapter.h"

namespace waystation::flow {

enum class Operation { kInquire, kPay, kQuery, kReverse, kCancel, kProbe };
inline constexpr size_t kOperations = 6;

// A biller that answers when the test says so, and what it says. Any thread.
class ScriptedBiller final : public adapters::BillerAdapter {
 public:
  using Answer = std::variant<adapters::InquiryOutcome, adapters::PayOutcome, adapters::QueryOutcome,
                              adapters::ReverseOutcome, adapters::CancelOutcome, bool>;

  // A request that is with the biller.
  struct Call {
    Operation operation;
    adapters::PaymentRequest request;  // all but kInquire and kProbe
    adapters::InquiryRequest inquiry;  // kInquire
    adapters::Deadline deadline;
    // Called once, with an answer to this operation.
    absl::AnyInvocable<void(Answer)> answer;
  };

  explicit ScriptedBiller(adapters::CapabilityCard card) : card_(std::move(card)) {}

  // The oldest call of the operation that is not answered; waits for it, and stops the process when none comes.
  Call Next(Operation operation);
  // From now on each call of the operation is answered at once.
  void Always(Operation operation, Answer answer);
  // Calls of the operation so far.
  size_t count(Operation operation) const;
  void WaitForCount(Operation operation, size_t count);
  // Forgets the calls that are not answered. Comes before the end of the worker that they came from.
  void DropCalls();

  const adapters::CapabilityCard& card() const override { return card_; }
  boost::asio::awaitable<adapters::InquiryOutcome> Inquire(adapters::InquiryRequest request,
                                                           adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::PayOutcome> Pay(adapters::PaymentRequest request,
                                                   adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::QueryOutcome> Query(adapters::PaymentRequest request,
                                                       adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::ReverseOutcome> Reverse(adapters::PaymentRequest request,
                                                           adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::CancelOutcome> Cancel(adapters::PaymentRequest request,
                                                         adapters::Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(adapters::Deadline deadline) override;

 private:
  template <typename Outcome>
  boost::asio::awaitable<Outcome> Ask(Call call);
  // The standing answer; null when there is none, and the call is to wait.
  std::optional<Answer> Count(Operation operation);
  void Add(Call call);

  const adapters::CapabilityCard card_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> waiting_;                                 // guarded by mutex_
  std::array<size_t, kOperations> counts_{};                 // guarded by mutex_
  std::array<std::optional<Answer>, kOperations> standing_;  // guarded by mutex_
};

}  // namespace waystation::flow
