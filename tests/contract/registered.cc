#include "tests/contract/registered.h"

namespace waystation::adapters {
namespace {

RegisteredCase Sandbox(const std::string& profile, const std::string& customer_number,
                       const std::string& unknown_customer_number) {
  return {.label = "sandbox_" + profile,
          .adapter = "sandbox",
          .settings = {{"profile", profile}},
          .slow_settings = {{"profile", profile}, {"latency_ms", "60000"}},
          .customer_number = customer_number,
          .unknown_customer_number = unknown_customer_number};
}

}  // namespace

const std::vector<RegisteredCase>& RegisteredCases() {
  static const std::vector<RegisteredCase> cases = {
      Sandbox("mobile", "13800138000", "13800138090"),
      Sandbox("electricity", "1234567800", "1234567890"),
      Sandbox("gas", "12345600", "12345690"),
  };
  return cases;
}

}  // namespace waystation::adapters
