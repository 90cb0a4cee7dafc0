#include "switch/ctl/exit_status.h"

namespace waystation::ctl {

Verdict VerdictOn(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return {ExitStatus::kDone, ""};
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
      return {ExitStatus::kBadUsage, "correct what is named; the command's --help has an example"};
    case grpc::StatusCode::NOT_FOUND:
      return {ExitStatus::kRefused,
              "check the id; `station list`, `biller list` and `payment list` show what there is"};
    case grpc::StatusCode::ALREADY_EXISTS:
      return {ExitStatus::kRefused, "it stands with other content: look at it, and choose a new id for something new"};
    case grpc::StatusCode::FAILED_PRECONDITION:
      return {ExitStatus::kRefused, "bring about what the message expects, then repeat the command"};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED: return {ExitStatus::kRefused, "use credentials that may do this"};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {ExitStatus::kNotKnownYet,
              "whether it was done is not known: repeat the very same command, perhaps with a longer --timeout"};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {ExitStatus::kNotKnownYet, "the switch is full at present: repeat the very same command in a moment"};
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::UNKNOWN:
      return {ExitStatus::kNotKnownYet, "whether it was done is not known: repeat the very same command"};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {ExitStatus::kFault, "this switchd does not have the call: use switchctl and switchd of one version"};
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::DO_NOT_USE: break;
  }
  return {ExitStatus::kFault, "the switch has a fault: read its log before you repeat the command"};
}

ExitStatus ExitForPay(v1::PaymentState state) {
  switch (state) {
    case v1::PAYMENT_STATE_SUCCEEDED: return ExitStatus::kDone;
    case v1::PAYMENT_STATE_DECLINED:
    case v1::PAYMENT_STATE_REVERSED:
    // An old request that was asked for again: it is not paid now, and this request will never pay it.
    case v1::PAYMENT_STATE_CANCELLED:
    case v1::PAYMENT_STATE_ADJUSTED: return ExitStatus::kRefused;
    case v1::PAYMENT_STATE_HELD:
    case v1::PAYMENT_STATE_UNKNOWN:
    case v1::PAYMENT_STATE_REVERSING:
    case v1::PAYMENT_STATE_CANCELLING:
    case v1::PAYMENT_STATE_REVIEW:
    case v1::PAYMENT_STATE_UNSPECIFIED:
    case v1::PaymentState_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::PaymentState_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  // Also a state of a newer switch: the proto says to treat it like UNKNOWN.
  return ExitStatus::kNotKnownYet;
}

ExitStatus ExitForCancel(const v1::CancelResponse& response) {
  if (response.has_decline()) return ExitStatus::kRefused;
  return response.payment().state() == v1::PAYMENT_STATE_CANCELLED ? ExitStatus::kDone : ExitStatus::kNotKnownYet;
}

}  // namespace waystation::ctl
