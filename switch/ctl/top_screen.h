#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "waystation/v1/admin_service.pb.h"
#include "waystation/v1/operations_service.pb.h"

// The screen of `switchctl top`, from two looks at the switch.
namespace waystation::ctl {

// What was seen at a moment.
struct TopLook {
  v1::Statistics statistics;
  v1::SwitchStatus status;
  v1::ListBillersResponse billers;
  int64_t at_ms = 0;
};

struct TopView {
  std::string address = {};
  size_t columns = 80;  // 20 at least
  size_t rows = 0;      // 0: as many as there are lines
  // Otherwise those in trouble first.
  bool lanes_by_name = false;
  // At the end of the first line: paused, no answer, ...
  std::string note = {};
};

struct TopLine {
  enum class Look { kPlain, kTitle, kTrouble };
  std::string text;
  Look look = Look::kPlain;
};

// The lines, each within the view's columns. Rates and latencies are those of the time between the two looks; of the
// time since the switch's start where it was started anew between them, or `before` is of no look.
std::vector<TopLine> TopScreen(const TopLook& before, const TopLook& now, const TopView& view);

}  // namespace waystation::ctl
