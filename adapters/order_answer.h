#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/biller_adapter.h"
#include "adapters/result_codes.h"
#include "switch/core/money.h"

// What a host says about an order (our payment id), once a codec has decoded it, and what that settles: the rules are
// here, so that no protocol has its own.
namespace waystation::adapters {

// What has become of an order.
enum class OrderState { kProcessing, kPaid, kRefused, kTakenBack };

// "processing", "paid", "refused", "taken_back"; null for any other word.
std::optional<OrderState> ParseOrderState(std::string_view word);

// Texts are UTF-8 and of bounded length; what the host leaves out is empty.
struct OrderAnswer {
  std::string code;
  std::string order;
  std::optional<OrderState> state;
  std::string refusal;  // the code that the order was refused with
  std::string reference;
  std::string name;  // masked
  std::optional<core::Money> amount;
  std::optional<core::Money> owed;
};

// The answer is one to this very request; that is for the adapter to have checked. An answer that contradicts itself
// settles nothing: it names another order or amount, or a state that its code denies.
//
// A declining code declines; success approves only where the host says that this order, over this amount, is paid, and
// under which reference. Anything else is Unknown.
PayOutcome PayOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request);
// A declining code declines the query, and so settles nothing; that the order was refused, its state says.
QueryOutcome QueryOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request);
// Success takes it back where the host says that this order is taken back.
ReverseOutcome ReverseOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request);
// The same. That there is no such payment settles nothing, as the host approved it once.
CancelOutcome CancelOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes, const PaymentRequest& request);
// Success finds; `owed` is 0 where the host does not say.
InquiryOutcome InquiryOutcomeOf(const OrderAnswer& answer, const ResultCodes& codes);

// The cause of an Unknown: an answer to `operation` that settles nothing.
Unknown SettlesNothing(std::string_view operation, const OrderAnswer& answer);

}  // namespace waystation::adapters
