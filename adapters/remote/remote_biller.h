#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/settings.h"

namespace waystation::adapters::remote {

class Link;

// A biller whose adapter is a process of its own, reached over gRPC: waystation.adapter.v1.BillerAdapter. README.md has
// the settings.
//
// Its card is a file, so that a start of the switch needs no answer of another process, and only a person changes what
// frees money; an adapter that describes itself otherwise is sent nothing. NotSent is answered when the call was not
// started, since there was no connection with a serving adapter; whatever gRPC says of a call that was started is
// Unknown.
//
// Threads: any; it has none, gRPC's own finish its calls. Connects at the first operation, or with
// ReportLateApprovalsTo.
class RemoteBiller final : public BillerAdapter {
 public:
  // Reads the files that the settings name, and no more. InvalidArgument as the registry has it.
  static absl::StatusOr<std::unique_ptr<BillerAdapter>> Create(const Settings& settings,
                                                               const CardOverrides& overrides);
  // The same with the text of a card instead of the setting `card_file`.
  static absl::StatusOr<std::unique_ptr<BillerAdapter>> CreateWithCard(const Settings& settings,
                                                                       const std::string& card_text,
                                                                       const CardOverrides& overrides);
  // The card that the adapter at `address` of the settings describes itself with, as the text of a card file. Blocks
  // until it answers, at most `limit`. Unavailable, or InvalidArgument for a bad setting or a card that does not hold
  // together.
  static absl::StatusOr<std::string> FetchCard(const Settings& settings, std::chrono::milliseconds limit);

  // Waits until what is under way with gRPC has ended.
  ~RemoteBiller() override;

  const CapabilityCard& card() const override { return card_; }
  void ReportLateApprovalsTo(LateApprovals* late) override;
  boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) override;
  boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(Deadline deadline) override;

 private:
  RemoteBiller(CapabilityCard card, std::shared_ptr<Link> link);

  const CapabilityCard card_;
  const std::shared_ptr<Link> link_;
};

}  // namespace waystation::adapters::remote
