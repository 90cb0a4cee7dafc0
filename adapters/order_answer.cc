#include "adapters/order_answer.h"

#include <utility>
#include <variant>

#include "fmt/format.h"

namespace waystation::adapters {
namespace {

// It is about this payment and none other.
bool IsAbout(const OrderAnswer& answer, const PaymentRequest& request) {
  return answer.order == request.payment_id.ToString() && answer.amount == request.amount;
}

std::variant<Approved, Unknown> Approval(const OrderAnswer& answer, const PaymentRequest& request) {
  if (!IsAbout(answer, request)) {
    return Unknown{fmt::format("the host approves order {} over {} yuan; expected {} over {}", answer.order,
                               answer.amount ? core::FormatYuan(*answer.amount) : "no", request.payment_id.ToString(),
                               core::FormatYuan(request.amount))};
  }
  if (answer.reference.empty()) return Unknown{"the host approves without a reference of its own"};
  return Approved{answer.reference, "", answer.name};
}

// Every alternative of Approval is one of Outcome.
template <typename Outcome>
Outcome ApprovalAs(const OrderAnswer& answer, const PaymentRequest& request) {
  return std::visit([](auto&& approval) { return Outcome(std::move(approval)); }, Approval(answer, request));
}

QueryOutcome FromState(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  if (!answer.state || !IsAbout(answer, request)) return SettlesNothing("a query", answer);
  switch (*answer.state) {
    case OrderState::kPaid: return ApprovalAs<QueryOutcome>(answer, request);
    case OrderState::kRefused: {
      const ResultCode& code = codes.Of(answer.refusal);
      if (code.meaning == CodeMeaning::kDeclined) return Declined{answer.refusal, code.text};
      return Unknown{
          fmt::format("the host refused it with code {}, which the table does not have as declined", answer.refusal)};
    }
    case OrderState::kTakenBack: return Declined{"", "taken back at the biller"};
    case OrderState::kProcessing: return Unknown{"the host is still at work on it"};
  }
  return SettlesNothing("a query", answer);
}

}  // namespace

std::optional<OrderState> ParseOrderState(std::string_view word) {
  if (word == "processing") return OrderState::kProcessing;
  if (word == "paid") return OrderState::kPaid;
  if (word == "refused") return OrderState::kRefused;
  if (word == "taken_back") return OrderState::kTakenBack;
  return std::nullopt;
}

PayOutcome PayOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  const ResultCode& code = codes.Of(answer.code);
  if (code.meaning == CodeMeaning::kDeclined) return Declined{answer.code, code.text};
  if (code.meaning == CodeMeaning::kSuccess && answer.state == OrderState::kPaid) {
    return ApprovalAs<PayOutcome>(answer, request);
  }
  return SettlesNothing("a payment", answer);
}

QueryOutcome QueryOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  switch (codes.Of(answer.code).meaning) {
    case CodeMeaning::kSuccess: return FromState(answer, codes, request);
    case CodeMeaning::kNeverReceived: return NeverReceived{};
    case CodeMeaning::kDeclined:
    case CodeMeaning::kUnknown: break;
  }
  return SettlesNothing("a query", answer);
}

InquiryOutcome InquiryOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes) {
  const ResultCode& code = codes.Of(answer.code);
  if (code.meaning == CodeMeaning::kDeclined) return Declined{answer.code, code.text};
  if (code.meaning != CodeMeaning::kSuccess) return SettlesNothing("an inquiry", answer);
  return InquiryFound{answer.name, answer.owed.value_or(core::Money())};
}

Unknown SettlesNothing(std::string_view operation, const OrderAnswer& answer) {
  return Unknown{fmt::format("the answer to {} says nothing that settles it: code {}", operation, answer.code)};
}

}  // namespace waystation::adapters
