#include "adapters/iso8583/iso8583_biller.h"

#include <chrono>
#include <utility>

#include "adapters/iso8583/answers.h"
#include "adapters/iso8583/trace.h"
#include "fmt/format.h"

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

Reply CannotBeMade(const absl::Status& status) {
  Reply reply;
  reply.kind = Reply::Kind::kNotSent;
  reply.cause = std::string(status.message());
  return reply;
}

}  // namespace

Iso8583Biller::Identity Iso8583Biller::Fresh(Operation operation) {
  return {kRequest, operation, link_.NextTraceNumber(), Now()};
}

Message Iso8583Biller::Request(const Identity& identity, core::StationId station) const {
  Message request;
  request.set_mti(identity.mti);
  request.Set(3, parts_->file.dialect.processing_code(identity.operation));
  request.Set(7, TransmissionTime(identity.time));
  request.Set(11, TraceText(identity.trace));
  request.Set(12, LocalTime(identity.time));
  request.Set(13, LocalDate(identity.time));
  if (!acquirer_.empty()) request.Set(32, acquirer_);
  request.Set(41, parts_->terminal);
  request.Set(42, station.ToString());
  request.Set(49, parts_->file.dialect.currency);
  return request;
}

absl::StatusOr<Message> Iso8583Biller::RequestAbout(const Identity& identity, const PaymentRequest& payment) const {
  const Dialect& dialect = parts_->file.dialect;
  const bool is_payment = identity.operation == Operation::kPayment;
  Message request = Request(identity, payment.station);
  request.Set(4, fmt::format("{:012}", payment.amount.fen()));
  if (!is_payment) request.Set(90, OriginalElements(payment));
  absl::Status written = dialect.Write(dialect.customer_number, payment.customer_number, &request);
  written.Update(dialect.Write(dialect.our_reference, payment.payment_id.ToString(), &request));
  if (!is_payment && !payment.biller_reference.empty()) {
    written.Update(dialect.Write(dialect.biller_reference, payment.biller_reference, &request));
  }
  if (!written.ok()) return written;
  return request;
}

// Element 90: message type, trace number, transmission time and acquirer of the payment, and no forwarder.
std::string Iso8583Biller::OriginalElements(const PaymentRequest& payment) const {
  return fmt::format("{}{}{}{:0>{}}{:0>{}}", kRequest, TraceText(TraceOfPayment(payment.payment_id)),
                     TransmissionTime(payment.accepted_at), acquirer_, kInstitutionDigits, "", kInstitutionDigits);
}

asio::awaitable<Reply> Iso8583Biller::Ask(absl::StatusOr<Message> message, const PaymentRequest& payment,
                                          Exchange::OnLate on_late, Deadline deadline) {
  if (!message.ok()) co_return CannotBeMade(message.status());
  co_return co_await link_.Ask(*std::move(message), payment.payment_id.ToString(), std::move(on_late), deadline);
}

asio::awaitable<InquiryOutcome> Iso8583Biller::Inquire(InquiryRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  const Dialect& dialect = parts_->file.dialect;
  Message message = Request(Fresh(Operation::kInquiry), request.station);
  const absl::Status written = dialect.Write(dialect.customer_number, request.customer_number, &message);
  if (!written.ok()) co_return NotSent{std::string(written.message())};
  const Reply reply = co_await link_.Ask(std::move(message), "", {}, deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  co_return ReadInquiry(*parts_, reply.message);
}

asio::awaitable<PayOutcome> Iso8583Biller::Pay(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  const Identity identity{kRequest, Operation::kPayment, TraceOfPayment(request.payment_id), request.accepted_at};
  Exchange::OnLate on_late;
  if (late_ != nullptr) on_late = [this, request](const Message& answer) { OnLate(answer, request); };
  const Reply reply = co_await Ask(RequestAbout(identity, request), request, std::move(on_late), deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  co_return ReadPay(*parts_, reply.message, request);
}

// A decline that comes late is nothing to act upon: a query has it, if nothing else has been settled meanwhile. An
// approval that can't be used has been alarmed.
void Iso8583Biller::OnLate(const Message& answer, const PaymentRequest& request) {
  PayOutcome outcome = ReadPay(*parts_, answer, request);
  if (auto* approved = std::get_if<Approved>(&outcome)) link_.TellLate(late_, request, std::move(*approved));
}

asio::awaitable<QueryOutcome> Iso8583Biller::Query(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{TooLate().cause};
  const Identity identity = Fresh(Operation::kQuery);
  const Reply reply = co_await Ask(RequestAbout(identity, request), request, {}, deadline);
  if (reply.kind != Reply::Kind::kAnswered) co_return Unknown{reply.cause};
  co_return ReadQuery(*parts_, reply.message, request);
}

// A repeat differs from the first in its type alone, so that the host knows it for one.
asio::awaitable<ReverseOutcome> Iso8583Biller::Reverse(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return Unknown{TooLate().cause};
  const std::string_view mti = request.earlier_attempts == 0 ? kReversalAdvice : kReversalAdviceRepeat;
  const Identity identity{mti, Operation::kReversal, TraceOfAdvice(request.payment_id), request.accepted_at};
  const Reply reply = co_await Ask(RequestAbout(identity, request), request, {}, deadline);
  if (reply.kind != Reply::Kind::kAnswered) co_return Unknown{reply.cause};
  co_return ReadReverse(*parts_, reply.message);
}

asio::awaitable<CancelOutcome> Iso8583Biller::Cancel(PaymentRequest request, Deadline deadline) {
  if (Passed(deadline)) co_return TooLate();
  const Identity identity = Fresh(Operation::kCancel);
  const Reply reply = co_await Ask(RequestAbout(identity, request), request, {}, deadline);
  if (reply.kind == Reply::Kind::kNotSent) co_return NotSent{reply.cause};
  if (reply.kind == Reply::Kind::kUnknown) co_return Unknown{reply.cause};
  co_return ReadCancel(*parts_, reply.message);
}

asio::awaitable<bool> Iso8583Biller::Probe(Deadline deadline) {
  if (Passed(deadline)) co_return false;
  co_return co_await link_.Echo(deadline);
}

}  // namespace waystation::adapters::iso8583
