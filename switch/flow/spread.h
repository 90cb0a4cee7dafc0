#pragma once

#include <chrono>
#include <cstdint>

// Chance that is none: the same in every run, as the simulation needs it.
namespace waystation::flow {

// The finalizer of MurmurHash3: spreads numbers that follow each other over all of 64 bits.
inline uint64_t Spread(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdULL;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return value ^ (value >> 33);
}

// Three to five quarters of `interval`, so that what failed together is not tried again together.
inline std::chrono::milliseconds Jittered(std::chrono::milliseconds interval, uint64_t seed) {
  const int64_t quarter = interval.count() / 4;
  const uint64_t steps = 2 * static_cast<uint64_t>(quarter) + 1;
  return interval - std::chrono::milliseconds(quarter) + std::chrono::milliseconds(Spread(seed) % steps);
}

}  // namespace waystation::flow
