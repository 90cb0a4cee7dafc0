#pragma once

#include <memory>
#include <thread>

#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"

namespace waystation::adapters::iso8583 {

// The thread that all links of the process live on, with an io_context of its own. A link must outlive any call and any
// caller's io_context: it signs on, answers for its silence, and takes answers that nobody waits for any more. It is
// one thread however many hosts and connections there are: it writes what its callers packed; what comes it unpacks and
// holds against its MAC, to find whose it is, and what an answer means its caller finds out.
class LinkThread {
 public:
  // The one there is, or a new one; it ends with the last who holds it, who must not be on it.
  static std::shared_ptr<LinkThread> Share();
  ~LinkThread();
  LinkThread(const LinkThread&) = delete;
  LinkThread& operator=(const LinkThread&) = delete;

  boost::asio::io_context& io() { return io_; }

 private:
  LinkThread();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace waystation::adapters::iso8583
