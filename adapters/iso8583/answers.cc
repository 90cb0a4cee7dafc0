#include "adapters/iso8583/answers.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "adapters/alarm.h"
#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::adapters::iso8583 {
namespace {

// What is told of a host's text in a cause.
constexpr size_t kMostQuotedBytes = 32;

Unknown UnknownCode(const Message& answer, std::string_view what) {
  if (!answer.Has(39)) return Unknown{fmt::format("the answer to {} has no response code (element 39)", what)};
  return Unknown{fmt::format("response code {} to {} does not settle it", answer.Get(39), what)};
}

Declined DeclinedBy(std::string_view code, const Meaning& meaning) {
  return Declined{core::CutToUtf8(code, core::kMaxBillerCodeBytes),
                  core::CutToUtf8(meaning.text, core::kMaxReasonBytes)};
}

// What the approval lacks, or has wrong; empty: nothing.
std::string FaultOf(const LinkParts& parts, const Message& answer, const PaymentRequest& request) {
  const Dialect& dialect = parts.file.dialect;
  int64_t amount = 0;
  if (!answer.Has(4)) return fmt::format("without an amount; expected {} fen", request.amount.fen());
  if (!absl::SimpleAtoi(std::string(answer.Get(4)), &amount) || amount != request.amount.fen()) {
    return fmt::format("with the amount {}; expected {} fen", answer.Get(4), request.amount.fen());
  }
  const std::string_view ours = dialect.Read(answer, dialect.our_reference);
  if (ours != request.payment_id.ToString()) {
    return fmt::format("with our reference \"{}\"; expected {}", core::CutToUtf8(ours, kMostQuotedBytes),
                       request.payment_id.ToString());
  }
  const size_t reference = dialect.Read(answer, dialect.biller_reference).size();
  if (reference == 0 || reference > core::kMaxBillerReferenceBytes) {
    return fmt::format("with a biller reference of {} bytes; expected 1 .. {}", reference,
                       core::kMaxBillerReferenceBytes);
  }
  const size_t voucher = dialect.Read(answer, dialect.voucher).size();
  const bool promised = parts.file.card.issues_voucher;
  if ((voucher == 0) == promised || voucher > core::kMaxVoucherBytes) {
    return fmt::format("with a voucher of {} bytes; expected {}", voucher,
                       promised ? fmt::format("1 .. {}", core::kMaxVoucherBytes) : "none");
  }
  return "";
}

PayOutcome ReadApproval(const LinkParts& parts, const Message& answer, const PaymentRequest& request) {
  if (const std::string fault = FaultOf(parts, answer, request); !fault.empty()) {
    const std::string cause = fmt::format("payment {} was approved {}", request.payment_id.ToString(), fault);
    RaiseAlarm(parts.Address(), cause);
    return Unknown{cause};
  }
  const Dialect& dialect = parts.file.dialect;
  return Approved{core::CutToUtf8(dialect.Read(answer, dialect.biller_reference), core::kMaxBillerReferenceBytes),
                  core::CutToUtf8(dialect.Read(answer, dialect.voucher), core::kMaxVoucherBytes),
                  core::CutToUtf8(dialect.Read(answer, dialect.customer_name), core::kMaxNameBytes)};
}

}  // namespace

InquiryOutcome ReadInquiry(const LinkParts& parts, const Message& answer) {
  const Dialect& dialect = parts.file.dialect;
  const Meaning meaning = dialect.MeaningOf(Operation::kInquiry, answer.Get(39));
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(answer.Get(39), meaning);
  if (meaning.verdict != Verdict::kDone) return UnknownCode(answer, "the inquiry");
  int64_t owed = 0;
  const std::string text(dialect.Read(answer, dialect.owed));
  if (!text.empty() && (!absl::SimpleAtoi(text, &owed) || owed < 0 || owed > core::kMaxAmount.fen())) {
    return Unknown{fmt::format("the amount owed is \"{}\"; expected fen", core::CutToUtf8(text, kMostQuotedBytes))};
  }
  if (text.empty() && parts.file.card.amount_rule != AmountRule::kFree) {
    return Unknown{"the answer has no amount owed"};
  }
  return InquiryFound{core::CutToUtf8(dialect.Read(answer, dialect.customer_name), core::kMaxNameBytes),
                      core::Money::Fen(owed)};
}

PayOutcome ReadPay(const LinkParts& parts, const Message& answer, const PaymentRequest& request) {
  const Meaning meaning = parts.file.dialect.MeaningOf(Operation::kPayment, answer.Get(39));
  if (meaning.verdict == Verdict::kDone) return ReadApproval(parts, answer, request);
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(answer.Get(39), meaning);
  return UnknownCode(answer, "the payment");
}

QueryOutcome ReadQuery(const LinkParts& parts, const Message& answer, const PaymentRequest& request) {
  const Dialect& dialect = parts.file.dialect;
  Meaning meaning = dialect.MeaningOf(Operation::kQuery, answer.Get(39));
  std::string_view code = answer.Get(39);
  if (meaning.verdict == Verdict::kNeverReceived) return NeverReceived{};
  if (meaning.verdict == Verdict::kOriginal) {
    code = dialect.Read(answer, dialect.original_code);
    meaning = dialect.MeaningOf(Operation::kPayment, code);
  }
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(code, meaning);
  if (meaning.verdict != Verdict::kDone) return UnknownCode(answer, "the query");
  PayOutcome approval = ReadApproval(parts, answer, request);
  if (auto* approved = std::get_if<Approved>(&approval)) return std::move(*approved);
  return std::get<Unknown>(std::move(approval));
}

ReverseOutcome ReadReverse(const LinkParts& parts, const Message& answer) {
  const Meaning meaning = parts.file.dialect.MeaningOf(Operation::kReversal, answer.Get(39));
  if (meaning.verdict == Verdict::kDone) return TakenBack{};
  if (meaning.verdict == Verdict::kNeverReceived) return NeverReceived{};
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(answer.Get(39), meaning);
  return UnknownCode(answer, "the reversal");
}

CancelOutcome ReadCancel(const LinkParts& parts, const Message& answer) {
  const Meaning meaning = parts.file.dialect.MeaningOf(Operation::kCancel, answer.Get(39));
  if (meaning.verdict == Verdict::kDone) return TakenBack{};
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(answer.Get(39), meaning);
  return UnknownCode(answer, "the cancel");
}

}  // namespace waystation::adapters::iso8583
