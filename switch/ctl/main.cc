#include <iostream>

#include "switch/ctl/command_line.h"

int main(int argc, char** argv) {
  return waystation::ctl::RunSwitchctl(argc, argv, std::cout, std::cerr);
}
