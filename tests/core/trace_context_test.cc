#include "switch/core/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace waystation::core {
namespace {

// The recommendation's own example.
constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContextTest, WhatIsWellFormedComesBackAsItWas) {
  const auto trace = ParseTraceparent(kExample);
  ASSERT_TRUE(trace.has_value());
  EXPECT_TRUE(trace->has_value());
  EXPECT_EQ(trace->TraceId(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span_id.front(), 0x00);
  EXPECT_EQ(trace->span_id.back(), 0xb7);
  EXPECT_TRUE(trace->sampled);
  EXPECT_EQ(trace->ToTraceparent(), kExample);
  EXPECT_FALSE(TraceContext().has_value());
}

TEST(TraceContextTest, OfTheFlagsOnlyOneIsKnown) {
  const std::string ids = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
  const struct {
    const char* flags;
    const char* passed_on;
  } rows[] = {{"00", "00"}, {"01", "01"}, {"02", "00"}, {"03", "01"}, {"fe", "00"}, {"ff", "01"}};
  for (const auto& row : rows) {
    const auto trace = ParseTraceparent("00" + ids + row.flags);
    ASSERT_TRUE(trace.has_value()) << row.flags;
    EXPECT_EQ(trace->ToTraceparent(), "00" + ids + row.passed_on);
  }
}

TEST(TraceContextTest, OfAHigherVersionWhatIsKnownIsRead) {
  const std::string known = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  for (const std::string& text : {"01" + known, "cc" + known + "-what-the-future-will-be-like", "01" + known + "-"}) {
    const auto trace = ParseTraceparent(text);
    ASSERT_TRUE(trace.has_value()) << text;
    EXPECT_EQ(trace->ToTraceparent(), kExample);
  }
}

TEST(TraceContextTest, WhatIsNotWellFormedIsNone) {
  const struct {
    const char* why;
    const char* text;
  } rows[] = {
      {"empty", ""},
      {"one character short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"},
      {"version 00 and more", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"},
      {"version 00 and a space", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 "},
      {"a higher version, not set off", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"},
      {"the version that is none", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
      {"version in upper case", "CC-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
      {"a trace of zeros", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
      {"a span of zeros", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
      {"upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
      {"no digit in the trace", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"},
      {"no digit in the span", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b -01"},
      {"no digit in the flags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x"},
      {"another separator", "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
      {"another separator", "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"},
      {"another separator", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"},
  };
  for (const auto& row : rows) EXPECT_FALSE(ParseTraceparent(row.text).has_value()) << row.why;
}

}  // namespace
}  // namespace waystation::core
