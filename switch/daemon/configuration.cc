#include "switch/daemon/configuration.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "adapters/registry.h"
#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "switch/core/business_date.h"
#include "switch/core/limits.h"
#include "switch/daemon/yaml_to_proto.h"

namespace waystation::daemon {
namespace {

using config::v1::Config;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxPathBytes = 4'096;
constexpr std::string_view kDefaultAddress = "127.0.0.1:7400";
constexpr std::string_view kAcceptsPlainText = "I accept that anyone on this network can read and forge payments";
constexpr std::string_view kAcceptsOpenMetrics = "I accept that anyone on this network can read these figures";

constexpr uint64_t kMaxDiskMb = 100'000'000;

// A number of a section: its range, and its default where it is absent.
struct NumberRule {
  const char* section;
  const char* key;
  uint64_t least;
  uint64_t most;
  uint64_t fallback;
};
constexpr NumberRule kNumberRules[] = {
    {"storage", "snapshot_interval_ms", 100, 60'000, core::kDefaultSnapshotInterval.count()},
    {"storage", "backups_kept", 1, 10'000, 14},
    {"storage", "low_disk_mb", 1, kMaxDiskMb, 1'024},
    {"storage", "enough_disk_mb", 1, kMaxDiskMb, 0},  // its default is made of low_disk_mb
    {"storage", "ballast_mb", 1, 1'000'000, 256},
    {"workers", "threads", 1, 64, 1},
    {"workers", "max_in_progress", 1, 1'000'000, core::kDefaultMaxInProgressPerWorker},
    {"resolver", "first_query_after_ms", 10, 3'600'000, 1'000},
    {"resolver", "longest_interval_ms", 10, 86'400'000, 3'600'000},
    {"resolver", "review_after_ms", 100, 2'592'000'000, 86'400'000},
};

// Of each biller's breaker.
constexpr NumberRule kBreakerRules[] = {
    {"breaker", "consecutive_failures", 1, 100'000, 10},
    {"breaker", "failure_percent", 1, 100, 50},
    {"breaker", "least_requests", 1, 1'000'000, 20},
    {"breaker", "window_s", 1, 60, 10},
    {"breaker", "probe_after_ms", 10, 3'600'000, 5'000},
    {"breaker", "longest_probe_interval_ms", 10, 3'600'000, 0},  // its default is made of probe_after_ms
};

// `prefix`: of the key's path, where `around` is not the whole configuration.
absl::Status CheckNumber(const NumberRule& rule, const KeyLines& lines, const std::string& prefix, Message& around) {
  const FieldDescriptor* section_field = around.GetDescriptor()->FindFieldByName(rule.section);
  Message& section = *around.GetReflection()->MutableMessage(&around, section_field);
  const FieldDescriptor* field = section.GetDescriptor()->FindFieldByName(rule.key);
  const auto& reflection = *section.GetReflection();
  const bool wide = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const std::string path = fmt::format("{}{}.{}", prefix, rule.section, rule.key);
  if (lines.Has(path)) {
    const uint64_t value = wide ? reflection.GetUInt64(section, field) : reflection.GetUInt32(section, field);
    if (value >= rule.least && value <= rule.most) return absl::OkStatus();
    return lines.Fault(path, fmt::format("{} is out of range; expected {} .. {}", value, rule.least, rule.most));
  }
  if (wide) {
    reflection.SetUInt64(&section, field, rule.fallback);
  } else {
    reflection.SetUInt32(&section, field, static_cast<uint32_t>(rule.fallback));
  }
  return absl::OkStatus();
}

bool IsIpv4(const std::string& host) {
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// A name, not an address: letters, digits, dots and hyphens, and not digits and dots alone.
bool IsHostName(std::string_view host) {
  const std::string_view digits = "0123456789.";
  const std::string_view all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return host.find_first_not_of(all) == host.npos && host.find_first_not_of(digits) != host.npos;
}

// The host of "host:port" or "[ipv6]:port", without the brackets; null when the address has another shape.
std::optional<std::string> HostOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == address.npos) return std::nullopt;
  uint16_t port = 0;
  const char* end = address.data() + address.size();
  const auto [parsed_to, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || parsed_to != end) return std::nullopt;

  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return IsIpv6(host) ? std::optional(host) : std::nullopt;
  }
  return IsIpv4(host) || IsHostName(host) ? std::optional(host) : std::nullopt;
}

bool IsLoopback(const std::string& host) {
  if (IsIpv4(host)) return host.starts_with("127.");
  in6_addr address;
  if (inet_pton(AF_INET6, host.c_str(), &address) == 1) return IN6_IS_ADDR_LOOPBACK(&address);
  return host == "localhost";
}

// Of `section` (listen, metrics): its address, and that it is loopback or that `acceptance` stands there.
template <typename Section>
absl::Status CheckAddress(const KeyLines& lines, const std::string& section, const Section& stanza,
                          std::string_view acceptance) {
  const std::string address = section + ".address";
  const std::string text = section + ".plain_text_off_loopback";
  const std::optional<std::string> host = HostOf(stanza.address());
  if (!host) {
    return lines.Fault(address,
                       fmt::format("\"{}\" is no address; expected host:port, port 0 .. 65535", stanza.address()));
  }
  const bool accepted = stanza.plain_text_off_loopback() == acceptance;
  if (lines.Has(text) && !accepted) {
    return lines.Fault(text, fmt::format("another text; expected exactly \"{}\", or no such key", acceptance));
  }
  if (IsLoopback(*host) || accepted) return absl::OkStatus();
  return lines.Fault(address,
                     fmt::format("{} is not loopback, and connections are in plain text; expected 127.0.0.1, [::1] "
                                 "or localhost, or {}: \"{}\"",
                                 *host, text, acceptance));
}

absl::Status CheckListen(const KeyLines& lines, config::v1::Listen& listen) {
  if (!lines.Has("listen.address")) listen.set_address(std::string(kDefaultAddress));
  return CheckAddress(lines, "listen", listen, kAcceptsPlainText);
}

absl::Status CheckMetrics(const KeyLines& lines, Config& config) {
  if (!lines.Has("metrics.address") && !lines.Has("metrics.plain_text_off_loopback")) {
    config.clear_metrics();
    return absl::OkStatus();
  }
  if (!lines.Has("metrics.address")) {
    return lines.Fault("metrics.address", "missing; expected host:port, or no metrics at all");
  }
  return CheckAddress(lines, "metrics", config.metrics(), kAcceptsOpenMetrics);
}

bool IsPath(const std::string& path) {
  return !path.empty() && path.size() <= kMaxPathBytes && path.find('\0') == path.npos;
}

// Whether `path` is `folder` or something below it, by their names.
bool IsWithin(const std::string& path, const std::string& folder) {
  const auto parts = [](const std::string& name) {
    std::filesystem::path whole = std::filesystem::absolute(name).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();
  };
  const std::filesystem::path inner = parts(path);
  const std::filesystem::path outer = parts(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

absl::Status CheckBackupFolder(const KeyLines& lines, const config::v1::Storage& storage) {
  if (!lines.Has("storage.backup_dir")) return absl::OkStatus();
  const std::string& folder = storage.backup_dir();
  if (!IsPath(folder)) {
    return lines.Fault("storage.backup_dir",
                       fmt::format("not a path; expected the path of a folder, 1 .. {} bytes", kMaxPathBytes));
  }
  if (IsWithin(folder, storage.data_dir()) || IsWithin(storage.data_dir(), folder)) {
    return lines.Fault("storage.backup_dir",
                       fmt::format("{} and storage.data_dir lie in each other; expected a folder of its own, best on "
                                   "another disk",
                                   folder));
  }
  return absl::OkStatus();
}

absl::Status CheckDiskLimits(const KeyLines& lines, config::v1::Storage& storage) {
  const uint32_t low = storage.low_disk_mb();
  if (!lines.Has("storage.enough_disk_mb")) storage.set_enough_disk_mb(low + low / 4);
  if (storage.enough_disk_mb() >= low) return absl::OkStatus();
  return lines.Fault("storage.enough_disk_mb", fmt::format("{} is less than storage.low_disk_mb; expected at least {}",
                                                           storage.enough_disk_mb(), low));
}

absl::Status CheckStorage(const KeyLines& lines, config::v1::Storage& storage) {
  if (!lines.Has("storage.data_dir")) {
    return lines.Fault("storage.data_dir", "missing; expected the path of the data folder");
  }
  if (!IsPath(storage.data_dir())) {
    return lines.Fault("storage.data_dir",
                       fmt::format("not a path; expected the path of a folder, 1 .. {} bytes", kMaxPathBytes));
  }
  if (absl::Status status = CheckBackupFolder(lines, storage); !status.ok()) return status;
  return CheckDiskLimits(lines, storage);
}

absl::Status CheckLog(const KeyLines& lines, config::v1::Log& log) {
  if (!lines.Has("log.level")) log.set_level("info");
  static constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), log.level()) == std::end(kLevels)) {
    return lines.Fault("log.level",
                       fmt::format("\"{}\" is not known; expected one of debug, info, warn, error", log.level()));
  }
  if (!lines.Has("log.format")) log.set_format("text");
  if (log.format() != "text" && log.format() != "json") {
    return lines.Fault("log.format", fmt::format("\"{}\" is not known; expected text or json", log.format()));
  }
  if (!lines.Has("log.file") || IsPath(log.file())) return absl::OkStatus();
  return lines.Fault("log.file", fmt::format("not a path; expected the path of a file, 1 .. {} bytes", kMaxPathBytes));
}

absl::Status CheckResolver(const KeyLines& lines, const config::v1::Resolver& resolver) {
  const uint64_t first = resolver.first_query_after_ms();
  const auto too_short = [&](const char* path, uint64_t value) {
    return lines.Fault(
        path, fmt::format("{} is less than resolver.first_query_after_ms; expected at least {}", value, first));
  };
  if (resolver.longest_interval_ms() < first) {
    return too_short("resolver.longest_interval_ms", resolver.longest_interval_ms());
  }
  if (resolver.review_after_ms() < first) return too_short("resolver.review_after_ms", resolver.review_after_ms());
  return absl::OkStatus();
}

bool IsBillerId(const std::string& id) {
  return !id.empty() && id.size() <= core::kMaxBillerIdBytes &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == id.npos;
}

absl::Status CheckBiller(const KeyLines& lines, const std::string& path, const config::v1::Biller& biller) {
  if (!IsBillerId(biller.id())) {
    return lines.Fault(path + ".id", fmt::format("\"{}\" is no biller id; expected 1 .. {} of a-z, 0-9, _ and -",
                                                 biller.id(), core::kMaxBillerIdBytes));
  }
  if (biller.name().empty() || biller.name().size() > core::kMaxNameBytes) {
    return lines.Fault(path + ".name",
                       fmt::format("{} bytes long; expected 1 .. {} bytes", biller.name().size(), core::kMaxNameBytes));
  }
  // The adapter knows best what it takes; its message starts with the key in the stanza.
  const auto adapter = adapters::Create(biller.adapter(), SettingsOf(biller), CardOverridesOf(biller));
  if (adapter.ok()) return absl::OkStatus();
  const std::string message(adapter.status().message());
  const size_t colon = message.find(": ");
  if (colon == message.npos) return lines.Fault(path, message);
  return lines.Fault(path + "." + message.substr(0, colon), message.substr(colon + 2));
}

absl::Status CheckBreaker(const KeyLines& lines, const std::string& path, config::v1::Biller& biller) {
  for (const NumberRule& rule : kBreakerRules) {
    if (absl::Status status = CheckNumber(rule, lines, path + ".", biller); !status.ok()) return status;
  }
  constexpr uint32_t kLongestProbeInterval = 15'000;
  config::v1::Breaker& breaker = *biller.mutable_breaker();
  const std::string longest = path + ".breaker.longest_probe_interval_ms";
  if (!lines.Has(longest)) {
    breaker.set_longest_probe_interval_ms(std::max(kLongestProbeInterval, breaker.probe_after_ms()));
  }
  if (breaker.longest_probe_interval_ms() >= breaker.probe_after_ms()) return absl::OkStatus();
  return lines.Fault(longest, fmt::format("{} is less than breaker.probe_after_ms; expected at least {}",
                                          breaker.longest_probe_interval_ms(), breaker.probe_after_ms()));
}

absl::Status CheckBillers(const KeyLines& lines, Config& config) {
  std::set<std::string> ids;
  for (int i = 0; i < config.billers_size(); ++i) {
    const std::string path = fmt::format("billers[{}]", i);
    if (absl::Status status = CheckBiller(lines, path, config.billers(i)); !status.ok()) return status;
    if (absl::Status status = CheckBreaker(lines, path, *config.mutable_billers(i)); !status.ok()) return status;
    if (!ids.insert(config.billers(i).id()).second) {
      return lines.Fault(path + ".id", fmt::format("\"{}\" is another biller's id too; expected one that no other has",
                                                   config.billers(i).id()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFirstBusinessDate(const KeyLines& lines, const std::string& date) {
  if (date.empty() || core::BusinessDate::Parse(date).ok()) return absl::OkStatus();
  return lines.Fault("first_business_date", fmt::format("\"{}\" is no date; expected YYYY-MM-DD", date));
}

// Fills in the defaults and checks everything, in the order of config.proto.
absl::Status Complete(const KeyLines& lines, Config& config) {
  for (const NumberRule& rule : kNumberRules) {
    if (absl::Status status = CheckNumber(rule, lines, "", config); !status.ok()) return status;
  }
  if (absl::Status status = CheckListen(lines, *config.mutable_listen()); !status.ok()) return status;
  if (absl::Status status = CheckStorage(lines, *config.mutable_storage()); !status.ok()) return status;
  if (absl::Status status = CheckBillers(lines, config); !status.ok()) return status;
  if (absl::Status status = CheckLog(lines, *config.mutable_log()); !status.ok()) return status;
  if (absl::Status status = CheckResolver(lines, config.resolver()); !status.ok()) return status;
  if (absl::Status status = CheckMetrics(lines, config); !status.ok()) return status;
  return CheckFirstBusinessDate(lines, config.first_business_date());
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const std::string fault =
        fmt::format("{}: can't be opened: {}; expected a YAML file", path, std::generic_category().message(errno));
    return errno == ENOENT ? absl::NotFoundError(fault) : absl::PermissionDeniedError(fault);
  }
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return absl::InvalidArgumentError(fmt::format("{}: can't be read; expected a YAML file", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(fmt::format("{}: too long; expected at most {} bytes", path, kMaxFileBytes));
  }
  return text;
}

}  // namespace

absl::StatusOr<Config> LoadConfiguration(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  Config config;
  KeyLines lines(path);
  if (absl::Status status = ReadYaml(*text, config, lines); !status.ok()) return status;
  if (absl::Status status = Complete(lines, config); !status.ok()) return status;
  return config;
}

adapters::Settings SettingsOf(const config::v1::Biller& biller) {
  return {biller.settings().begin(), biller.settings().end()};
}

adapters::CardOverrides CardOverridesOf(const config::v1::Biller& biller) {
  const config::v1::Card& card = biller.card();
  adapters::CardOverrides overrides;
  if (card.has_least_fen()) overrides.least = core::Money::Fen(card.least_fen());
  if (card.has_most_fen()) overrides.most = core::Money::Fen(card.most_fen());
  if (card.has_step_fen()) overrides.step = core::Money::Fen(card.step_fen());
  if (card.has_customer_number_pattern()) overrides.customer_number_pattern = card.customer_number_pattern();
  if (card.has_customer_number_hint()) overrides.customer_number_hint = card.customer_number_hint();
  if (card.has_time_limit_ms()) overrides.time_limit = std::chrono::milliseconds(card.time_limit_ms());
  if (card.has_settling_time_ms()) overrides.settling_time = std::chrono::milliseconds(card.settling_time_ms());
  if (card.has_max_in_flight()) overrides.max_in_flight = card.max_in_flight();
  if (card.has_max_waiting()) overrides.max_waiting = card.max_waiting();
  if (card.has_service_hours()) overrides.service_hours = card.service_hours();
  return overrides;
}

}  // namespace waystation::daemon
