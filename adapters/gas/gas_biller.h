#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/gas/message.h"
#include "adapters/http/client.h"
#include "adapters/http/reply.h"
#include "adapters/result_codes.h"
#include "adapters/settings.h"

namespace waystation::adapters::gas {

// A gas company: XML in GBK over HTTP. README.md has the messages and the settings. Our payment id is the order. The
// host keeps a bill, takes what is owed and nothing else, and takes nothing back; a query by the order is all that
// settles what is not known.
//
// Only a whole answer of status 200 that bears this request's serial number, with a code that the table knows, settles
// anything; all else that comes after the request left is Unknown. Probe takes any message that can be read, but with a
// status of 5xx: a host that has no echo says so.
class GasBiller final : public BillerAdapter {
 public:
  static absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(const Settings& settings,
                                                               const CardOverrides& overrides);

  const CapabilityCard& card() const override { return card_; }
  boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) override;
  boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) override;
  // The host has neither: the card rules both out.
  boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(Deadline deadline) override;

 private:
  using Reply = http::Reply<AnswerMessage>;
  using Body = std::vector<std::pair<std::string_view, std::string>>;

  GasBiller(CapabilityCard card, std::string partner, ResultCodes codes, http::ClientOptions options);

  // What came back, whatever it settles.
  struct Heard {
    std::string serial;  // of the request
    http::Result result;
    absl::StatusOr<AnswerMessage> decoded = absl::UnknownError("no answer");
  };

  boost::asio::awaitable<Heard> Ask(std::string_view service, Body body, Deadline deadline,
                                    core::TraceContext trace = {});
  boost::asio::awaitable<Reply> Call(std::string_view service, Body body, Deadline deadline,
                                     core::TraceContext trace = {});

  const CapabilityCard card_;
  const std::string partner_;
  const ResultCodes codes_;
  http::Client client_;
  std::atomic<uint64_t> requests_{0};
};

}  // namespace waystation::adapters::gas
