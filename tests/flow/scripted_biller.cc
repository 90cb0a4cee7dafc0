#include "tests/flow/scripted_biller.h"

#include <algorithm>
#include <utility>

#include "boost/asio/associated_executor.hpp"
#include "boost/asio/async_result.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "switch/core/check.h"
#include "tests/storage/patience.h"

namespace waystation::flow {

namespace asio = boost::asio;

ScriptedBiller::Call ScriptedBiller::Next(Operation operation) {
  std::unique_lock lock(mutex_);
  auto found = waiting_.end();
  const auto is_there = [&] {
    found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Call& c) { return c.operation == operation; });
    return found != waiting_.end();
  };
  WS_CHECK(changed_.wait_for(lock, storage::kPatience, is_there), "the biller was not asked");
  Call call = std::move(*found);
  waiting_.erase(found);
  return call;
}

void ScriptedBiller::Always(Operation operation, Answer answer) {
  std::lock_guard lock(mutex_);
  standing_[static_cast<size_t>(operation)] = std::move(answer);
}

size_t ScriptedBiller::count(Operation operation) const {
  std::lock_guard lock(mutex_);
  return counts_[static_cast<size_t>(operation)];
}

void ScriptedBiller::WaitForCount(Operation operation, size_t count) {
  std::unique_lock lock(mutex_);
  const bool came =
      changed_.wait_for(lock, storage::kPatience, [&] { return counts_[static_cast<size_t>(operation)] >= count; });
  WS_CHECK(came, "the biller was asked too seldom");
}

void ScriptedBiller::DropCalls() {
  std::deque<Call> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

std::optional<ScriptedBiller::Answer> ScriptedBiller::Count(Operation operation) {
  std::lock_guard lock(mutex_);
  ++counts_[static_cast<size_t>(operation)];
  changed_.notify_all();
  return standing_[static_cast<size_t>(operation)];
}

void ScriptedBiller::Add(Call call) {
  std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(call));
  changed_.notify_all();
}

template <typename Outcome>
asio::awaitable<Outcome> ScriptedBiller::Ask(Call call) {
  std::optional<Answer> standing = Count(call.operation);
  if (standing.has_value()) co_return std::get<Outcome>(*std::move(standing));
  auto initiate = [this, &call](auto handler) {
    auto executor = asio::get_associated_executor(handler);
    call.answer = [executor, handler = std::move(handler)](Answer answer) mutable {
      asio::post(executor, [handler = std::move(handler), outcome = std::get<Outcome>(std::move(answer))]() mutable {
        std::move(handler)(std::move(outcome));
      });
    };
    Add(std::move(call));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Outcome)>(initiate, asio::use_awaitable);
}

asio::awaitable<adapters::InquiryOutcome> ScriptedBiller::Inquire(adapters::InquiryRequest request,
                                                                  adapters::Deadline deadline) {
  return Ask<adapters::InquiryOutcome>({Operation::kInquire, {}, std::move(request), deadline, {}});
}

asio::awaitable<adapters::PayOutcome> ScriptedBiller::Pay(adapters::PaymentRequest request,
                                                          adapters::Deadline deadline) {
  return Ask<adapters::PayOutcome>({Operation::kPay, std::move(request), {}, deadline, {}});
}

asio::awaitable<adapters::QueryOutcome> ScriptedBiller::Query(adapters::PaymentRequest request,
                                                              adapters::Deadline deadline) {
  return Ask<adapters::QueryOutcome>({Operation::kQuery, std::move(request), {}, deadline, {}});
}

asio::awaitable<adapters::ReverseOutcome> ScriptedBiller::Reverse(adapters::PaymentRequest request,
                                                                  adapters::Deadline deadline) {
  return Ask<adapters::ReverseOutcome>({Operation::kReverse, std::move(request), {}, deadline, {}});
}

asio::awaitable<adapters::CancelOutcome> ScriptedBiller::Cancel(adapters::PaymentRequest request,
                                                                adapters::Deadline deadline) {
  return Ask<adapters::CancelOutcome>({Operation::kCancel, std::move(request), {}, deadline, {}});
}

asio::awaitable<bool> ScriptedBiller::Probe(adapters::Deadline deadline) {
  return Ask<bool>({Operation::kProbe, {}, {}, deadline, {}});
}

}  // namespace waystation::flow
