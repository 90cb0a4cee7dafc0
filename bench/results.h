#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "grpcpp/support/status.h"
#include "waystation/v1/payment.pb.h"

namespace waystation::bench {

// What one call came back with.
struct CallResult {
  grpc::StatusCode code = grpc::StatusCode::OK;
  // Payments only, and only where code is OK.
  std::optional<v1::PaymentState> state = std::nullopt;
  v1::DeclineReason decline = v1::DECLINE_REASON_UNSPECIFIED;
  // Which of the kinds of calls of the run it was: 0 .. LoadShape::kinds - 1.
  size_t kind = 0;
  // For a person: the status message or the decline's text; empty where all is well.
  std::string detail = {};
};

CallResult ResultOf(const v1::Payment& payment);

// Whether a result can be named so: by a gRPC status, by the state of a payment, or by DECLINED and a reason.
bool IsResultName(std::string_view name);

// How often each result came. Threads: one at a time.
class ResultCounts {
 public:
  struct Line {
    std::string name;  // "OK", "SUCCEEDED", "CANCELLED", "DECLINED INSUFFICIENT_AVAILABLE_BALANCE", "UNAVAILABLE"
    uint64_t count = 0;
    bool declined = false;
    bool succeeded = false;
    std::string example;  // the detail of the first one
  };

  void Add(const CallResult& result);
  void Merge(const ResultCounts& other);

  uint64_t total() const;
  // In a fixed order.
  std::vector<Line> Lines() const;
  // Those that are neither a success nor, where declines are expected, a decline.
  uint64_t Unexpected(bool expect_declines) const;

 private:
  struct Entry {
    uint64_t count = 0;
    std::string example;
  };
  // Status code, state (-1: none), decline reason.
  std::map<std::tuple<int, int, int>, Entry> entries_;
};

}  // namespace waystation::bench
