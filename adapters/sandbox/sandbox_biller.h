#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/biller_adapter.h"
#include "adapters/card.h"
#include "adapters/settings.h"

namespace waystation::adapters::sandbox {

struct Profile;

// A biller in the process, for laptops, tests and demonstrations: one of three profiles (mobile, electricity, gas).
// What it answers follows from the request and the settings alone, so a query after a restart agrees with the payment
// before it; README.md has the settings and what each customer number does.
//
// Keeps no state, so any number of threads may use it. It does not remember what it took back: a query after a reversal
// or a cancel answers as it did before.
class SandboxBiller final : public BillerAdapter {
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
  SandboxBiller(const Profile& profile, CapabilityCard card, std::chrono::milliseconds latency,
                std::chrono::milliseconds latency_p99)
      : profile_(profile), card_(std::move(card)), latency_(latency), latency_p99_(latency_p99) {}

  boost::asio::awaitable<void> ApproveLate(PaymentRequest request);
  std::chrono::microseconds Latency(std::string_view customer_number) const;
  // The answers, once their time has come.
  PayOutcome AnswerPay(const PaymentRequest& request) const;
  QueryOutcome AnswerQuery(const PaymentRequest& request) const;
  CancelOutcome AnswerCancel(const PaymentRequest& request) const;
  Approved Approval(const PaymentRequest& request) const;
  bool IsOwed(const PaymentRequest& request) const;

  const Profile& profile_;
  const CapabilityCard card_;
  const std::chrono::milliseconds latency_;
  const std::chrono::milliseconds latency_p99_;
  LateApprovals* late_ = nullptr;
};

}  // namespace waystation::adapters::sandbox
