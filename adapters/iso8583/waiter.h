#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "adapters/biller_adapter.h"
#include "adapters/iso8583/message.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::iso8583 {

// What became of one request.
struct Reply {
  enum class Kind {
    kAnswered,
    kNotSent,  // no byte of it left
    kUnknown,  // it left, or may have
  };
  Kind kind = Kind::kUnknown;
  Message message;    // of kAnswered
  std::string cause;  // of the others
};

// The one place where a caller, on its own io_context, and the link, on its thread, meet over a request: whoever is
// first settles it. The caller's io_context may end while it waits; the link then finds nobody there.
//
// Threads: Wait on the caller's; Leave and Finish on the link's.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  // Until there is a reply, or the deadline has come: then kNotSent if the request has not left, and it never will;
  // kUnknown if it has.
  static boost::asio::awaitable<Reply> Wait(std::shared_ptr<Waiter> waiter, Deadline deadline);

  // The request is about to be written. False: nobody waits for it, or he has been told that it was not sent; then it
  // must not be.
  bool Leave();
  bool has_left();
  // False: nobody waits any more, and `reply` is as it was; else it was taken.
  bool Finish(Reply& reply);
  void Finish(Reply&& reply) { Finish(reply); }

 private:
  class Presence;

  std::mutex mutex_;
  bool left_ = false;
  bool gone_ = false;  // the caller
  std::optional<Reply> reply_;
  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer* timer_ = nullptr;  // the caller's own; on his thread
};

}  // namespace waystation::adapters::iso8583
