#include "bench/profile.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "bench/profile.pb.h"
#include "bench/results.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "switch/daemon/yaml_to_proto.h"

namespace waystation::bench {

namespace {

constexpr size_t kMostBytes = 1 << 20;
// What an inquiry allows is good for ten minutes, and bills are inquired about before the load.
constexpr uint64_t kMostSeconds = 540;
constexpr uint64_t kMostPerSecond = 1'000'000;
constexpr std::array<std::string_view, 3> kSandboxes = {"mobile", "electricity", "gas"};

// Reads what ReadYaml left to do; the first fault is kept, and what comes after it does not matter.
class ProfileReader {
 public:
  ProfileReader(const daemon::KeyLines& lines, const ProfileFile& file) : lines_(lines), file_(file) {}

  absl::StatusOr<Profile> Read() {
    profile_.name = Required("name", file_.name());
    profile_.description = file_.description();
    ReadLoad();
    ReadMix();
    ReadStations();
    ReadBillers();
    ReadOutages();
    if (lines_.Has("day_cut")) {
      profile_.day_cut_at = Seconds("day_cut.at_s", file_.day_cut().at_s(), 0, MeasuredSeconds());
    }
    profile_.expected = {file_.expected().begin(), file_.expected().end()};
    for (const auto& [name, reason] : profile_.expected) {
      if (!IsResultName(name)) {
        Fault(
            "expected." + name,
            "no result; expected a gRPC status such as UNAVAILABLE, a state of a payment such as UNKNOWN, or DECLINED "
            "and a reason such as DECLINED NOT_SENT");
      }
      if (reason.empty()) Fault("expected." + name, "empty; expected the reason why it may come");
    }
    if (!fault_.ok()) return fault_;
    return std::move(profile_);
  }

 private:
  void Fault(const std::string& path, std::string_view fault) {
    if (fault_.ok()) fault_ = lines_.Fault(path, fault);
  }

  const std::string& Required(const std::string& path, const std::string& value) {
    if (value.empty()) Fault(path, "missing; expected a text");
    return value;
  }

  uint64_t Number(const std::string& path, uint64_t value, uint64_t least, uint64_t most) {
    if (!lines_.Has(path)) {
      Fault(path, fmt::format("missing; expected {} .. {}", least, most));
    } else if (value < least || value > most) {
      Fault(path, fmt::format("{} is out of range; expected {} .. {}", value, least, most));
    }
    return value;
  }

  uint64_t NumberOr(const std::string& path, uint64_t value, uint64_t least, uint64_t most, uint64_t fallback) {
    return lines_.Has(path) ? Number(path, value, least, most) : fallback;
  }

  std::chrono::seconds Seconds(const std::string& path, uint64_t value, uint64_t least, uint64_t most) {
    return std::chrono::seconds(Number(path, value, least, most));
  }

  double Decimal(const std::string& path, const std::string& text, double least, double most) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (text.empty() || error != std::errc() || parsed_to != end) {
      Fault(path, fmt::format("\"{}\" is not a number; expected {} .. {}", text, least, most));
    } else if (!(value >= least && value <= most)) {
      Fault(path, fmt::format("{} is out of range; expected {} .. {}", text, least, most));
    }
    return value;
  }

  uint64_t MeasuredSeconds() const { return static_cast<uint64_t>(profile_.measured.count()); }

