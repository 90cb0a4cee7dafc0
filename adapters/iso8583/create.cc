#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "adapters/iso8583/iso8583_biller.h"
#include "fmt/format.h"

// Reads the settings of README.md.
namespace waystation::adapters::iso8583 {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kMostMs = 3'600'000;
constexpr uint64_t kMostConnections = 16;
constexpr size_t kTerminalCharacters = 8;
constexpr size_t kMostAcquirerDigits = 11;

// "host:port".
bool ReadAddress(const std::string& text, LinkParts* parts) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const char* end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data() + colon + 1, end, parts->port);
  parts->host = text.substr(0, colon);
  return error == std::errc() && parsed_to == end && parts->port != 0;
}

bool IsTerminal(const std::string& text) {
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  return text.size() == kTerminalCharacters && std::all_of(text.begin(), text.end(), printable);
}

bool IsAcquirer(const std::string& text) {
  return text.size() <= kMostAcquirerDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

absl::Status BadSetting(std::string_view name, const absl::Status& status) {
  return absl::InvalidArgumentError(fmt::format("settings.{}: {}", name, std::string(status.message())));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BillerAdapter>> Iso8583Biller::Create(const Settings& settings,
                                                                     const CardOverrides& overrides) {
  auto parts = std::make_shared<LinkParts>();
  SettingsReader reader(settings);
  const std::string specification = reader.Text("specification");
  const std::string address = reader.Text("address");
  parts->terminal = reader.Text("terminal");
  const std::string acquirer = reader.Text("acquirer", "");
  const std::string mac_key_file = reader.Text("mac_key_file", "");
  parts->sign_on = reader.Number("sign_on", 0, 1, 1) == 1;
  parts->connections = reader.Number("connections", 1, kMostConnections, parts->connections);
  const auto read_ms = [&reader](const char* name, uint64_t least, milliseconds* time) {
    *time = milliseconds(reader.Number(name, least, kMostMs, static_cast<uint64_t>(time->count())));
  };
  read_ms("connect_timeout_ms", 1, &parts->connect_timeout);
  read_ms("echo_interval_ms", 0, &parts->echo_interval);
  read_ms("echo_timeout_ms", 1, &parts->echo_timeout);
  read_ms("stall_limit_ms", 1, &parts->stall_limit);
  read_ms("least_backoff_ms", 1, &parts->least_backoff);
  read_ms("most_backoff_ms", 1, &parts->most_backoff);
  if (!address.empty() && !ReadAddress(address, parts.get())) {
    reader.Refuse("address", fmt::format("\"{}\" is not understood; expected HOST:PORT", address));
  }
  if (!parts->terminal.empty() && !IsTerminal(parts->terminal)) {
    reader.Refuse("terminal", fmt::format("\"{}\"; expected {} characters without blanks, as element 41 has them",
                                          parts->terminal, kTerminalCharacters));
  }
  if (!IsAcquirer(acquirer)) {
    reader.Refuse("acquirer", fmt::format("\"{}\"; expected at most {} digits", acquirer, kMostAcquirerDigits));
  }
  if (parts->most_backoff < parts->least_backoff) reader.Refuse("most_backoff_ms", "less than least_backoff_ms");
  if (absl::Status status = reader.Finish(); !status.ok()) return status;

  absl::StatusOr<HostFile> file = HostFile::Load(specification);
  if (!file.ok()) return BadSetting("specification", file.status());
  parts->file = *std::move(file);
  if (!acquirer.empty() && parts->file.specification.field(32) == nullptr) {
    return BadSetting("acquirer", absl::InvalidArgumentError(fmt::format("{} has no element 32 to send it in; expected "
                                                                         "one, or no acquirer",
                                                                         specification)));
  }
  if (!mac_key_file.empty()) {
    if (absl::Status status = CheckMacFields(parts->file.specification); !status.ok()) {
      return BadSetting("mac_key_file", status);
    }
    absl::StatusOr<std::unique_ptr<Mac>> mac = Mac::FromFile(mac_key_file);
    if (!mac.ok()) return BadSetting("mac_key_file", mac.status());
    parts->mac = *std::move(mac);
  }
  absl::StatusOr<CapabilityCard> card = WithOverrides(parts->file.card, overrides);
  if (!card.ok()) return card.status();
  return std::unique_ptr<BillerAdapter>(new Iso8583Biller(std::move(parts), *std::move(card), acquirer));
}

}  // namespace waystation::adapters::iso8583
