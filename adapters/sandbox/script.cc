#include "adapters/sandbox/script.h"

namespace waystation::adapters::sandbox {
namespace {

using P = PayScript;
using Q = QueryScript;
using R = ReverseScript;
using C = CancelScript;

constexpr Script kScripts[] = {
    // ending, has an account, pay, query, reverse, cancel
    {88, true, P::kApprovedLate, Q::kUnknown, R::kTakenBack, C::kTakenBack},
    {89, true, P::kApprovedLate, Q::kNeverReceived, R::kTakenBack, C::kTakenBack},
    {90, false, P::kDeclined, Q::kDeclined, R::kTakenBack, C::kNoSuchPayment},
    {91, true, P::kNotSent, Q::kNeverReceived, R::kTakenBack, C::kNoSuchPayment},
    {92, true, P::kUnknown, Q::kApproved, R::kTakenBack, C::kTakenBack},
    {93, true, P::kUnknown, Q::kNeverReceived, R::kTakenBack, C::kNoSuchPayment},
    {94, true, P::kUnknown, Q::kUnknown, R::kUnknown, C::kUnknown},
    {95, true, P::kApprovedSlowly, Q::kApproved, R::kTakenBack, C::kTakenBack},
    {96, true, P::kSilent, Q::kApproved, R::kTakenBack, C::kTakenBack},
    {97, true, P::kApproved, Q::kApproved, R::kTakenBack, C::kRefused},
    {98, true, P::kApproved, Q::kApproved, R::kTakenBack, C::kTakenBackFromSecond},
    {99, true, P::kUnknown, Q::kApprovedFromThird, R::kTakenBack, C::kTakenBack},
};
constexpr Script kWellBehaved;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

const Script& ScriptFor(std::string_view customer_number) {
  if (customer_number.size() < 2) return kWellBehaved;
  const char tens = customer_number[customer_number.size() - 2];
  const char ones = customer_number.back();
  if (!IsDigit(tens) || !IsDigit(ones)) return kWellBehaved;
  const int ending = (tens - '0') * 10 + (ones - '0');
  for (const Script& script : kScripts) {
    if (script.ending == ending) return script;
  }
  return kWellBehaved;
}

}  // namespace waystation::adapters::sandbox
