#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace waystation::crash {

// A program's option that takes a number, "--rounds", and where it goes.
struct NumberOption {
  std::string_view name;
  uint64_t* number;
};

// Reads "--name N" pairs. False, with the fault and `usage` on stderr, when there is anything else.
bool ReadOptions(int argc, char** argv, std::string_view usage, std::initializer_list<NumberOption> options);

}  // namespace waystation::crash
