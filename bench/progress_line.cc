#include "bench/progress_line.h"

#include <unistd.h>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr double kSecondsBetweenLines = 10;
constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::string_view what, double total_seconds, std::FILE* out)
    : what_(what),
      total_seconds_(total_seconds),
      out_(out),
      terminal_(out != nullptr && isatty(fileno(out)) != 0),
      next_line_s_(kSecondsBetweenLines) {}

ProgressLine::~ProgressLine() {
  if (!terminal_) return;
  fmt::print(out_, "{}", kClearLine);
  std::fflush(out_);
}

void ProgressLine::Show(const Progress& progress) {
  if (out_ == nullptr) return;
  if (!terminal_) {
    // Reports come a little late, never early.
    if (progress.elapsed_seconds < next_line_s_) return;
    next_line_s_ += kSecondsBetweenLines;
  }
  std::string line = fmt::format("{:.0f} of {:.0f} s  {:.0f} {}/s", progress.elapsed_seconds, total_seconds_,
                                 progress.per_second, what_);
  if (progress.in_flight.has_value()) line += fmt::format("  {} in flight", *progress.in_flight);
  if (progress.failed.has_value()) line += fmt::format("  {} failed", *progress.failed);
  fmt::print(out_, "{}{}{}", terminal_ ? kClearLine : "", line, terminal_ ? "" : "\n");
  std::fflush(out_);
}

}  // namespace waystation::bench
