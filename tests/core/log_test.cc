#include "switch/core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "switch/core/check.h"

namespace waystation::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeptLines final : public LogSink {
 public:
  void Write(LogLevel level, std::string_view component, std::string_view message, LogFields fields) override {
    std::string line = std::to_string(static_cast<int>(level)) + " ";
    line.append(component).append(": ").append(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append(field.is_number ? "=#" : "=").append(field.value);
    }
    lines.push_back(std::move(line));
  }
  void Flush() override { ++flushed; }

  std::vector<std::string> lines;
  int flushed = 0;
};

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { SetLogSink(nullptr, LogLevel::kDebug); }
  KeptLines kept_;
};

TEST_F(LogTest, WithoutASinkNothingIsLogged) {
  EXPECT_FALSE(IsLogged(LogLevel::kCritical));
  Log(LogLevel::kCritical, "test", "into the void");
  FlushLog();
  SetLogLevel(LogLevel::kDebug);
  EXPECT_FALSE(IsLogged(LogLevel::kCritical)) << "a level makes no sink";
  EXPECT_THAT(kept_.lines, IsEmpty());
}

TEST_F(LogTest, OnlyWhatIsLoudEnoughReachesTheSink) {
  SetLogSink(&kept_, LogLevel::kInfo);
  EXPECT_FALSE(IsLogged(LogLevel::kDebug));
  EXPECT_TRUE(IsLogged(LogLevel::kInfo));
  Log(LogLevel::kDebug, "test", "a step");
  Log(LogLevel::kInfo, "test", "news");
  SetLogLevel(LogLevel::kError);
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
  Log(LogLevel::kWarn, "test", "a warning");
  Log(LogLevel::kCritical, "test", "the end");
  SetLogLevel(LogLevel::kDebug);
  Log(LogLevel::kDebug, "test", "a step");
  FlushLog();
  EXPECT_THAT(kept_.lines, ElementsAre("1 test: news", "4 test: the end", "0 test: a step"));
  EXPECT_EQ(kept_.flushed, 1);
}

TEST_F(LogTest, FieldsAreTextsAndNumbers) {
  SetLogSink(&kept_, LogLevel::kDebug);
  const std::string owned = "owned";
  Log(LogLevel::kWarn, "test", "m",
      {{"a", "literal"}, {"b", owned}, {"c", std::string_view("view")}, {"d", -5}, {"e", uint64_t{1} << 63}});
  EXPECT_THAT(kept_.lines, ElementsAre("2 test: m a=literal b=owned c=view d=#-5 e=#9223372036854775808"));
}

TEST_F(LogTest, ABrokenInvariantIsALineThatIsFlushed) {
  // In a process of its own, whose sink says on stderr what it was given.
  class OnStderr final : public LogSink {
   public:
    void Write(LogLevel, std::string_view, std::string_view message, LogFields) override { kept_ = message; }
    void Flush() override { fprintf(stderr, "flushed: %s\n", kept_.c_str()); }

   private:
    std::string kept_;
  };
  EXPECT_DEATH(
      {
        OnStderr sink;
        SetLogSink(&sink, LogLevel::kInfo);
        WS_CHECK(1 + 1 == 3, "the sum");
      },
      "^flushed: .*log_test.cc:.*: invariant broken: 1 \\+ 1 == 3: the sum\n$");
}

TEST(MaskNumbersTest, LongRunsOfDigitsKeepTheirLastFour) {
  const struct {
    const char* text;
    const char* masked;
  } rows[] = {
      {"", ""},
      {"no digits", "no digits"},
      {"status 503 after 120000 ms", "status 503 after 120000 ms"},
      {"no such number 13800001234", "no such number *******1234"},
      {"1234567", "***4567"},
      {"a1234567b12345678", "a***4567b****5678"},
      {"127.0.0.1:45001", "127.0.0.1:45001"},
      {"户号 12345678 不存在", "户号 ****5678 不存在"},
  };
  for (const auto& row : rows) EXPECT_EQ(MaskNumbers(row.text), row.masked);
}

}  // namespace
}  // namespace waystation::core
