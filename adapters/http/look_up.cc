#include "adapters/http/look_up.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"

namespace waystation::adapters::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// One who waits, on an io_context of his own.
struct LookUp::Waiting {
  explicit Waiting(const asio::any_io_executor& executor) : done(executor) {}

  asio::steady_timer done;
  absl::StatusOr<Addresses> found = absl::DeadlineExceededError("no answer by the deadline");
};

// Its owner's place among those who wait; given up also where the io_context ends first, so that nothing is posted to
// one that is gone.
class LookUp::Place {
 public:
  Place(LookUp* look_up, std::shared_ptr<Waiting> waiting) : look_up_(look_up), waiting_(std::move(waiting)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { look_up_->Leave(waiting_); }

 private:
  LookUp* const look_up_;
  const std::shared_ptr<Waiting> waiting_;
};

asio::awaitable<absl::StatusOr<Addresses>> LookUp::Find(std::shared_ptr<LookUp> look_up, Deadline deadline) {
  const auto waiting = std::make_shared<Waiting>(co_await asio::this_coro::executor);
  waiting->done.expires_at(deadline);
  if (absl::Status status = look_up->Join(waiting); !status.ok()) co_return status;
  const Place place(look_up.get(), waiting);
  boost::system::error_code ended;
  co_await waiting->done.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  co_return waiting->found;
}

absl::Status LookUp::Join(const std::shared_ptr<Waiting>& waiting) {
  const std::lock_guard lock(mutex_);
  if (!running_) {
    try {
      // The one before has ended, or is about to: it has let go of the mutex.
      thread_ = std::jthread([this] { Run(); });
    } catch (const std::system_error& e) {
      return absl::UnavailableError(fmt::format("there is no thread for it: {}", e.what()));
    }
    running_ = true;
  }
  waiting_.push_back(waiting);
  return absl::OkStatus();
}

void LookUp::Leave(const std::shared_ptr<Waiting>& waiting) {
  const std::lock_guard lock(mutex_);
  std::erase(waiting_, waiting);
}

void LookUp::Run() {
  const absl::StatusOr<Addresses> found = resolve_();
  const std::lock_guard lock(mutex_);
  running_ = false;
  for (const std::shared_ptr<Waiting>& waiting : waiting_) {
    asio::post(waiting->done.get_executor(), [waiting, found] {
      waiting->found = found;
      waiting->done.cancel();
    });
  }
  waiting_.clear();
}

LookUp::Resolve SystemResolve(const Endpoint& endpoint) {
  return [host = endpoint.host, port = endpoint.port]() -> absl::StatusOr<Addresses> {
    asio::io_context io;
    boost::system::error_code error;
    const tcp::resolver::results_type results = tcp::resolver(io).resolve(host, port, error);
    if (error) return absl::UnavailableError(error.message());
    return Addresses(results.begin(), results.end());
  };
}

}  // namespace waystation::adapters::http
