#include "bench/progress_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <string>

namespace waystation::bench {
namespace {

Progress At(double seconds) {
  return {.elapsed_seconds = seconds, .per_second = 4'980.4, .in_flight = 120, .failed = 3};
}

std::string AllOf(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  return text;
}

TEST(ProgressLine, ElsewhereThanOnATerminalWritesALineEveryTenSeconds) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    ProgressLine line("calls", 250, file);
    for (int second = 1; second <= 25; ++second) line.Show(At(second + 0.05));
  }
  EXPECT_EQ(AllOf(file),
            "10 of 250 s  4980 calls/s  120 in flight  3 failed\n"
            "20 of 250 s  4980 calls/s  120 in flight  3 failed\n");
  std::fclose(file);
}

TEST(ProgressLine, OnATerminalRewritesOneLineAndClearsItAtTheEnd) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  std::FILE* side = std::fopen(ptsname(terminal), "w");
  ASSERT_NE(side, nullptr);
  {
    ProgressLine line("calls", 9, side);
    line.Show(At(1));
    line.Show(At(2));
  }
  // What was written comes in as many pieces as it pleases, then the end.
  std::fclose(side);
  std::string text;
  std::array<char, 256> piece;
  for (ssize_t length = 0; (length = read(terminal, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<size_t>(length));
  }
  EXPECT_EQ(text,
            "\r\x1b[K1 of 9 s  4980 calls/s  120 in flight  3 failed"
            "\r\x1b[K2 of 9 s  4980 calls/s  120 in flight  3 failed\r\x1b[K");
  close(terminal);
}

TEST(ProgressLine, QuietWritesNothing) {
  ProgressLine line("calls", 9, nullptr);
  line.Show(At(100));
}

}  // namespace
}  // namespace waystation::bench
