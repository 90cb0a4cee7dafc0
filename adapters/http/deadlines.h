#pragma once

#include <map>
#include <optional>

#include "adapters/biller_adapter.h"
#include "boost/asio/execution_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"

namespace waystation::adapters::http {

// The deadlines of the connections of one io_context, by one timer for all of them: most are met long before their
// time, and then cost no more than a place in a list.
//
// Threads: the io_context's, which is one.
class Deadlines final : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  // Closes a socket at the deadline, unless it ends before: what is being waited for on it ends with an error then.
  class Watch {
   public:
    Watch(Deadlines& deadlines, Deadline deadline, boost::asio::ip::tcp::socket& socket);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    // Whether it has closed the socket.
    bool passed() const { return passed_; }

   private:
    friend class Deadlines;

    Deadlines& deadlines_;
    boost::asio::ip::tcp::socket& socket_;
    bool passed_ = false;
    const std::multimap<Deadline, Watch*>::iterator place_;
  };

  explicit Deadlines(boost::asio::execution_context& context);

 private:
  void SetTimer();
  void CloseWhatIsDue();
  void shutdown() override { timer_.cancel(); }

  std::multimap<Deadline, Watch*> watches_;
  boost::asio::steady_timer timer_;
  std::optional<Deadline> timer_at_;  // null: not set
};

}  // namespace waystation::adapters::http