  void ReadLoad() {
    const ProfileLoad& load = file_.load();
    profile_.measured = Seconds("load.seconds", load.seconds(), 1, kMostSeconds);
    profile_.warm_up = std::chrono::seconds(NumberOr("load.warm_up_s", load.warm_up_s(), 0, kMostSeconds, 2));
    if (profile_.measured + profile_.warm_up > std::chrono::seconds(kMostSeconds)) {
      Fault("load.seconds", fmt::format("{} and load.warm_up_s, {}, are together above {}", load.seconds(),
                                        profile_.warm_up.count(), kMostSeconds));
    }
    profile_.in_flight = Number("load.in_flight", load.in_flight(), 1, 100'000);
    profile_.channels = NumberOr("load.channels", load.channels(), 1, 1'000, 2);
    profile_.threads = NumberOr("load.threads", load.threads(), 1, 64, 2);
    if (load.rate().empty()) Fault("load.rate", "missing; expected at least one point with at_s and per_second");
    for (int i = 0; i < load.rate_size(); ++i) {
      const std::string path = fmt::format("load.rate[{}]", i);
      const uint64_t at = Number(path + ".at_s", load.rate(i).at_s(), 0, MeasuredSeconds());
      const uint64_t rate = Number(path + ".per_second", load.rate(i).per_second(), 1, kMostPerSecond);
      if (i > 0 && at <= load.rate(i - 1).at_s()) {
        Fault(path + ".at_s", fmt::format("{} is not after the point before it, {}", at, load.rate(i - 1).at_s()));
      }
      profile_.curve.push_back({.at = std::chrono::seconds(at), .per_second = static_cast<double>(rate)});
    }
  }

  void ReadMix() {
    const ProfileMix& mix = file_.mix();
    const std::array<uint32_t, kCallKinds> parts = {mix.inquire(), mix.pay(), mix.cancel(), mix.get_account()};
    uint64_t all = 0;
    for (size_t kind = 0; kind < kCallKinds; ++kind) {
      const std::string path = fmt::format("mix.{}", CallKindName(static_cast<CallKind>(kind)));
      all += NumberOr(path, parts[kind], 0, 1'000'000, 0);
    }
    if (all == 0) Fault("mix", "nothing in it; expected parts of inquire, pay, cancel or get_account");
    if (mix.cancel() > 0 && mix.pay() == 0) Fault("mix.cancel", "without mix.pay there is nothing to cancel");
    profile_.parts = parts;
  }

  void ReadStations() {
    const ProfileStations& stations = file_.stations();
    profile_.stations = Number("stations.count", stations.count(), 1, 1'000'000);
    profile_.first_station = NumberOr("stations.first", stations.first(), 1, 999'998'999'999, 990'000'000'001);
    if (lines_.Has("stations.zipf")) profile_.zipf_theta = Decimal("stations.zipf", stations.zipf(), 0.01, 5);
  }

  void ReadBillers() {
    if (file_.billers().empty()) Fault("billers", "missing; expected at least one");
    for (int i = 0; i < file_.billers_size(); ++i) {
      const ProfileBillerText& text = file_.billers(i);
      const std::string path = fmt::format("billers[{}]", i);
      ProfileBiller biller{.id = Required(path + ".id", text.id()),
                           .sandbox = Required(path + ".sandbox", text.sandbox())};
      if (BillerIndex(biller.id) < profile_.billers.size()) Fault(path + ".id", "is there twice");
      // It goes into the configuration of a switch.
      if (biller.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != biller.id.npos) {
        Fault(path + ".id", fmt::format("\"{}\" is no biller's id; expected 1 to 32 of [a-z0-9_-]", biller.id));
      }
      if (std::find(kSandboxes.begin(), kSandboxes.end(), biller.sandbox) == kSandboxes.end()) {
        Fault(path + ".sandbox",
              fmt::format("\"{}\" is not known; expected one of {}", biller.sandbox, fmt::join(kSandboxes, ", ")));
      }
      biller.parts = static_cast<uint32_t>(NumberOr(path + ".parts", text.parts(), 1, 1'000'000, 1));
      biller.latency_ms = static_cast<uint32_t>(NumberOr(path + ".latency_ms", text.latency_ms(), 0, 60'000, 0));
      biller.latency_ms_p99 =
          static_cast<uint32_t>(NumberOr(path + ".latency_ms_p99", text.latency_ms_p99(), biller.latency_ms,
                                         biller.latency_ms == 0 ? 0 : 60'000, biller.latency_ms));
      biller.time_limit_ms =
          static_cast<uint32_t>(NumberOr(path + ".time_limit_ms", text.time_limit_ms(), 100, 60'000, 0));
      ReadEndings(path + ".endings_percent", text, biller);
      profile_.billers.push_back(std::move(biller));
    }
  }

  void ReadEndings(const std::string& path, const ProfileBillerText& text, ProfileBiller& biller) {
    // The bills of a gas company are inquired about before the load, all of them well-behaved.
    if (!text.endings_percent().empty() && biller.sandbox == "gas") {
      Fault(path, "gas is paid by bills that were inquired about; expected no endings there");
    }
    const std::map<std::string, std::string> sorted(text.endings_percent().begin(), text.endings_percent().end());
    double all = 0;
    for (const auto& [ending, percent] : sorted) {
      const std::string key = path + "." + ending;
      const bool digits = ending.size() == 2 && ending.find_first_not_of("0123456789") == ending.npos;
      if (!digits) {
        Fault(key, "not two digits; expected \"00\" to \"99\"");
        return;
      }
      const double value = Decimal(key, percent, 0, 100);
      all += value;
      biller.endings.push_back({.ending = std::stoi(ending), .probability = value / 100});
    }
    if (all > 100) Fault(path, fmt::format("{} percent in all; expected at most 100", all));
  }

  void ReadOutages() {
    for (int i = 0; i < file_.outages_size(); ++i) {
      const ProfileOutageText& text = file_.outages(i);
      const std::string path = fmt::format("outages[{}]", i);
      ProfileOutage outage{.biller = BillerIndex(text.biller())};
      if (outage.biller == profile_.billers.size()) {
        Fault(path + ".biller", fmt::format("\"{}\" is not among the billers; expected the id of one", text.biller()));
      } else if (profile_.billers[outage.biller].sandbox == "gas") {
        Fault(path + ".biller", "gas is paid by bills that were inquired about; expected another biller");
      }
      outage.from = Seconds(path + ".from_s", text.from_s(), 0, MeasuredSeconds());
      outage.until = Seconds(path + ".until_s", text.until_s(), text.from_s() + uint64_t{1}, MeasuredSeconds());
      outage.ending = static_cast<int>(Number(path + ".ending", text.ending(), 0, 99));
      for (const ProfileOutage& other : profile_.outages) {
        if (other.biller == outage.biller && outage.from < other.until && other.from < outage.until) {
          Fault(path, "overlaps with another outage of the same biller");
        }
      }
      profile_.outages.push_back(outage);
    }
  }

  // The number of billers, where there is none.
  size_t BillerIndex(const std::string& id) const {
    const auto found = std::find_if(profile_.billers.begin(), profile_.billers.end(),
                                    [&](const ProfileBiller& biller) { return biller.id == id; });
    return static_cast<size_t>(found - profile_.billers.begin());
  }

  const daemon::KeyLines& lines_;
  const ProfileFile& file_;
  Profile profile_;
  absl::Status fault_;
};

}  // namespace

absl::StatusOr<Profile> ParseProfile(const std::string& file, const std::string& text) {
  daemon::KeyLines lines(file);
  ProfileFile read;
  if (absl::Status status = daemon::ReadYaml(text, read, lines); !status.ok()) return status;
  return ProfileReader(lines, read).Read();
}

absl::StatusOr<Profile> ReadProfile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(
        fmt::format("{}: {}; expected a profile, such as bench/profiles/peak-hour.yaml", path, std::strerror(errno)));
  }
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad() || text.size() > kMostBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{}: can't be read, or is longer than {} bytes; expected a profile", path, kMostBytes));
  }
  return ParseProfile(path, text);
}

std::string SwitchConfiguration(const Profile& profile) {
  std::string text =
      "listen:\n  address: 127.0.0.1:0\nstorage:\n  data_dir: \"{}/data\"\nlog:\n  level: error\nbillers:\n";
  for (const ProfileBiller& biller : profile.billers) {
    fmt::format_to(std::back_inserter(text),
                   "  - id: {0}\n    name: {0} (sandbox)\n    adapter: sandbox\n    settings:\n      profile: {1}\n"
                   "      latency_ms: {2}\n      latency_ms_p99: {3}\n",
                   biller.id, biller.sandbox, biller.latency_ms, biller.latency_ms_p99);
    if (biller.time_limit_ms > 0) {
      fmt::format_to(std::back_inserter(text), "    card:\n      time_limit_ms: {}\n", biller.time_limit_ms);
    }
  }
  return text;
}

}  // namespace waystation::bench
