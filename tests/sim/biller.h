#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "adapters/biller_adapter.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/oracle.h"
#include "tests/sim/random.h"
#include "tests/sim/report.h"

namespace waystation::sim {

enum class Operation { kInquire, kPay, kQuery, kReverse, kCancel, kProbe };
std::string_view Name(Operation operation);

// How often, in a thousand, which trouble there is with a biller.
struct Trouble {
  uint32_t not_sent = 0;        // the connection is refused
  uint32_t lost_requests = 0;   // on their way
  uint32_t slow_requests = 0;   // on their way for long
  uint32_t lost_answers = 0;    // the effect without an answer
  uint32_t late_answers = 0;    // some of them after the deadline
  uint32_t twice = 0;           // the answer comes two times
  uint32_t declines = 0;        // payments
  uint32_t refuses_back = 0;    // payments that it does not take back
  uint32_t false_denials = 0;   // "never heard of it" of what it has, where the card says that it may
  uint32_t adapter_faults = 0;  // the adapter throws, before or after it has sent
  uint32_t overdue = 0;         // the adapter pays no heed to its deadline
};

// One biller with its books, and the network to it. Lives on when the switch crashes.
class Biller {
 public:
  using Answer = std::variant<adapters::InquiryOutcome, adapters::PayOutcome, adapters::QueryOutcome,
                              adapters::ReverseOutcome, adapters::CancelOutcome, bool>;
  using OnAnswer = std::function<void(const Answer&)>;

  struct Entry {
    bool asked = false;  // the request to pay came
    bool approved = false;
    bool reversed_before = false;  // the reversal overtook the request, which then has no effect
    int effects = 0;
    int taken_back = 0;
  };

  // All outlive the biller. `slowest_request`: no request is on its way for longer.
  Biller(std::string id, adapters::CapabilityCard card, EventQueue* events, Random* random, Report* report,
         std::chrono::milliseconds slowest_request);

  const std::string& id() const { return id_; }
  const adapters::CapabilityCard& card() const { return card_; }
  const std::map<core::PaymentId, Entry>& books() const { return books_; }
  Trouble& trouble() { return trouble_; }
  // Drops an entry that nobody will ask about any more.
  void Forget(core::PaymentId id) { books_.erase(id); }
  // Whether advice about a payment that has not come is kept, so that the payment is refused when it comes.
  void set_keeps_advice(bool keeps) { keeps_advice_ = keeps; }
  // Nothing gets through until then.
  void GoDown(std::chrono::milliseconds time);
  void ComeBack() { down_until_ = {}; }

  // A request leaves for the biller; `on_answer` is called for each answer that comes back, if any does.
  void Send(Operation operation, const adapters::PaymentRequest& request, OnAnswer on_answer);

 private:
  adapters::ReverseOutcome Reverse(const adapters::PaymentRequest& request, Entry* entry);
  bool IsDown() const { return events_->now() < down_until_; }
  Answer Process(Operation operation, const adapters::PaymentRequest& request);
  adapters::PayOutcome Pay(const adapters::PaymentRequest& request, Entry* entry);
  adapters::QueryOutcome Query(const adapters::PaymentRequest& request, const Entry& entry);
  // False: it keeps it.
  bool TakeBack(const adapters::PaymentRequest& request, Entry* entry);

  const std::string id_;
  const adapters::CapabilityCard card_;
  EventQueue* const events_;
  Random* const random_;
  Report* const report_;
  const std::chrono::milliseconds slowest_request_;
  Trouble trouble_;
  bool keeps_advice_ = true;
  core::SteadyTime down_until_;
  std::map<core::PaymentId, Entry> books_;
};

// The adapter of one life of the switch.
class BillerLink final : public adapters::BillerAdapter {
 public:
  // All outlive the link; `oracle` may be null.
  BillerLink(Biller* biller, Life life, Random* random, Oracle* oracle);

  const adapters::CapabilityCard& card() const override { return biller_->card(); }
  void ReportLateApprovalsTo(adapters::LateApprovals* late) override { late_ = late; }
  boost::asio::awaitable<adapters::InquiryOutcome> Inquire(adapters::InquiryRequest request,
                                                           adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::PayOutcome> Pay(adapters::PaymentRequest request,
                                                   adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::QueryOutcome> Query(adapters::PaymentRequest request,
                                                       adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::ReverseOutcome> Reverse(adapters::PaymentRequest request,
                                                           adapters::Deadline deadline) override;
  boost::asio::awaitable<adapters::CancelOutcome> Cancel(adapters::PaymentRequest request,
                                                         adapters::Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(adapters::Deadline deadline) override;

  // Forgets the calls that are not answered. Comes before the end of the worker that they came from.
  void DropCalls() { waiting_.clear(); }

 private:
  // Null: no answer came in time.
  using Waiting = absl::AnyInvocable<void(const Biller::Answer*)>;

  template <typename Outcome>
  boost::asio::awaitable<Outcome> Ask(Operation operation, adapters::PaymentRequest request,
                                      adapters::Deadline deadline);
  // False: nobody waits for it any more.
  bool Finish(uint64_t call, const Biller::Answer* answer);
  void OnLate(const adapters::PaymentRequest& request, const Biller::Answer& answer);

  Biller* const biller_;
  const Life life_;
  Random* const random_;
  Oracle* const oracle_;
  adapters::LateApprovals* late_ = nullptr;
  uint64_t calls_ = 0;
  std::map<uint64_t, Waiting> waiting_;
};

}  // namespace waystation::sim
