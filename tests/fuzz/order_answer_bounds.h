#pragma once

#include "adapters/order_answer.h"
#include "adapters/plain_text.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::adapters {

// Whatever bytes it was decoded from, the parts of an answer keep to their bounds.
inline void CheckBounds(const OrderAnswer& answer) {
  WS_CHECK(!answer.code.empty() && IsPlainText(answer.code, core::kMaxBillerCodeBytes), "a code");
  WS_CHECK(IsPlainText(answer.reference, core::kMaxBillerReferenceBytes), "a reference can be kept");
  WS_CHECK(IsPlainText(answer.name, core::kMaxNameBytes), "a name can be printed");
  for (const auto& amount : {answer.amount, answer.owed}) {
    WS_CHECK(!amount || (*amount >= core::Money() && *amount <= core::kMaxAmount), "an amount is one of money");
  }
}

}  // namespace waystation::adapters
