#include "switch/rpc/call_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "waystation/v1/account_service.pb.h"
#include "waystation/v1/admin_service.pb.h"
#include "waystation/v1/exception_service.pb.h"
#include "waystation/v1/journal_service.pb.h"
#include "waystation/v1/operations_service.pb.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::rpc {
namespace {

TEST(CallTally, EveryCallOfTheApiHasItsMethod) {
  std::set<std::string> named;
  for (size_t method = 0; method < kMethods; ++method) named.emplace(Name(static_cast<Method>(method)));
  EXPECT_EQ(named.size(), kMethods) << "no two share a name";
  std::set<std::string> offered;
  for (const google::protobuf::Descriptor* of :
       {v1::GetAccountRequest::descriptor(), v1::ListStationsRequest::descriptor(),
        v1::ListExceptionsRequest::descriptor(), v1::StreamJournalRequest::descriptor(),
        v1::GetStatusRequest::descriptor(), v1::PayRequest::descriptor()}) {
    const google::protobuf::FileDescriptor* file = of->file();
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        offered.insert(fmt::format("{}/{}", file->service(s)->name(), file->service(s)->method(m)->name()));
      }
    }
  }
  EXPECT_EQ(named, offered);
}

TEST(CallTally, CodesHaveTheNamesThatAbslGivesThem) {
  for (size_t code = 0; code < kCodes; ++code) {
    EXPECT_EQ(CodeName(code), absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
  }
}

TEST(CallTally, CountsByMethodAndCode) {
  CallTally tally;
  tally.Of(Method::kPay)->Add(0);
  tally.Of(Method::kPay)->Add(0);
  tally.Of(Method::kPay)->Add(8);
  tally.Of(Method::kCancel)->Add(8);
  tally.Of(Method::kCancel)->Add(17);  // no code of gRPC's
  const CallTally& seen = tally;
  EXPECT_EQ(seen.Of(Method::kPay).count(0), 2u);
  EXPECT_EQ(seen.Of(Method::kPay).count(8), 1u);
  EXPECT_EQ(seen.Of(Method::kCancel).count(8), 1u);
  EXPECT_EQ(seen.Of(Method::kCancel).count(2), 1u) << "UNKNOWN";
}

}  // namespace
}  // namespace waystation::rpc
