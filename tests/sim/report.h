#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "tests/storage/simulated_clock.h"

namespace waystation::sim {

// What a run says: its trace, line by line, when it is asked for, and the first invariant that broke.
class Report {
 public:
  // `trace`: where the lines go; null: nowhere, and none is made.
  Report(const storage::SimulatedClock* clock, std::FILE* trace) : clock_(clock), trace_(trace) {}

  // `who` does or meets what the rest says.
  template <typename... Args>
  void Trace(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    if (trace_ != nullptr) Write(who, fmt::format(format, std::forward<Args>(args)...));
  }

  // An invariant is broken. The run goes no further.
  void Broken(std::string what) {
    if (!broken_.empty()) return;
    broken_ = std::move(what);
    if (trace_ != nullptr) Write("BROKEN", broken_);
  }
  // Empty while all holds.
  const std::string& broken() const { return broken_; }
  // Of all lines.
  uint64_t trace_hash() const { return hash_; }

 private:
  void Write(std::string_view who, const std::string& what) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->Steady() - core::SteadyTime());
    const std::string line = fmt::format("{:>12.3f} {:<9} {}\n", static_cast<double>(since.count()) / 1e3, who, what);
    for (const char c : line) hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 0x100000001B3U;  // FNV-1a
    std::fwrite(line.data(), 1, line.size(), trace_);
  }

  const storage::SimulatedClock* const clock_;
  std::FILE* const trace_;
  std::string broken_;
  uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace waystation::sim
