#include <limits>

#include "adapters/json_object.h"
#include "adapters/sim/simulator.h"
#include "fmt/format.h"

namespace waystation::adapters::sim {
namespace {

namespace json = boost::json;
using HostConfig = SimulatorConfig::HostConfig;

absl::StatusOr<HostConfig> ParseHost(const json::value& value, size_t index) {
  const std::string where = fmt::format("hosts[{}].", index);
  if (!value.is_object()) return absl::InvalidArgumentError(fmt::format("hosts[{}]: not an object", index));
  HostConfig host;
  JsonObjectReader reader(value.get_object(), where);
  reader.Text("name", &host.name);
  reader.Text("protocol", &host.protocol);
  reader.Text("listen", &host.listen);
  reader.Text("latency", &host.latency);
  reader.Texts("faults", &host.faults);
  reader.TextMap("settings", &host.settings);
  if (absl::Status status = reader.Finish({"name", "protocol"}); !status.ok()) return status;
  return host;
}

}  // namespace

absl::StatusOr<SimulatorConfig> ParseSimulatorConfig(std::string_view text) {
  const absl::StatusOr<json::value> value = ParseJsonFile(text);
  if (!value.ok()) return value.status();
  SimulatorConfig config;
  JsonObjectReader reader(value->get_object(), "");
  reader.Text("books", &config.books);
  reader.Text("control", &config.control);
  reader.Number("seed", 0, std::numeric_limits<int64_t>::max(), &config.seed);
  const json::array* hosts = reader.List("hosts");
  if (absl::Status status = reader.Finish({"books", "hosts"}); !status.ok()) return status;
  for (const json::value& host : *hosts) {
    absl::StatusOr<HostConfig> parsed = ParseHost(host, config.hosts.size());
    if (!parsed.ok()) return parsed.status();
    config.hosts.push_back(*std::move(parsed));
  }
  return config;
}

}  // namespace waystation::adapters::sim
