#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "switch/ctl/command_line.h"

namespace waystation::ctl {

// What one run of the program did.
struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

inline Ran RunWith(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"switchctl"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out;
  std::ostringstream err;
  const int exit = RunSwitchctl(static_cast<int>(argv.size()), argv.data(), out, err);
  return {exit, out.str(), err.str()};
}

}  // namespace waystation::ctl
