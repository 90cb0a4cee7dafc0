#include "adapters/iso8583/iso8583_biller.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "adapters/alarm.h"
#include "adapters/iso8583/trace.h"
#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/utf8.h"

namespace waystation::adapters::iso8583 {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kRequest = "0200";
constexpr std::string_view kReversalAdvice = "0420";
constexpr std::string_view kReversalAdviceRepeat = "0421";
constexpr size_t kInstitutionDigits = 11;

core::TimePoint Now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

bool Passed(Deadline deadline) {
  return Clock::now() >= deadline;
}

NotSent TooLate() {
  return NotSent{"the deadline had passed before the request was sent"};
}

std::string CodeOf(const Message& answer) {
  return std::string(answer.Get(39));
}

Unknown UnknownCode(const Message& answer, std::string_view what) {
  if (!answer.Has(39)) return Unknown{fmt::format("the answer to {} has no response code (element 39)", what)};
  return Unknown{fmt::format("response code {} to {} does not settle it", answer.Get(39), what)};
}

Declined DeclinedBy(const Message& answer, const Meaning& meaning) {
  return Declined{CodeOf(answer), core::CutToUtf8(meaning.text, core::kMaxReasonBytes)};
}

}  // namespace

Message Iso8583Biller::Request(std::string_view mti, Operation operation, uint32_t trace, core::TimePoint time,
                               core::StationId station) const {
  const core::TimePoint now = Now();
  Message request;
  request.set_mti(mti);
  request.Set(3, parts_->file.dialect.processing_code(operation));
  request.Set(7, TransmissionTime(time));
  request.Set(11, TraceText(trace));
  request.Set(12, LocalTime(now));
  request.Set(13, LocalDate(now));
  request.Set(41, parts_->terminal);
  request.Set(42, station.ToString());
  request.Set(49, parts_->file.dialect.currency);
  return request;
}

Message Iso8583Biller::RequestAbout(std::string_view mti, Operation operation, const PaymentRequest& payment) {
  const Dialect& dialect = parts_->file.dialect;
  Message request = Request(mti, operation, link_.NextTraceNumber(), Now(), payment.station);
  request.Set(4, fmt::format("{:012}", payment.amount.fen()));
  request.Set(90, OriginalElements(payment));
  dialect.Write(dialect.customer_number, payment.customer_number, &request);
  dialect.Write(dialect.our_reference, payment.payment_id.ToString(), &request);
  if (!payment.biller_reference.empty()) dialect.Write(dialect.biller_reference, payment.biller_reference, &request);
  return request;
}

// Element 90: message type, trace number and transmission time of the payment, acquirer, and no forwarder.
std::string Iso8583Biller::OriginalElements(const PaymentRequest& payment) const {
  return fmt::format("{}{}{}{:0>{}}{:0>{}}", kRequest, TraceText(TraceOf(payment.payment_id)),
                     TransmissionTime(payment.accepted_at), acquirer_, kInstitutionDigits, "", kInstitutionDigits);
}

