#include "switch/ctl/exit_status.h"

#include <gtest/gtest.h>

namespace waystation::ctl {
namespace {

TEST(ExitStatusTest, OfEveryGrpcStatus) {
  struct Case {
    grpc::StatusCode code;
    ExitStatus exit;
  };
  const Case cases[] = {
      {grpc::StatusCode::OK, ExitStatus::kDone},
      {grpc::StatusCode::CANCELLED, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::UNKNOWN, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::INVALID_ARGUMENT, ExitStatus::kBadUsage},
      {grpc::StatusCode::DEADLINE_EXCEEDED, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::NOT_FOUND, ExitStatus::kRefused},
      {grpc::StatusCode::ALREADY_EXISTS, ExitStatus::kRefused},
      {grpc::StatusCode::PERMISSION_DENIED, ExitStatus::kRefused},
      {grpc::StatusCode::UNAUTHENTICATED, ExitStatus::kRefused},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::FAILED_PRECONDITION, ExitStatus::kRefused},
      {grpc::StatusCode::ABORTED, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::OUT_OF_RANGE, ExitStatus::kBadUsage},
      {grpc::StatusCode::UNIMPLEMENTED, ExitStatus::kFault},
      {grpc::StatusCode::INTERNAL, ExitStatus::kFault},
      {grpc::StatusCode::UNAVAILABLE, ExitStatus::kNotKnownYet},
      {grpc::StatusCode::DATA_LOSS, ExitStatus::kFault},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(VerdictOn(c.code).exit, c.exit) << "gRPC status " << c.code;
    EXPECT_EQ(VerdictOn(c.code).next.empty(), c.code == grpc::StatusCode::OK) << "gRPC status " << c.code;
  }
}

TEST(ExitStatusTest, OfPayByTheStateReached) {
  struct Case {
    v1::PaymentState state;
    ExitStatus exit;
  };
  const Case cases[] = {
      {v1::PAYMENT_STATE_HELD, ExitStatus::kNotKnownYet},
      {v1::PAYMENT_STATE_SUCCEEDED, ExitStatus::kDone},
      {v1::PAYMENT_STATE_DECLINED, ExitStatus::kRefused},
      {v1::PAYMENT_STATE_UNKNOWN, ExitStatus::kNotKnownYet},
      {v1::PAYMENT_STATE_REVERSING, ExitStatus::kNotKnownYet},
      {v1::PAYMENT_STATE_REVERSED, ExitStatus::kRefused},
      {v1::PAYMENT_STATE_CANCELLING, ExitStatus::kNotKnownYet},
      {v1::PAYMENT_STATE_CANCELLED, ExitStatus::kRefused},
      {v1::PAYMENT_STATE_REVIEW, ExitStatus::kNotKnownYet},
      {v1::PAYMENT_STATE_ADJUSTED, ExitStatus::kRefused},
      {v1::PAYMENT_STATE_UNSPECIFIED, ExitStatus::kNotKnownYet},
      {static_cast<v1::PaymentState>(99), ExitStatus::kNotKnownYet},
  };
  for (const Case& c : cases) EXPECT_EQ(ExitForPay(c.state), c.exit) << "state " << c.state;
}

TEST(ExitStatusTest, OfCancelIsDoneOnlyWhenTheMoneyIsBack) {
  v1::CancelResponse response;
  response.mutable_payment()->set_state(v1::PAYMENT_STATE_CANCELLED);
  EXPECT_EQ(ExitForCancel(response), ExitStatus::kDone);
  response.mutable_payment()->set_state(v1::PAYMENT_STATE_CANCELLING);
  EXPECT_EQ(ExitForCancel(response), ExitStatus::kNotKnownYet);
  response.mutable_payment()->set_state(v1::PAYMENT_STATE_SUCCEEDED);
  response.mutable_decline()->set_reason(v1::DECLINE_REASON_CANCEL_NOT_SUPPORTED);
  EXPECT_EQ(ExitForCancel(response), ExitStatus::kRefused);
}

}  // namespace
}  // namespace waystation::ctl
