#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "adapters/biller_adapter.h"
#include "adapters/conformance/suite.h"

namespace waystation::adapters {

// What is wrong with a BookBiller.
enum class Plant {
  kNothing,
  kFreesOnATimeOut,          // answers "not sent" when no answer came
  kDeclinesWhatWasLost,      // answers "declined" when the answer was lost
  kDoublesTheEffect,         // enters a payment each time that it comes, under a reference of its own
  kDoublesInTheBooks,        // the same, and answers with the first reference
  kIgnoresTheDeadline,       // waits for the biller as long as it takes
  kGivesUpEarly,             // answers "unknown" before the deadline
  kDeniesWhatItHas,          // a query of what took effect: "never received"
  kApprovesWhatItNeverSaw,   // a query of what was never sent: "approved"
  kForgetsReversals,         // says "taken back" to a reversal that came first, and approves the payment after it
  kRefusesUnknownReversals,  // a reversal of something never heard of: "declined"
  kReversesInWordsAlone,     // says "taken back", and leaves the payment in the books
  kSendsAfterTheDeadline,    // enters a payment whose deadline had passed, and says "not sent"
  kUnreachableIsUnknown,     // answers "unknown" where nothing listens
  kUnreachableDenies,        // a query where nothing listens: "never received"
  kLosesLateApprovals,
  kTellsLateApprovalsOnce,    // also where it was not recorded
  kTellsAnotherLateApproval,  // under a reference that the payment does not have
  kThrows,
  kApprovesWithoutReference,
  kCardIsWrong,            // a service that there is not
  kProbeFindsNobody,       // says that nobody answers
  kTakesAnyAmount,         // also less than is owed
  kCancelsWhatItDeclines,  // takes back, and says "declined"
  kSwapsReferences,        // answers with the reference of the latest payment, whoever's that is
  kCutsTheId,              // keeps the last 12 digits of it
  kDoublesAtOnce,          // looks whether it has the payment, and enters it a moment later
  kEntersAfterADenial,     // a query says "never received", and the payment is entered after that
  kAnswersLate,            // a second after the deadline
  kForgetsAtARestart,      // keeps its books in memory
};

// Whether the biller keeps a bill for each customer, which is paid once and exactly.
enum class Bills { kNone, kPaidOnce };

// An adapter and its biller in one, with books; the endings of the customer number are those of Scenario(). Any thread.
// The books are shared with those who make the adapter anew, and with the test.
class BookBiller final : public BillerAdapter {
 public:
  struct Entry {
    std::string customer;
    std::string reference;
    int effects = 0;
    bool refused = false;  // taken back before it came
  };
  struct Books {
    std::mutex mutex;
    std::map<core::PaymentId, Entry> entries;
    int references = 0;
    std::string latest_reference;
  };

  BookBiller(Plant plant, Bills bills, std::shared_ptr<Books> books, bool slow, bool unreachable);

  // Under which id a payment is entered.
  static core::PaymentId Key(Plant plant, core::PaymentId payment);

  const CapabilityCard& card() const override { return card_; }
  void ReportLateApprovalsTo(LateApprovals* late) override { late_ = late; }
  boost::asio::awaitable<InquiryOutcome> Inquire(InquiryRequest request, Deadline deadline) override;
  boost::asio::awaitable<PayOutcome> Pay(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<QueryOutcome> Query(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<ReverseOutcome> Reverse(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<CancelOutcome> Cancel(PaymentRequest request, Deadline deadline) override;
  boost::asio::awaitable<bool> Probe(Deadline deadline) override;

 private:
  // The approval of what is entered now, or was before; null where it is refused. `taken_for_new`: it is entered in any
  // case.
  std::optional<Approved> Enter(const PaymentRequest& request, bool taken_for_new = false);
  bool Has(const PaymentRequest& request) const;
  core::Money Owed(const std::string& customer_number) const;
  boost::asio::awaitable<void> EnterLater(PaymentRequest request);
  // Until it is recorded.
  boost::asio::awaitable<void> TellLate(PaymentRequest request, Approved approved);
  QueryOutcome Find(const PaymentRequest& request);
  bool TakeBack(const PaymentRequest& request);
  // What nobody answers comes to.
  boost::asio::awaitable<PayOutcome> Silence(Deadline deadline) const;

  const Plant plant_;
  const Bills bills_;
  const std::shared_ptr<Books> books_;
  const bool slow_;
  const bool unreachable_;
  const CapabilityCard card_;
  LateApprovals* late_ = nullptr;
};

// A target with empty books; with bills it has `good` customers for that.
conformance::Target BookBillerTarget(Plant plant, Bills bills = Bills::kNone, int good = 1);

}  // namespace waystation::adapters
