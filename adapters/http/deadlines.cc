#include "adapters/http/deadlines.h"

#include "boost/asio/io_context.hpp"

namespace waystation::adapters::http {

using boost::system::error_code;

// They mostly come in the order of their deadlines.
Deadlines::Watch::Watch(Deadlines& deadlines, Deadline deadline, boost::asio::ip::tcp::socket& socket)
    : deadlines_(deadlines),
      socket_(socket),
      place_(deadlines.watches_.emplace_hint(deadlines.watches_.end(), deadline, this)) {
  deadlines_.SetTimer();
}

Deadlines::Watch::~Watch() {
  deadlines_.watches_.erase(place_);
}

Deadlines::Deadlines(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context), timer_(static_cast<boost::asio::io_context&>(context)) {}

void Deadlines::SetTimer() {
  // One that is set stays, unless it is too late.
  if (watches_.empty()) return;
  const Deadline next = watches_.begin()->first;
  if (timer_at_ && *timer_at_ <= next) return;
  timer_at_ = next;
  timer_.expires_at(next);
  timer_.async_wait([this](const error_code& error) {
    if (error) return;  // set to an earlier time, or the io_context is ending
    timer_at_.reset();
    CloseWhatIsDue();
    SetTimer();
  });
}

void Deadlines::CloseWhatIsDue() {
  const Deadline now = std::chrono::steady_clock::now();
  for (auto it = watches_.begin(); it != watches_.end() && it->first <= now; ++it) {
    Watch* const watch = it->second;
    if (watch->passed_) continue;
    watch->passed_ = true;
    error_code ignored;
    watch->socket_.close(ignored);
  }
}

}  // namespace waystation::adapters::http
