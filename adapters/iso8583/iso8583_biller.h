#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/iso8583/link.h"
#include "adapters/settings.h"

namespace waystation::adapters::iso8583 {

// A biller whose host speaks ISO 8583 over TCP. What is particular about the host stands in a data file, how to reach
// it in the settings; README.md has both.
//
// Threads: any number; its connections live on a thread of their own (link_thread.h). Nothing about a payment is
// remembered that could not be had from the payment again: its trace number and transmission time follow from its id
// and the time it was accepted, so that a reversal names the original also after a restart.
class Iso8583Biller final : public BillerAdapter {
 public:
  static absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(const Settings& settings,
                                                               const CardOverrides& overrides);

  const CapabilityCard& card() const override { return card_; }
  void ReportLateApprovalsTo(LateApprovals* late) override { late_ = late; }
  boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) override;
  boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(Deadline deadline) override;

 private:
  Iso8583Biller(std::shared_ptr<const LinkParts> parts, CapabilityCard card, std::string acquirer)
      : parts_(std::move(parts)), card_(std::move(card)), acquirer_(std::move(acquirer)), link_(parts_) {}

  // What tells a request apart: type, processing code, trace number, transmission time.
  struct Identity {
    std::string_view mti;
    Operation operation;
    uint32_t trace;
    core::TimePoint time;
  };
  // A request of now that is neither a payment nor reversal advice.
  Identity Fresh(Operation operation);
  // What all requests have.
  Message Request(const Identity& identity, core::StationId station) const;
  // A payment, or a request about one that was sent before, which names it. InvalidArgument: what the host has no room
  // for.
  absl::StatusOr<Message> RequestAbout(const Identity& identity, const PaymentRequest& payment) const;
  std::string OriginalElements(const PaymentRequest& payment) const;
  // Sends it, and waits; what can't be made is not sent.
  boost::asio::awaitable<Reply> Ask(absl::StatusOr<Message> message, const PaymentRequest& payment,
                                    Exchange::OnLate on_late, Deadline deadline);
  // `answer` came when nobody waited for it any more.
  void OnLate(const Message& answer, const PaymentRequest& request);

  const std::shared_ptr<const LinkParts> parts_;
  const CapabilityCard card_;
  const std::string acquirer_;  // element 32's digits; also in element 90
  LateApprovals* late_ = nullptr;
  Link link_;
};

}  // namespace waystation::adapters::iso8583
