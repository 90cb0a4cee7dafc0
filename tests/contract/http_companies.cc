#include "tests/contract/http_companies.h"

#include <chrono>
#include <memory>
#include <string>

#include "fmt/format.h"
#include "tests/adapters/http_hosts.h"
#include "tests/contract/registered.h"

namespace waystation::adapters {
namespace {

// Two of them: one that answers at once, and one that takes longer than anybody waits.
struct Hosts {
  HttpHosts usual;
  HttpHosts slow;
};

// What happens to a payment by the last two digits of its customer number.
constexpr std::string_view kFaults[] = {"91 decline", "92 cut_middle", "93 cut_unheard",     "94 cut_before",
                                        "95 garbage", "96 silent",     "98 wrong_reference", "99 drip delay_ms=60000"};

absl::StatusOr<int> Effects(HttpHosts& hosts, const std::string& host, core::PaymentId payment) {
  const std::string text = hosts.simulator().Do(fmt::format("effect {} {}", host, payment.ToString()));
  const std::string applied = "applied times=";
  if (!text.starts_with(applied)) return 0;
  return std::stoi(text.substr(applied.size()));
}

conformance::Target Target(const std::string& host, const std::string& adapter, Settings (HttpHosts::*settings)(),
                           const std::string& number, const std::string& unreachable, const std::string& more) {
  const auto hosts = std::make_shared<Hosts>();
  hosts->slow.simulator().Do(fmt::format("latency {} fixed 60000", host));
  for (const std::string_view fault : kFaults) hosts->usual.simulator().Do(fmt::format("fault {} pay {}", host, fault));
  const std::string scenario = fmt::format(R"(
      good {0}00
      good {0}01
      good {0}02
      good {0}03
      no_account {0}90
      declined {0}90
      declined {0}91
      unknown_effect {0}92 cut in the middle of the answer
      unknown_no_effect {0}93 cut before the host takes it up
      unknown_effect {0}94 cut before the answer
      unknown_effect {0}95 random bytes
      silent {0}96
      unknown_effect {0}98 another payment's answer
      silent {0}99 a byte a minute
      {1}
      )",
                                           number, more);
  // billersim takes nothing up late.
  CardOverrides overrides;
  overrides.settling_time = std::chrono::milliseconds(500);
  conformance::Target target = RegisteredTarget(adapter, (hosts->usual.*settings)(), scenario, overrides);
  target.scenario.slow = {{"url", (hosts->slow.*settings)()["url"]}};
  target.scenario.unreachable = {{"url", unreachable}};
  if (adapter == "mobile_json") target.scenario.slow["ca_file"] = hosts->slow.authority().file();
  target.effects = [hosts, host](core::PaymentId payment) { return Effects(hosts->usual, host, payment); };
  target.host = hosts;
  return target;
}

}  // namespace

conformance::Target CarrierTarget() {
  return Target("mobile", "mobile_json", &HttpHosts::MobileSettings, "138001380", "https://127.0.0.1:1",
                "cancel_refused 13800138097");
}

conformance::Target GasCompanyTarget() {
  return Target("gas", "gas_xml", &HttpHosts::GasSettings, "123456", "http://127.0.0.1:1", "");
}

}  // namespace waystation::adapters
