#include "adapters/result_codes.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters {
namespace {

using ::testing::HasSubstr;

TEST(ResultCodes, MeanWhatTheTableSays) {
  const auto codes =
      ResultCodes::Parse("00 success\n\n  14  declined  no such account \r\n25 never_received\n96 unknown");
  ASSERT_TRUE(codes.ok()) << codes.status();
  EXPECT_EQ(codes->Of("00").meaning, CodeMeaning::kSuccess);
  EXPECT_EQ(codes->Of("14").meaning, CodeMeaning::kDeclined);
  EXPECT_EQ(codes->Of("14").text, "no such account");
  EXPECT_EQ(codes->Of("25").meaning, CodeMeaning::kNeverReceived);
  EXPECT_EQ(codes->Of("96").meaning, CodeMeaning::kUnknown);
}

TEST(ResultCodes, WhatTheTableLacksIsUnknown) {
  const ResultCodes codes = *ResultCodes::Parse("00 success\n14 declined a");
  for (const std::string code : {"", "0", "000", "15", " 00", "00 "}) {
    EXPECT_EQ(codes.Of(code).meaning, CodeMeaning::kUnknown) << code;
  }
}

TEST(ResultCodes, FaultsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "no code means success"},
      {"14 declined a", "no code means success"},
      {"00", "\"00\" does not say what the code means"},
      {"00 succes", "\"00 succes\" does not say what the code means"},
      {"00 success yes", "\"00 success yes\" has something after its meaning"},
      {"14 declined", "\"14 declined\" has no reason"},
      {"00 success\n00 unknown", "\"00 unknown\" has a code that has a line already"},
      {"00 declined " + std::string(201, 'a'), "has too long a reason"},
      {std::string(33, '0') + " success", "has too long a code"},
  };
  for (const auto& [table, fault] : rows) {
    const auto codes = ResultCodes::Parse(table);
    ASSERT_FALSE(codes.ok()) << table;
    EXPECT_THAT(std::string(codes.status().message()), HasSubstr(fault));
  }
}

}  // namespace
}  // namespace waystation::adapters
