#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "bench/load_generator.h"

namespace waystation::bench {

// How a load goes on, while it runs: on a terminal one line that is written anew with each report, elsewhere a line
// every ten seconds. Goes with the object, so that what is printed next begins on a clean line.
//
// Threads: one at a time.
class ProgressLine {
 public:
  // `what`: the plural of what is sent. `total_seconds`: warm-up and measured time. `out` null: nothing is written.
  ProgressLine(std::string_view what, double total_seconds, std::FILE* out);
  ~ProgressLine();

  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const Progress& progress);

 private:
  const std::string what_;
  const double total_seconds_;
  std::FILE* const out_;
  const bool terminal_;
  double next_line_s_;
};

}  // namespace waystation::bench