asio::awaitable<InquiryOutcome> Iso8583Biller::Inquire(InquiryRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  const Dialect& dialect = parts_->file.dialect;
  Message message = Request(kRequest, Operation::kInquiry, link_.NextTraceNumber(), Now(), request.station);
  dialect.Write(dialect.customer_number, request.customer_number, &message);
  const Reply reply = co_await link_.Ask(std::move(message), "", {}, deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  const Meaning meaning = dialect.MeaningOf(Operation::kInquiry, reply.message.Get(39));
  if (meaning.verdict == Verdict::kDeclined) co_return DeclinedBy(reply.message, meaning);
  if (meaning.verdict != Verdict::kDone) co_return UnknownCode(reply.message, "the inquiry");
  int64_t owed = 0;
  const std::string text(dialect.Read(reply.message, dialect.owed));
  if (!text.empty() && (!absl::SimpleAtoi(text, &owed) || owed < 0 || owed > core::kMaxAmount.fen())) {
    co_return Unknown{fmt::format("the amount owed is \"{}\"; expected fen", core::CutToUtf8(text, 32))};
  }
  if (text.empty() && card_.amount_rule != AmountRule::kFree) co_return Unknown{"the answer has no amount owed"};
  co_return InquiryFound{core::CutToUtf8(dialect.Read(reply.message, dialect.customer_name), core::kMaxNameBytes),
                         core::Money::Fen(owed)};
}

asio::awaitable<PayOutcome> Iso8583Biller::Pay(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  const Dialect& dialect = parts_->file.dialect;
  const std::string reference = request.payment_id.ToString();
  Message message =
      Request(kRequest, Operation::kPayment, TraceOf(request.payment_id), request.accepted_at, request.station);
  message.Set(4, fmt::format("{:012}", request.amount.fen()));
  dialect.Write(dialect.customer_number, request.customer_number, &message);
  dialect.Write(dialect.our_reference, reference, &message);
  Exchange::OnLate on_late;
  if (late_ != nullptr) {
    on_late = [this, request](const Message& answer) {
      const PayOutcome outcome = ReadPay(answer, request);
      if (const auto* approved = std::get_if<Approved>(&outcome)) {
        // The protocol has nothing to acknowledge it with; a query has the rest.
        late_->OnLateApproval(request.station, request.payment_id, *approved, [](bool) {});
      }
    };
  }
  const Reply reply = co_await link_.Ask(std::move(message), reference, std::move(on_late), deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  co_return ReadPay(reply.message, request);
}

asio::awaitable<QueryOutcome> Iso8583Biller::Query(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{TooLate().cause};
  Message message = RequestAbout(kRequest, Operation::kQuery, request);
  const Reply reply = co_await link_.Ask(std::move(message), request.payment_id.ToString(), {}, deadline);
  if (reply.kind != Reply::Kind::kAnswered) co_return Unknown{reply.cause};
  co_return ReadQuery(reply.message, request);
}

asio::awaitable<ReverseOutcome> Iso8583Biller::Reverse(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{TooLate().cause};
  const std::string_view mti = request.earlier_attempts == 0 ? kReversalAdvice : kReversalAdviceRepeat;
  Message message = RequestAbout(mti, Operation::kReversal, request);
  const Reply reply = co_await link_.Ask(std::move(message), request.payment_id.ToString(), {}, deadline);
  if (reply.kind != Reply::Kind::kAnswered) co_return Unknown{reply.cause};
  const Meaning meaning = parts_->file.dialect.MeaningOf(Operation::kReversal, reply.message.Get(39));
  if (meaning.verdict == Verdict::kDone) co_return TakenBack{};
  if (meaning.verdict == Verdict::kNeverReceived) co_return NeverReceived{};
  if (meaning.verdict == Verdict::kDeclined) co_return DeclinedBy(reply.message, meaning);
  co_return UnknownCode(reply.message, "the reversal");
}

asio::awaitable<CancelOutcome> Iso8583Biller::Cancel(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  Message message = RequestAbout(kRequest, Operation::kCancel, request);
  const Reply reply = co_await link_.Ask(std::move(message), request.payment_id.ToString(), {}, deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  const Meaning meaning = parts_->file.dialect.MeaningOf(Operation::kCancel, reply.message.Get(39));
  if (meaning.verdict == Verdict::kDone) co_return TakenBack{};
  if (meaning.verdict == Verdict::kDeclined) co_return DeclinedBy(reply.message, meaning);
  co_return UnknownCode(reply.message, "the cancel");
}

asio::awaitable<bool> Iso8583Biller::Probe(Deadline deadline) {
  if (Passed(deadline)) co_return false;
  co_return co_await link_.Echo(deadline);
}

PayOutcome Iso8583Biller::ReadPay(const Message& answer, const PaymentRequest& request) const {
  const Meaning meaning = parts_->file.dialect.MeaningOf(Operation::kPayment, answer.Get(39));
  if (meaning.verdict == Verdict::kDone) return ReadApproval(answer, request);
  if (meaning.verdict == Verdict::kDeclined) return DeclinedBy(answer, meaning);
  return UnknownCode(answer, "the payment");
}

QueryOutcome Iso8583Biller::ReadQuery(const Message& answer, const PaymentRequest& request) const {
  const Dialect& dialect = parts_->file.dialect;
  Meaning meaning = dialect.MeaningOf(Operation::kQuery, answer.Get(39));
  std::string code = CodeOf(answer);
  if (meaning.verdict == Verdict::kNeverReceived) return NeverReceived{};
  if (meaning.verdict == Verdict::kOriginal) {
    code = dialect.Read(answer, dialect.original_code);
    meaning = dialect.MeaningOf(Operation::kPayment, code);
  }
  if (meaning.verdict == Verdict::kDeclined) {
    return Declined{core::CutToUtf8(code, core::kMaxBillerCodeBytes),
                    core::CutToUtf8(meaning.text, core::kMaxReasonBytes)};
  }
  if (meaning.verdict != Verdict::kDone) return UnknownCode(answer, "the query");
  const PayOutcome approval = ReadApproval(answer, request);
  if (const auto* approved = std::get_if<Approved>(&approval)) return *approved;
  return std::get<Unknown>(approval);
}

PayOutcome Iso8583Biller::ReadApproval(const Message& answer, const PaymentRequest& request) const {
  const Dialect& dialect = parts_->file.dialect;
  int64_t amount = request.amount.fen();
  if (answer.Has(4) && (!absl::SimpleAtoi(std::string(answer.Get(4)), &amount) || amount != request.amount.fen())) {
    const std::string cause = fmt::format("payment {} was approved with the amount {}; expected {} fen",
                                          request.payment_id.ToString(), answer.Get(4), request.amount.fen());
    RaiseAlarm(parts_->Address(), cause);
    return Unknown{cause};
  }
  const std::string reference(dialect.Read(answer, dialect.biller_reference));
  const std::string voucher(dialect.Read(answer, dialect.voucher));
  if (reference.empty() || reference.size() > core::kMaxBillerReferenceBytes) {
    return Unknown{fmt::format("approved with a biller reference of {} bytes; expected 1 .. {}", reference.size(),
                               core::kMaxBillerReferenceBytes)};
  }
  if (voucher.empty() == card_.issues_voucher || voucher.size() > core::kMaxVoucherBytes) {
    return Unknown{fmt::format("approved with a voucher of {} bytes; expected {}", voucher.size(),
                               card_.issues_voucher ? "1 .. 64" : "none")};
  }
  return Approved{core::CutToUtf8(reference, core::kMaxBillerReferenceBytes),
                  core::CutToUtf8(voucher, core::kMaxVoucherBytes),
                  core::CutToUtf8(dialect.Read(answer, dialect.customer_name), core::kMaxNameBytes)};
}

}  // namespace waystation::adapters::iso8583
