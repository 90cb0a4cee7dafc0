#include "tests/crash/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "fmt/format.h"

namespace waystation::crash {

bool ReadOptions(int argc, char** argv, std::string_view usage, std::initializer_list<NumberOption> options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view text = i + 1 < argc ? argv[i + 1] : "";
    const auto* option =
        std::find_if(options.begin(), options.end(), [&](const NumberOption& known) { return known.name == name; });
    if (option == options.end()) {
      fmt::print(stderr, "{} is not understood; expected: {}\n", name, usage);
      return false;
    }
    const char* end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, *option->number);
    if (error != std::errc() || parsed_to != end) {
      fmt::print(stderr, "{} \"{}\": expected a number, as in: {}\n", name, text, usage);
      return false;
    }
  }
  return true;
}

}  // namespace waystation::crash
