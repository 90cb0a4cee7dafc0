#pragma once

#include <string_view>

// What the sandbox does with a customer number: the table of README.md, which a test holds to it.
namespace waystation::adapters::sandbox {

enum class PayScript {
  kApproved,
  kApprovedSlowly,  // after kSlowAnswer
  kDeclined,
  kNotSent,
  kUnknown,
  kSilent,        // no answer until the deadline
  kApprovedLate,  // no answer until the deadline, and an approval after it
};
enum class QueryScript {
  kApproved,
  kApprovedFromThird,  // unknown to the first two
  kDeclined,
  kNeverReceived,
  kUnknown,
};
enum class ReverseScript { kTakenBack, kUnknown };
enum class CancelScript {
  kTakenBack,
  kTakenBackFromSecond,  // unknown to the first
  kRefused,
  kNoSuchPayment,
  kUnknown,
};

struct Script {
  int ending = 0;  // the last two digits
  bool has_account = true;
  PayScript pay = PayScript::kApproved;
  QueryScript query = QueryScript::kApproved;
  ReverseScript reverse = ReverseScript::kTakenBack;
  CancelScript cancel = CancelScript::kTakenBack;
};

// By the number's last two characters; all that the table does not have behaves well.
const Script& ScriptFor(std::string_view customer_number);

}  // namespace waystation::adapters::sandbox
