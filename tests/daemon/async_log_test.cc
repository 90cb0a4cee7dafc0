#include "switch/daemon/async_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "switch/core/limits.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::daemon {
namespace {

using core::LogLevel;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AsyncLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<AsyncLog> Open(const std::string& format, const std::string& path) {
    config::v1::Log config;
    config.set_format(format);
    config.set_file(path);
    absl::StatusOr<std::unique_ptr<AsyncLog>> log = AsyncLog::Open(config);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  // The lines that a log of that format has of one call.
  std::string LineOf(const std::string& format, std::string_view message, core::LogFields fields) {
    const std::string path = folder_.Under(format);
    {
      const std::unique_ptr<AsyncLog> log = Open(format, path);
      log->Write(LogLevel::kWarn, "test", message, fields);
    }
    const std::vector<std::string> lines = LinesOf(ReadAll(path));
    EXPECT_THAT(lines, SizeIs(1));
    unlink(path.c_str());
    return lines.empty() ? "" : lines.front();
  }

  static std::string Text(const boost::json::value& value) { return std::string(value.as_string()); }

  storage::TemporaryFolder folder_;
};

TEST_F(AsyncLogTest, ALineOfJsonIsAnObject) {
  const std::string line =
      LineOf("json", "a message", {{"payment_id", "42"}, {"took_ms", 17}, {"nothing", ""}, {"biller", "gas"}});
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_THAT(Text(object.at("time")),
              MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9][.][0-9][0-9][0-9]Z"));
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_EQ(object.at("component"), "test");
  EXPECT_EQ(object.at("message"), "a message");
  EXPECT_EQ(object.at("payment_id"), "42");
  EXPECT_EQ(object.at("took_ms"), 17);
  EXPECT_EQ(object.at("biller"), "gas");
  EXPECT_FALSE(object.contains("nothing"));
  EXPECT_THAT(object, SizeIs(7));
}

TEST_F(AsyncLogTest, ALineOfTextIsForAPerson) {
  EXPECT_THAT(LineOf("text", "a message", {{"payment_id", "42"}, {"cause", "it \"said\" no"}, {"nothing", ""}}),
              EndsWith(" warning a message payment_id=42 cause=\"it \\\"said\\\" no\""));
}

// Whatever a biller says, a line is one line, and JSON has it as it was.
TEST_F(AsyncLogTest, WhatWouldBreakALineIsEscaped) {
  const struct {
    std::string text;
    std::string kept;
  } rows[] = {
      {"plain", "plain"},
      {"缴费 成功", "缴费 成功"},
      {"two\nlines\r\n\t", "two\nlines\r\n\t"},
      {"quotes \" and \\ and \\n", "quotes \" and \\ and \\n"},
      {std::string("zero \0 bell \a escape \x1b[31m delete \x7f", 31),
       std::string("zero \0 bell \a escape \x1b[31m delete \x7f", 31)},
      {"\",\"level\":\"forged", "\",\"level\":\"forged"},
      {"{} {:d} %v %l %%", "{} {:d} %v %l %%"},
      // Not UTF-8: a lone continuation, an overlong slash, a surrogate, a cut character.
      {"a \x80 b", "a ? b"},
      {"a \xc0\xaf b", "a ?? b"},
      {"a \xed\xa0\x80 b", "a ??? b"},
      {"a \xe7\xbc", "a ??"},
      {std::string(core::kMaxLogTextBytes + 1, 'x'), std::string(core::kMaxLogTextBytes, 'x')},
  };
  for (const auto& row : rows) {
    const boost::json::object object = boost::json::parse(LineOf("json", row.text, {{"cause", row.text}})).as_object();
    EXPECT_EQ(Text(object.at("message")), row.kept);
    EXPECT_EQ(Text(object.at("cause")), row.kept);
    EXPECT_EQ(object.at("level"), "warning");
    const std::string text = LineOf("text", row.text, {{"cause", row.text}});
    for (const char c : text) EXPECT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << static_cast<int>(c);
  }
}

TEST_F(AsyncLogTest, AFileIsAppendedTo) {
  const std::string path = folder_.Under("log");
  for (const char* message : {"first", "second"}) {
    const std::unique_ptr<AsyncLog> log = Open("text", path);
    log->Write(LogLevel::kInfo, "test", message, {});
    log->Flush();
    EXPECT_THAT(ReadAll(path), EndsWith(std::string(message) + "\n")) << "flushed while it is open";
  }
  EXPECT_THAT(LinesOf(ReadAll(path)), SizeIs(2));
}

TEST_F(AsyncLogTest, AFileThatCantBeOpenedIsAnErrorThatNamesIt) {
  config::v1::Log config;
  config.set_file(folder_.Under("nowhere/log"));
  const absl::Status status = AsyncLog::Open(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("log.file: " + config.file() + " can't be written to: No such file or directory; expected"));
}

// A pipe that nobody reads: the writing thread stands still, and whoever logs does not.
TEST_F(AsyncLogTest, WhatComesBeyondTheBoundIsLostCountedAndTold) {
  const std::string path = folder_.Under("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  std::unique_ptr<AsyncLog> log = Open("json", path);

  uint64_t infos = 0;
  while (log->lost_lines() == 0) {
    log->Write(LogLevel::kInfo, "test", "of no great matter", {{"n", infos++}});
    ASSERT_LT(infos, 1'000'000U);
  }
  EXPECT_GT(infos, core::kMaxLogLines);
  EXPECT_FALSE(log->WaitUntilWritten(std::chrono::milliseconds(1)));
  // A warning is still taken, until there is no room for those either.
  log->Write(LogLevel::kWarn, "test", "a warning", {});
  EXPECT_EQ(log->lost_lines(), 1U);
  uint64_t warnings = 1;
  while (log->lost_lines() == 1) {
    log->Write(LogLevel::kError, "test", "an error", {});
    ++warnings;
  }
  EXPECT_LE(warnings, core::kMaxLogLinesOfTrouble);
  const uint64_t lost = log->lost_lines();

  // Once it is read again all that was taken comes, in order, and what was lost is told.
  fcntl(reader, F_SETFL, 0);
  std::string text;
  std::thread ending([&log] { log.reset(); });
  std::vector<char> part(65'536);
  for (ssize_t got = 0; (got = read(reader, part.data(), part.size())) > 0;) text.append(part.data(), got);
  ending.join();
  close(reader);
  uint64_t seen = 0;
  uint64_t told = 0;
  int64_t next_info = 0;
  for (const std::string& line : LinesOf(text)) {
    const boost::json::object object = boost::json::parse(line).as_object();
    if (object.contains("lost_lines")) {
      told += static_cast<uint64_t>(object.at("lost_lines").as_int64());
      continue;
    }
    ++seen;
    if (!object.contains("n")) continue;
    EXPECT_EQ(object.at("n").as_int64(), next_info++);
  }
  EXPECT_EQ(told, lost);
  EXPECT_EQ(seen, infos + warnings - lost);
}

}  // namespace
}  // namespace waystation::daemon
