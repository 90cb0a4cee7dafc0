#pragma once

#include <cstdint>

namespace waystation::sim {

// A biller is down for `minutes` of simulated time at peak: 1,000 payments a second, a third of them to it, and a third
// to each of two others. Memory is bounded, nothing is lost, all is resolved after it returns, and the others do not
// notice. Prints what came of it; true when that is so.
bool RunOutage(uint64_t minutes, uint64_t seed);

}  // namespace waystation::sim
