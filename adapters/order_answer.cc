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

// It names another order, or another amount.
bool IsAboutAnother(const OrderAnswer& answer, const PaymentRequest& request) {
  return (!answer.order.empty() && answer.order != request.payment_id.ToString()) ||
         (answer.amount && answer.amount != request.amount);
}

// Nothing in it speaks against the payment's having had no effect.
bool MayHaveNoEffect(const OrderAnswer& answer, const PaymentRequest& request) {
  return !IsAboutAnother(answer, request) && (!answer.state || answer.state == OrderState::kRefused);
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
  return std::visit([](const auto& approval) { return Outcome(approval); }, Approval(answer, request));
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

// An answer of success to a request to take it back.
std::variant<TakenBack, Unknown> TakingBack(const OrderAnswer& answer, const PaymentRequest& request) {
  const std::string order = request.payment_id.ToString();
  const bool done = answer.order == order && answer.state == OrderState::kTakenBack && !IsAboutAnother(answer, request);
  if (done) return TakenBack{};
  return Unknown{fmt::format("the host does not say that order {} over {} is taken back", order,
                             core::FormatYuan(request.amount))};
}

// It refuses to take it back, and does not say that this is done.
bool MayStand(const OrderAnswer& answer, const PaymentRequest& request) {
  return !IsAboutAnother(answer, request) && answer.state != OrderState::kTakenBack;
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
  if (code.meaning == CodeMeaning::kDeclined && MayHaveNoEffect(answer, request)) {
    return Declined{answer.code, code.text};
  }
  if (code.meaning == CodeMeaning::kSuccess && answer.state == OrderState::kPaid) {
    return ApprovalAs<PayOutcome>(answer, request);
  }
  return SettlesNothing("a payment", answer);
}

QueryOutcome QueryOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  switch (codes.Of(answer.code).meaning) {
    case CodeMeaning::kSuccess: return FromState(answer, codes, request);
    case CodeMeaning::kNeverReceived:
      if (MayHaveNoEffect(answer, request)) return NeverReceived{};
      break;
    case CodeMeaning::kDeclined:
    case CodeMeaning::kUnknown: break;
  }
  return SettlesNothing("a query", answer);
}

ReverseOutcome ReverseOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  const ResultCode& code = codes.Of(answer.code);
  switch (code.meaning) {
    case CodeMeaning::kSuccess:
      return std::visit([](const auto& said) { return ReverseOutcome(said); }, TakingBack(answer, request));
    case CodeMeaning::kDeclined:
      if (MayStand(answer, request)) return Declined{answer.code, code.text};
      break;
    case CodeMeaning::kNeverReceived:
      if (MayHaveNoEffect(answer, request)) return NeverReceived{};
      break;
    case CodeMeaning::kUnknown: break;
  }
  return SettlesNothing("reversal advice", answer);
}

CancelOutcome CancelOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request) {
  const ResultCode& code = codes.Of(answer.code);
  switch (code.meaning) {
    case CodeMeaning::kSuccess:
      return std::visit([](const auto& said) { return CancelOutcome(said); }, TakingBack(answer, request));
    case CodeMeaning::kDeclined:
      if (MayStand(answer, request)) return Declined{answer.code, code.text};
      break;
    // It approved the payment once: whether the money is there a person must find out.
    case CodeMeaning::kNeverReceived: return Unknown{"the host has no such payment to cancel"};
    case CodeMeaning::kUnknown: break;
  }
  return SettlesNothing("a cancel", answer);
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
