#include "adapters/remote/signal.h"

#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace waystation::adapters::remote {

namespace asio = boost::asio;

asio::awaitable<bool> Signal::Wait(Deadline deadline) {
  const std::shared_ptr<Signal> self = shared_from_this();
  // Also when the coroutine is destroyed where it stands, with its io_context.
  struct NobodyWaits {
    Signal& signal;
    ~NobodyWaits() {
      const std::scoped_lock lock(signal.mutex_);
      signal.timer_.reset();
    }
  };
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  {
    const std::scoped_lock lock(mutex_);
    if (raised_) co_return true;
    timer_.emplace(executor, deadline);
  }
  const NobodyWaits nobody_waits{*self};
  boost::system::error_code woken;
  co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  const std::scoped_lock lock(mutex_);
  co_return raised_;
}

void Signal::Raise() {
  const std::scoped_lock lock(mutex_);
  raised_ = true;
  if (!timer_) return;
  asio::post(timer_->get_executor(), [self = shared_from_this()] {
    const std::scoped_lock still(self->mutex_);
    // Ends the wait, and keeps one from starting.
    if (self->timer_) self->timer_->expires_at(Deadline::min());
  });
}

}  // namespace waystation::adapters::remote
