#include "bench/results.h"

#include <gtest/gtest.h>

namespace waystation::bench {
namespace {

CallResult Succeeded() {
  return {.state = v1::PAYMENT_STATE_SUCCEEDED};
}
CallResult Declined() {
  return {.state = v1::PAYMENT_STATE_DECLINED,
          .decline = v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE,
          .detail = "too little"};
}
CallResult Unavailable() {
  return {.code = grpc::StatusCode::UNAVAILABLE, .detail = "gone"};
}

TEST(ResultCounts, NamesAndCountsEachKindOfResult) {
  ResultCounts counts;
  counts.Add({});
  counts.Add(Succeeded());
  counts.Add(Succeeded());
  counts.Add(Declined());
  counts.Add(Unavailable());
  const std::vector<ResultCounts::Line> lines = counts.Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].name, "OK");
  EXPECT_EQ(lines[1].name, "SUCCEEDED");
  EXPECT_EQ(lines[1].count, 2u);
  EXPECT_EQ(lines[2].name, "DECLINED INSUFFICIENT_AVAILABLE_BALANCE");
  EXPECT_EQ(lines[2].example, "too little");
  EXPECT_EQ(lines[3].name, "UNAVAILABLE");
  EXPECT_EQ(lines[3].example, "gone");
}

TEST(ResultCounts, OnlySuccessesAreExpectedAndDeclinesWhereSaid) {
  ResultCounts counts;
  counts.Add({});
  counts.Add(Succeeded());
  counts.Add(Declined());
  counts.Add(Unavailable());
  counts.Add({.state = v1::PAYMENT_STATE_UNKNOWN});
  counts.Add({.state = v1::PAYMENT_STATE_UNSPECIFIED});
  EXPECT_EQ(counts.Unexpected(/*expect_declines=*/false), 4u);
  EXPECT_EQ(counts.Unexpected(/*expect_declines=*/true), 3u);
}

TEST(ResultCounts, MergeAdds) {
  ResultCounts counts;
  counts.Add(Succeeded());
  ResultCounts other;
  other.Add(Succeeded());
  other.Add(Unavailable());
  counts.Merge(other);
  const std::vector<ResultCounts::Line> lines = counts.Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].count, 2u);
  EXPECT_EQ(lines[1].example, "gone");
}

TEST(ResultCounts, AStateThatThisBuildDoesNotKnowHasItsNumber) {
  ResultCounts counts;
  counts.Add({.state = static_cast<v1::PaymentState>(77)});
  EXPECT_EQ(counts.Lines().front().name, "state 77");
}

TEST(ResultCounts, ACancelThatCameThroughIsASuccess) {
  ResultCounts counts;
  counts.Add({.state = v1::PAYMENT_STATE_CANCELLED});
  counts.Add({.state = v1::PAYMENT_STATE_CANCELLING});
  EXPECT_EQ(counts.total(), 2u);
  EXPECT_EQ(counts.Unexpected(/*expect_declines=*/true), 1u);
}

TEST(IsResultName, KnowsWhatResultsAreCalledAndNothingElse) {
  for (const char* name : {"OK", "UNAVAILABLE", "SUCCEEDED", "UNKNOWN", "DECLINED NOT_SENT", "DECLINED"}) {
    EXPECT_TRUE(IsResultName(name)) << name;
  }
  for (const char* name : {"", "ok", "NOT_SENT", "DECLINED NOT-SENT", "SUCCEEDED NOT_SENT", "state 99"}) {
    EXPECT_FALSE(IsResultName(name)) << name;
  }
}

}  // namespace
}  // namespace waystation::bench
