#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "switch/core/business_date.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"
#include "switch/flow/next_step.h"
#include "switch/flow/router.h"

namespace re2 {
class RE2;
}

// Shapes of input, checked at the edge. Each failure is kInvalidArgument and reads "field: what is wrong; expected
// ...".
namespace waystation::rpc {

absl::StatusOr<core::StationId> CheckStation(std::string_view field, std::string_view text);
absl::StatusOr<core::PaymentId> CheckPaymentId(std::string_view text);
absl::StatusOr<core::BusinessDate> CheckDate(std::string_view field, std::string_view text);
absl::Status CheckOperator(std::string_view field, std::string_view text);
absl::Status CheckRequestId(std::string_view text);
absl::Status CheckBillerId(std::string_view text);
absl::Status CheckCustomerNumber(std::string_view text);
// `least` .. core::kMaxAmount.
absl::StatusOr<core::Money> CheckAmount(std::string_view field, int64_t fen, core::Money least);
// At most `most` bytes; at least one when `required`. Control characters are refused.
absl::Status CheckText(std::string_view field, std::string_view text, size_t most, bool required);
// The numbers of the API's PaymentOwner and NextAction.
absl::StatusOr<std::vector<flow::Owner>> CheckOwners(const google::protobuf::RepeatedField<int>& owners);
absl::StatusOr<std::vector<flow::NextAction>> CheckNextActions(const google::protobuf::RepeatedField<int>& actions);
// 0 becomes the default.
absl::StatusOr<uint32_t> CheckPageSize(uint32_t size);

// By when a call wants its answer: after `wait_ms` (or the default), but before its own deadline. kDeadlineExceeded
// when that has passed.
absl::StatusOr<std::chrono::steady_clock::time_point> CheckWait(bool has_wait, uint32_t wait_ms,
                                                                std::chrono::system_clock::time_point deadline);

// The billers' patterns of customer numbers, compiled once. Any thread.
class CustomerNumberPatterns {
 public:
  explicit CustomerNumberPatterns(const flow::Router& router);
  ~CustomerNumberPatterns();

  // kNotFound for a biller that is not there, kInvalidArgument for a number that does not match.
  absl::Status Check(const std::string& biller_id, const std::string& customer_number) const;

 private:
  struct Pattern {
    std::unique_ptr<re2::RE2> expression;
    std::string hint;
  };
  std::map<std::string, Pattern> patterns_;
};

}  // namespace waystation::rpc
