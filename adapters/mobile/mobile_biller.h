#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/http/client.h"
#include "adapters/http/reply.h"
#include "adapters/mobile/signature.h"
#include "adapters/order_answer.h"
#include "adapters/result_codes.h"
#include "adapters/settings.h"

namespace waystation::adapters::mobile {

// A mobile carrier: JSON over HTTPS, requests and answers signed with a key that both sides have. README.md has the
// messages and the settings. Our payment id is the order number. Keeps nothing but connections.
//
// Only a whole, signed answer to this very request, of status 200 and with a code that the table knows, settles
// anything; all else that comes after the request left is Unknown. Probe takes any signed answer but one of status 5xx.
class MobileBiller final : public BillerAdapter {
 public:
  static absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(const Settings& settings,
                                                               const CardOverrides& overrides);

  const CapabilityCard& card() const override { return card_; }
  boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) override;
  boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(Deadline deadline) override;

 private:
  using Reply = http::Reply<OrderAnswer>;

  MobileBiller(CapabilityCard card, std::string partner, Signer signer, ResultCodes codes, http::ClientOptions options);

  // What came back, whatever it settles.
  struct Heard {
    http::Result result;
    bool is_signed = false;  // an answer that bears the host's signature
  };

  // `body` is empty for GET. An answer that should be signed and is not raises an alarm.
  boost::asio::awaitable<Heard> Ask(std::string method, std::string target, std::string body, Deadline deadline,
                                    core::TraceContext trace = {});
  boost::asio::awaitable<Reply> Call(std::string method, std::string target, std::string body, Deadline deadline,
                                     core::TraceContext trace = {});
  boost::asio::awaitable<Reply> TakeBack(const PaymentRequest& request, std::string_view how, Deadline deadline);

  const CapabilityCard card_;
  const std::string partner_;
  const std::string authority_;  // of the url
  const std::string path_;
  const Signer signer_;
  const ResultCodes codes_;
  http::Client client_;
};

}  // namespace waystation::adapters::mobile
