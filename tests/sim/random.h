#pragma once

#include <chrono>
#include <cstdint>

namespace waystation::sim {

// The one source of chance of a run (splitmix64): the same seed gives the same run on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  // 0 .. bound - 1.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // Both ends included.
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<uint64_t>(most - least + 1)));
  }
  bool Chance(uint32_t permille) { return Below(1'000) < permille; }
  std::chrono::milliseconds Millis(int64_t least, int64_t most) {
    return std::chrono::milliseconds(Between(least, most));
  }

 private:
  uint64_t state_;
};

}  // namespace waystation::sim
