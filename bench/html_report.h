#pragma once

#include <string>

#include "bench/run_result.h"

namespace waystation::bench {

// A run as one page of HTML with its plots in it: nothing is loaded from elsewhere. Light or dark as the reader has it,
// and fit to be printed. Well-formed as XML, so that it can be checked.
std::string HtmlReport(const RunResult& result);

}  // namespace waystation::bench
