#pragma once

#include <string_view>

#include "grpcpp/support/status_code_enum.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::ctl {

// What switchctl ends with; a script may rely on it. The same table stands in `switchctl --help`.
enum class ExitStatus : int {
  kDone = 0,
  // Something is broken: a damaged journal, a fault inside the switch, output that could not be written.
  kFault = 1,
  kBadUsage = 2,
  // Declined or refused: nothing was changed, and repeating it changes nothing either.
  kRefused = 3,
  // The outcome is not known yet. Ask again; never start anew under another request id.
  kNotKnownYet = 4,
  // No connection, so nothing was sent.
  kUnreachable = 5,
};

// What an error of a call means, and what the person does next (a clause, without a full stop).
struct Verdict {
  ExitStatus exit = ExitStatus::kFault;
  std::string_view next;
};

// For a call on a connection that stood: UNAVAILABLE then means that it broke while the call was out.
Verdict VerdictOn(grpc::StatusCode code);

// How `pay` ends with a payment in this state: done only when it is paid.
ExitStatus ExitForPay(v1::PaymentState state);

// How `payment cancel` ends: done only when the money is back.
ExitStatus ExitForCancel(const v1::CancelResponse& response);

}  // namespace waystation::ctl
