#include "adapters/iso8583/waiter.h"

#include <utility>

#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace waystation::adapters::iso8583 {

namespace asio = boost::asio;

// Lives in the caller's coroutine, and goes with it, also where that is destroyed without being resumed.
class Waiter::Presence {
 public:
  Presence(std::shared_ptr<Waiter> waiter, asio::any_io_executor executor, asio::steady_timer* timer)
      : waiter_(std::move(waiter)) {
    const std::lock_guard lock(waiter_->mutex_);
    waiter_->executor_ = std::move(executor);
    waiter_->timer_ = timer;
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() {
    const std::lock_guard lock(waiter_->mutex_);
    waiter_->gone_ = true;
    waiter_->timer_ = nullptr;
    waiter_->executor_ = {};
  }

 private:
  const std::shared_ptr<Waiter> waiter_;
};

asio::awaitable<Reply> Waiter::Wait(std::shared_ptr<Waiter> waiter, Deadline deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, deadline);
  const Presence presence(waiter, executor, &timer);
  bool answered = false;
  {
    const std::lock_guard lock(waiter->mutex_);
    answered = waiter->reply_.has_value();
  }
  // The link wakes this up by a task on this thread, which can't run before the timer is waited for.
  boost::system::error_code cancelled;
  if (!answered) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  const std::lock_guard lock(waiter->mutex_);
  waiter->gone_ = true;
  if (waiter->reply_) co_return *std::move(waiter->reply_);
  Reply reply;
  reply.kind = waiter->left_ ? Reply::Kind::kUnknown : Reply::Kind::kNotSent;
  reply.cause = waiter->left_ ? "no answer by the deadline" : "it could not be sent by the deadline";
  co_return reply;
}

bool Waiter::Leave() {
  const std::lock_guard lock(mutex_);
  if (gone_ || reply_) return false;
  left_ = true;
  return true;
}

bool Waiter::has_left() {
  const std::lock_guard lock(mutex_);
  return left_;
}

bool Waiter::Finish(Reply& reply) {
  const std::lock_guard lock(mutex_);
  if (gone_ || reply_) return false;
  reply_ = std::move(reply);
  // The caller's io_context is there as long as the lock is held and he has not gone.
  if (executor_) {
    asio::post(executor_, [self = shared_from_this()] {
      if (self->timer_ != nullptr) self->timer_->cancel();
    });
  }
  return true;
}

}  // namespace waystation::adapters::iso8583
