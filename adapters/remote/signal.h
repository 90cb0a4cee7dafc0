#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "adapters/biller_adapter.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::remote {

// Something that happens once, on a thread of gRPC's, and that one coroutine on a worker waits for.
//
// Owned by both sides, hence shared: the one that raises it may come late, when the waiting one has given up or was
// destroyed together with its io_context. It is touched no more then.
class Signal : public std::enable_shared_from_this<Signal> {
 public:
  // Whether it was raised by `deadline`. One coroutine waits, once; its io_context is run by one thread.
  boost::asio::awaitable<bool> Wait(Deadline deadline);
  // Any thread; once.
  void Raise();

 private:
  std::mutex mutex_;
  bool raised_ = false;
  // While somebody waits. Used on the thread of its io_context alone, but for posting there.
  std::optional<boost::asio::steady_timer> timer_;
};

}  // namespace waystation::adapters::remote
