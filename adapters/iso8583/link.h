#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "adapters/biller_adapter.h"
#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/late_teller.h"
#include "adapters/iso8583/line.h"
#include "adapters/iso8583/link_thread.h"
#include "adapters/iso8583/trace.h"
#include "boost/asio/awaitable.hpp"

namespace waystation::adapters::iso8583 {

// The way to one host: its lines, over which requests go side by side, each matched to its answer by trace number,
// terminal and transmission time.
//
// Threads: any; Ask runs on its caller's io_context, the lines on the LinkThread. Nothing connects before the first
// Ask; after it the lines are kept up for good. No late answer is reported any more once the destructor has returned.
class Link {
 public:
  explicit Link(std::shared_ptr<const LinkParts> parts);
  ~Link();  // NOLINT(bugprone-exception-escape): see link.cc
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Sends the request, with its MAC, and waits for the answer. While no line is up nor coming up it is not sent, and
  // that is the reply at once. `reference`, `on_late`: see Exchange::Expect; `on_late` is called on the link's thread.
  boost::asio::awaitable<Reply> Ask(Message request, std::string reference, Exchange::OnLate on_late,
                                    Deadline deadline);
  // Whether the host answers an echo test; a line that waits for its next attempt makes it now.
  boost::asio::awaitable<bool> Echo(Deadline deadline);

  // Tells the switch of an approval that came late; from `on_late` only.
  void TellLate(LateApprovals* late, const PaymentRequest& request, Approved approved);

  // A trace number for what is neither a payment nor reversal advice. Any thread.
  uint32_t NextTraceNumber() { return TraceOfOther(trace_.fetch_add(1, std::memory_order_relaxed)); }

 private:
  // What lives on the thread, and as long as anything there works with it.
  struct Lines;

  const std::shared_ptr<const LinkParts> parts_;
  const std::shared_ptr<LinkThread> thread_;
  const std::shared_ptr<Lines> lines_;
  std::atomic<uint32_t> trace_;
};

}  // namespace waystation::adapters::iso8583
