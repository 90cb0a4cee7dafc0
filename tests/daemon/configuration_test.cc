#include "switch/daemon/configuration.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace waystation::daemon {
namespace {

using config::v1::Config;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kSentence = "I accept that anyone on this network can read and forge payments";

// A folder of this test's own, gone with it.
class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    std::string name = (std::filesystem::temp_directory_path() / "configuration_test.XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~ConfigurationTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "switchd.yaml"; }

  absl::StatusOr<Config> Load(const std::string& yaml) {
    std::ofstream(path(), std::ios::binary) << yaml;
    return LoadConfiguration(path());
  }

  // The fault in `yaml`, without the folder's name.
  std::string Fault(const std::string& yaml) {
    const absl::StatusOr<Config> config = Load(yaml);
    EXPECT_TRUE(absl::IsInvalidArgument(config.status())) << config.status();
    const std::string message(config.status().message());
    const std::string folder = folder_.string() + "/";
    EXPECT_THAT(message, StartsWith(folder));
    return message.substr(folder.size());
  }

  std::filesystem::path folder_;
};

const std::string kLeast = "storage: {data_dir: ./data}\n";

std::string Biller(const std::string& rest) {
  return kLeast + "billers:\n- id: gas\n  name: Gas\n" + rest;
}

TEST_F(ConfigurationTest, WhatIsAbsentTakesItsDefault) {
  const absl::StatusOr<Config> config = Load(kLeast);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen().address(), "127.0.0.1:7400");
  EXPECT_EQ(config->storage().data_dir(), "./data");
  EXPECT_EQ(config->storage().snapshot_interval_ms(), 1'000u);
  EXPECT_EQ(config->storage().backup_dir(), "");
  EXPECT_EQ(config->storage().backups_kept(), 14u);
  EXPECT_EQ(config->storage().low_disk_mb(), 1'024u);
  EXPECT_EQ(config->storage().enough_disk_mb(), 1'280u);
  EXPECT_EQ(config->storage().ballast_mb(), 256u);
  EXPECT_EQ(config->workers().threads(), 1u);
  EXPECT_EQ(config->workers().max_in_progress(), 20'000u);
  EXPECT_EQ(config->billers_size(), 0);
  EXPECT_EQ(config->log().level(), "info");
  EXPECT_EQ(config->log().format(), "text");
  EXPECT_EQ(config->log().file(), "");
  EXPECT_EQ(config->resolver().first_query_after_ms(), 1'000u);
  EXPECT_EQ(config->resolver().longest_interval_ms(), 3'600'000u);
  EXPECT_EQ(config->resolver().review_after_ms(), 86'400'000u);
  EXPECT_EQ(config->first_business_date(), "");
}

TEST_F(ConfigurationTest, SectionsWithoutKeysCountAsAbsent) {
  const absl::StatusOr<Config> bare = Load(kLeast + "workers:\nlisten: {}\nbillers:\n");
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*bare, *Load(kLeast)));
}

TEST_F(ConfigurationTest, EveryKeyIsRead) {
  const absl::StatusOr<Config> config = Load(R"(
listen:
  address: "0.0.0.0:0"
  plain_text_off_loopback: I accept that anyone on this network can read and forge payments
storage:
  data_dir: /var/lib/switchd
  snapshot_interval_ms: 100
  backup_dir: /var/lib/switchd-backups
  backups_kept: 3
  low_disk_mb: 2000
  enough_disk_mb: 2000
  ballast_mb: 1
workers: {threads: 64, max_in_progress: 1000000}
log: {level: debug, format: json, file: /var/log/switchd.log}
resolver: {first_query_after_ms: 10, longest_interval_ms: 86400000, review_after_ms: 2592000000}
first_business_date: 2026-11-21
billers:
- id: gas
  name: 燃气
  adapter: sandbox
  settings: {profile: gas, latency_ms: 5}
  card:
    least_fen: 200
    most_fen: 300
    step_fen: 2
    customer_number_pattern: '^\d{9}$'
    customer_number_hint: 9 digits
    time_limit_ms: 700
    max_in_flight: 8
    max_waiting: 9
    service_hours: 06:00-12:00, 13:00-23:30
  breaker:
    consecutive_failures: 3
    failure_percent: 100
    least_requests: 1
    window_s: 60
    probe_after_ms: 10
    longest_probe_interval_ms: 3600000
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen().address(), "0.0.0.0:0");
  EXPECT_EQ(config->listen().plain_text_off_loopback(), kSentence);
  EXPECT_EQ(config->storage().data_dir(), "/var/lib/switchd");
  EXPECT_EQ(config->storage().snapshot_interval_ms(), 100u);
  EXPECT_EQ(config->storage().backup_dir(), "/var/lib/switchd-backups");
  EXPECT_EQ(config->storage().backups_kept(), 3u);
  EXPECT_EQ(config->storage().low_disk_mb(), 2'000u);
  EXPECT_EQ(config->storage().enough_disk_mb(), 2'000u);
  EXPECT_EQ(config->storage().ballast_mb(), 1u);
  EXPECT_EQ(config->workers().threads(), 64u);
  EXPECT_EQ(config->workers().max_in_progress(), 1'000'000u);
  EXPECT_EQ(config->log().level(), "debug");
  EXPECT_EQ(config->resolver().first_query_after_ms(), 10u);
  EXPECT_EQ(config->resolver().longest_interval_ms(), 86'400'000u);
  EXPECT_EQ(config->resolver().review_after_ms(), 2'592'000'000u);
  EXPECT_EQ(config->first_business_date(), "2026-11-21");
  ASSERT_EQ(config->billers_size(), 1);
  const config::v1::Biller& biller = config->billers(0);
  EXPECT_EQ(biller.id(), "gas");
  EXPECT_EQ(biller.name(), "燃气");
  EXPECT_EQ(biller.adapter(), "sandbox");
  EXPECT_EQ(SettingsOf(biller), (adapters::Settings{{"profile", "gas"}, {"latency_ms", "5"}}));

  const auto adapter = adapters::Create(biller.adapter(), SettingsOf(biller), CardOverridesOf(biller));
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const adapters::CapabilityCard& card = (*adapter)->card();
  EXPECT_EQ(card.least, core::Money::Fen(200));
  EXPECT_EQ(card.most, core::Money::Fen(300));
  EXPECT_EQ(card.step, core::Money::Fen(2));
  EXPECT_EQ(card.customer_number_pattern, R"(^\d{9}$)");
  EXPECT_EQ(card.customer_number_hint, "9 digits");
  EXPECT_EQ(card.time_limit, std::chrono::milliseconds(700));
  EXPECT_EQ(card.max_in_flight, 8u);
  EXPECT_EQ(card.max_waiting, 9u);
  EXPECT_EQ(card.service_hours.ToString(), "06:00-12:00, 13:00-23:30");
  EXPECT_EQ(biller.breaker().consecutive_failures(), 3u);
  EXPECT_EQ(biller.breaker().failure_percent(), 100u);
  EXPECT_EQ(biller.breaker().least_requests(), 1u);
  EXPECT_EQ(biller.breaker().window_s(), 60u);
  EXPECT_EQ(biller.breaker().probe_after_ms(), 10u);
  EXPECT_EQ(biller.breaker().longest_probe_interval_ms(), 3'600'000u);
}

TEST_F(ConfigurationTest, TheExampleIsGood) {
  const absl::StatusOr<Config> config = LoadConfiguration(WS_SOURCE_DIR "/deploy/switchd.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen().address(), "127.0.0.1:7400");
  std::vector<std::string> ids;
  for (const config::v1::Biller& biller : config->billers()) ids.push_back(biller.id());
  EXPECT_THAT(ids, testing::ElementsAre("mobile", "electricity", "gas"));
}

TEST_F(ConfigurationTest, UnknownKeysAreRefused) {
  EXPECT_EQ(Fault("\n\nlisten:\n  adress: x\n"),
            "switchd.yaml:4: listen.adress: unknown key; expected one of address, plain_text_off_loopback");
  EXPECT_EQ(Fault("listn: {}\n"),
            "switchd.yaml:1: listn: unknown key; expected one of listen, storage, workers, billers, log, resolver, "
            "first_business_date, metrics");
  EXPECT_THAT(Fault(Biller("  adaptor: sandbox\n")), StartsWith("switchd.yaml:5: billers[0].adaptor: unknown key"));
  EXPECT_THAT(Fault("<<: {listen: {}}\n"), StartsWith("switchd.yaml:1: <<: unknown key"));
}

TEST_F(ConfigurationTest, KeysThatStandTwiceAreRefused) {
  EXPECT_EQ(Fault("log: {}\nlisten:\n  address: a:1\n  address: a:1\n"),
            "switchd.yaml:4: listen.address: stands here twice; expected it once");
  EXPECT_EQ(Fault("log:\nlog:\n"), "switchd.yaml:2: log: stands here twice; expected it once");
  EXPECT_EQ(Fault(Biller("  settings:\n    profile: gas\n    profile: gas\n")),
            "switchd.yaml:7: billers[0].settings.profile: stands here twice; expected it once");
}

TEST_F(ConfigurationTest, ShapesAreChecked) {
  EXPECT_THAT(Fault("listen: 7400\n"), StartsWith("switchd.yaml:1: listen: not a section; expected keys out of addr"));
  EXPECT_THAT(Fault("- listen\n"), StartsWith("switchd.yaml: not a section; expected keys out of listen, "));
  EXPECT_THAT(Fault("just text"), StartsWith("switchd.yaml: not a section"));
  EXPECT_THAT(Fault("listen:\n  address: [a]\n"), StartsWith("switchd.yaml:2: listen.address: no single value"));
  EXPECT_THAT(Fault("listen:\n  address:\n"), StartsWith("switchd.yaml:2: listen.address: no single value"));
  EXPECT_THAT(Fault("billers: {id: gas}\n"), StartsWith("switchd.yaml:1: billers: not a list"));
  EXPECT_THAT(Fault("billers:\n- gas\n"), StartsWith("switchd.yaml:2: billers[0]: not a section"));
  EXPECT_THAT(Fault(Biller("  settings: 5\n")), StartsWith("switchd.yaml:5: billers[0].settings: not a section"));
  EXPECT_THAT(Fault(Biller("  settings: {profile: [gas]}\n")),
              StartsWith("switchd.yaml:5: billers[0].settings.profile: no single value"));
  EXPECT_THAT(Fault("listen: {[a]: 1}\n"), StartsWith("switchd.yaml:1: listen: a key that is not plain text"));
  for (const std::string value : {"many", "-1", "1.5", "0x10", "4294967296", "''", "1_000", "+1"}) {
    EXPECT_THAT(Fault("workers: {threads: " + value + "}\n"),
                HasSubstr("workers.threads: \"" + (value == "''" ? "" : value) +
                          "\" is not a whole number; expected 0 .. 4294967295"));
  }
}

TEST_F(ConfigurationTest, TextThatIsNotYamlIsRefused) {
  EXPECT_THAT(Fault("listen:\n  address: [a\n"), HasSubstr("not YAML"));
  EXPECT_THAT(Fault("log: info\n\tlisten: {}\n"), StartsWith("switchd.yaml:2: not YAML"));
  EXPECT_THAT(Fault("log: *nowhere\n"), HasSubstr("not YAML"));
  EXPECT_THAT(Fault(std::string(20'000, '[')), HasSubstr("not YAML"));
  EXPECT_EQ(Fault("log: {}\n---\nlog: {}\n"), "switchd.yaml: several documents; expected one");
  EXPECT_EQ(Fault(""), "switchd.yaml: storage.data_dir: missing; expected the path of the data folder");
  EXPECT_THAT(Fault(std::string((1 << 20) + 1, '#')), HasSubstr("too long; expected at most 1048576 bytes"));
  for (const std::string bad :
       {"\xff", "\x80", "\xc0\xaf", "\xe4\xb8", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_EQ(Fault("log:\n  level: " + bad), "switchd.yaml:2: not UTF-8; expected text in UTF-8");
  }
}

TEST_F(ConfigurationTest, FilesThatCanNotBeReadAreNamed) {
  const absl::Status missing = LoadConfiguration(folder_ / "nowhere.yaml").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), HasSubstr("nowhere.yaml: can't be opened: No such file"));
  const absl::Status folder = LoadConfiguration(folder_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(folder)) << folder;
  EXPECT_THAT(std::string(folder.message()), StartsWith(folder_.string() + ": can't be read"));
}

TEST_F(ConfigurationTest, RangesAreHeldAtBothEnds) {
  struct Range {
    std::string section, key, below, above, expected;
  };
  const std::vector<Range> ranges = {
      {"storage", "snapshot_interval_ms", "99", "60001", "100 .. 60000"},
      {"storage", "backups_kept", "0", "10001", "1 .. 10000"},
      {"storage", "low_disk_mb", "0", "100000001", "1 .. 100000000"},
      {"storage", "enough_disk_mb", "0", "100000001", "1 .. 100000000"},
      {"storage", "ballast_mb", "0", "1000001", "1 .. 1000000"},
      {"workers", "threads", "0", "65", "1 .. 64"},
      {"workers", "max_in_progress", "0", "1000001", "1 .. 1000000"},
      {"resolver", "first_query_after_ms", "9", "3600001", "10 .. 3600000"},
      {"resolver", "longest_interval_ms", "9", "86400001", "10 .. 86400000"},
      {"resolver", "review_after_ms", "99", "2592000001", "100 .. 2592000000"},
  };
  for (const auto& [section, key, below, above, expected] : ranges) {
    for (const std::string& value : {below, above}) {
      EXPECT_EQ(Fault(section + ":\n  " + key + ": " + value + "\n"),
                "switchd.yaml:2: " + section + "." + key + ": " + value + " is out of range; expected " + expected);
    }
  }
}

TEST_F(ConfigurationTest, TheResolversTimesFitTogether) {
  EXPECT_EQ(Fault(kLeast + "resolver:\n  longest_interval_ms: 600000\n  first_query_after_ms: 700000\n"),
            "switchd.yaml:3: resolver.longest_interval_ms: 600000 is less than resolver.first_query_after_ms; expected "
            "at least 700000");
  EXPECT_EQ(Fault(kLeast + "resolver:\n  review_after_ms: 999\n"),
            "switchd.yaml:3: resolver.review_after_ms: 999 is less than resolver.first_query_after_ms; expected at "
            "least 1000");
}

TEST_F(ConfigurationTest, AddressesAreHostAndPort) {
  for (const std::string good :
       {"127.0.0.1:7400", "127.9.9.9:0", "localhost:65535", "[::1]:7400", "[0:0:0:0:0:0:0:1]:1"}) {
    const absl::StatusOr<Config> config = Load(kLeast + "listen: {address: '" + good + "'}\n");
    EXPECT_TRUE(config.ok()) << config.status();
  }
  for (const std::string bad :
       {"", "7400", "localhost", "localhost:", ":7400", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "::1:7400",
        "[::1]", "[]:1", "[localhost]:1", "127.0.0:1", "300.0.0.1:1", "a b:1", "unix:/tmp/socket", "127.0.0.1:7400 "}) {
    EXPECT_EQ(Fault(kLeast + "listen:\n  address: '" + bad + "'\n"),
              "switchd.yaml:3: listen.address: \"" + bad + "\" is no address; expected host:port, port 0 .. 65535");
  }
}

TEST_F(ConfigurationTest, PlainTextOffLoopbackNeedsTheSentence) {
  const std::string accept = std::string(", plain_text_off_loopback: ") + kSentence;
  for (const std::string open :
       {"0.0.0.0:7400", "192.168.1.1:7400", "[::]:7400", "switch.example:7400", "localhost.example:1", "128.0.0.1:1"}) {
    EXPECT_THAT(Fault(kLeast + "listen: {address: '" + open + "'}\n"), HasSubstr("is not loopback"));
    const absl::StatusOr<Config> accepted = Load(kLeast + "listen: {address: '" + open + "'" + accept + "}\n");
    EXPECT_TRUE(accepted.ok()) << accepted.status();
  }
  for (const std::string other : {"'yes'", "''", "i accept that anyone on this network can read and forge payments"}) {
    EXPECT_THAT(
        Fault(kLeast + "listen:\n  plain_text_off_loopback: " + other + "\n"),
        StartsWith("switchd.yaml:3: listen.plain_text_off_loopback: another text; expected exactly \"I accept"));
  }
}

TEST_F(ConfigurationTest, MetricsAreServedWhereTheyAreAskedFor) {
  for (const std::string none : {"", "metrics:\n", "metrics: {}\n"}) {
    const absl::StatusOr<Config> config = Load(kLeast + none);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_FALSE(config->has_metrics());
  }
  EXPECT_EQ(Load(kLeast + "metrics: {address: '[::1]:9464'}\n")->metrics().address(), "[::1]:9464");
  EXPECT_EQ(Fault(kLeast + "metrics:\n  address: '9464'\n"),
            "switchd.yaml:3: metrics.address: \"9464\" is no address; expected host:port, port 0 .. 65535");
  EXPECT_EQ(Fault(kLeast + "metrics:\n  addres: 127.0.0.1:1\n"),
            "switchd.yaml:3: metrics.addres: unknown key; expected one of address, plain_text_off_loopback");
}

TEST_F(ConfigurationTest, MetricsOffLoopbackNeedASentenceOfTheirOwn) {
  const std::string open = kLeast + "metrics:\n  address: 0.0.0.0:9464\n";
  EXPECT_THAT(Fault(open), StartsWith("switchd.yaml:3: metrics.address: 0.0.0.0 is not loopback"));
  const std::string key = "  plain_text_off_loopback: ";
  const std::string sentence = "I accept that anyone on this network can read these figures";
  EXPECT_TRUE(Load(open + key + sentence + "\n").ok());
  EXPECT_THAT(
      Fault(open + key + kSentence + "\n"),
      StartsWith("switchd.yaml:4: metrics.plain_text_off_loopback: another text; expected exactly \"" + sentence));
  EXPECT_THAT(Fault(kLeast + "metrics:\n" + key + sentence + "\n"), HasSubstr("metrics.address: missing"));
}

TEST_F(ConfigurationTest, StorageLogAndDateAreChecked) {
  EXPECT_EQ(Fault("log: {}\nstorage:\n  snapshot_interval_ms: 1000\n"),
            "switchd.yaml:2: storage.data_dir: missing; expected the path of the data folder");
  EXPECT_THAT(Fault("storage: {data_dir: ''}\n"), StartsWith("switchd.yaml:1: storage.data_dir: not a path"));
  EXPECT_EQ(Fault(kLeast + "log: {level: Info}\n"),
            "switchd.yaml:2: log.level: \"Info\" is not known; expected one of debug, info, warn, error");
  EXPECT_EQ(Fault(kLeast + "log: {format: JSON}\n"),
            "switchd.yaml:2: log.format: \"JSON\" is not known; expected text or json");
  EXPECT_EQ(Fault(kLeast + "log: {file: ''}\n"),
            "switchd.yaml:2: log.file: not a path; expected the path of a file, 1 .. 4096 bytes");
  for (const std::string bad : {"2026-02-29", "today", "20261121", "2026-1-1"}) {
    EXPECT_EQ(Fault(kLeast + "first_business_date: " + bad + "\n"),
              "switchd.yaml:2: first_business_date: \"" + bad + "\" is no date; expected YYYY-MM-DD");
  }
}

TEST_F(ConfigurationTest, BackupsLieOutsideTheDataFolder) {
  const std::string data = "storage:\n  data_dir: /var/lib/w/ledger\n  backup_dir: ";
  for (const std::string bad :
       {"/var/lib/w/ledger", "/var/lib/w/ledger/", "/var/lib/w/x/../ledger/backups", "/var/lib/w", "/"}) {
    EXPECT_THAT(Fault(data + bad + "\n"), StartsWith("switchd.yaml:3: storage.backup_dir: " + bad + " and"));
  }
  EXPECT_THAT(Fault(data + "''\n"), StartsWith("switchd.yaml:3: storage.backup_dir: not a path"));
  for (const std::string good : {"/var/lib/w/ledger-backups", "/var/lib/w/backups", "backups"}) {
    const absl::StatusOr<Config> config = Load(data + good + "\n");
    EXPECT_TRUE(config.ok()) << config.status();
  }
}

TEST_F(ConfigurationTest, EnoughDiskIsNoLessThanLow) {
  EXPECT_EQ(Fault("storage:\n  data_dir: d\n  enough_disk_mb: 1023\n"),
            "switchd.yaml:3: storage.enough_disk_mb: 1023 is less than storage.low_disk_mb; expected at least 1024");
  EXPECT_EQ(Load("storage: {data_dir: d, low_disk_mb: 10}\n")->storage().enough_disk_mb(), 12u);
}

TEST_F(ConfigurationTest, BillersAreChecked) {
  EXPECT_THAT(Fault(kLeast + "billers:\n- name: Gas\n"),
              StartsWith("switchd.yaml:3: billers[0].id: \"\" is no biller id; expected 1 .. 32 of a-z, 0-9, _ and -"));
  for (const std::string& bad : {std::string("Gas"), std::string("a b"), std::string(33, 'a'), std::string("气")}) {
    EXPECT_THAT(Fault(kLeast + "billers:\n- id: " + bad + "\n"), HasSubstr("\"" + bad + "\" is no biller id"));
  }
  EXPECT_EQ(Fault(kLeast + "billers:\n- id: gas\n"),
            "switchd.yaml:3: billers[0].name: 0 bytes long; expected 1 .. 120 bytes");
  EXPECT_EQ(Fault(Biller("  adapter: sandbx\n")),
            "switchd.yaml:5: billers[0].adapter: \"sandbx\" is not known; expected one of gas_xml, iso8583, "
            "mobile_json, remote, sandbox");
  const std::string good = "  adapter: sandbox\n  settings:\n    profile: gas\n";
  EXPECT_EQ(Fault(Biller(good + "- id: gas\n  name: Gas\n" + good)),
            "switchd.yaml:8: billers[1].id: \"gas\" is another biller's id too; expected one that no other has");
}

TEST_F(ConfigurationTest, TheBreakersNumbersAreChecked) {
  const std::string good = "  adapter: sandbox\n  settings: {profile: gas}\n";
  const absl::StatusOr<Config> config = Load(Biller(good));
  ASSERT_TRUE(config.ok()) << config.status();
  const config::v1::Breaker& breaker = config->billers(0).breaker();
  EXPECT_EQ(breaker.consecutive_failures(), 10u);
  EXPECT_EQ(breaker.failure_percent(), 50u);
  EXPECT_EQ(breaker.least_requests(), 20u);
  EXPECT_EQ(breaker.window_s(), 10u);
  EXPECT_EQ(breaker.probe_after_ms(), 5'000u);
  EXPECT_EQ(breaker.longest_probe_interval_ms(), 15'000u);
  struct Range {
    std::string key, below, above, expected;
  };
  const std::vector<Range> ranges = {{"consecutive_failures", "0", "100001", "1 .. 100000"},
                                     {"failure_percent", "0", "101", "1 .. 100"},
                                     {"least_requests", "0", "1000001", "1 .. 1000000"},
                                     {"window_s", "0", "61", "1 .. 60"},
                                     {"probe_after_ms", "9", "3600001", "10 .. 3600000"},
                                     {"longest_probe_interval_ms", "9", "3600001", "10 .. 3600000"}};
  for (const auto& [key, below, above, expected] : ranges) {
    for (const std::string& value : {below, above}) {
      EXPECT_EQ(Fault(Biller(good + "  breaker:\n    " + key + ": " + value + "\n")),
                "switchd.yaml:8: billers[0].breaker." + key + ": " + value + " is out of range; expected " + expected);
    }
  }
  EXPECT_EQ(Fault(Biller(good + "  breaker:\n    longest_probe_interval_ms: 4999\n")),
            "switchd.yaml:8: billers[0].breaker.longest_probe_interval_ms: 4999 is less than breaker.probe_after_ms; "
            "expected at least 5000");
  EXPECT_EQ(
      Load(Biller(good + "  breaker: {probe_after_ms: 90000}\n"))->billers(0).breaker().longest_probe_interval_ms(),
      90'000u);
}

TEST_F(ConfigurationTest, AdaptersFaultsHaveTheirPlace) {
  EXPECT_EQ(Fault(Biller("  adapter: sandbox\n  settings:\n    profile: gas\n    latency_ms: soon\n")),
            "switchd.yaml:8: billers[0].settings.latency_ms: \"soon\" is not a whole number; expected 0 .. 60000");
  EXPECT_EQ(Fault(Biller("  adapter: sandbox\n  settings: {profile: gas}\n  card:\n    least_fen: 0\n")),
            "switchd.yaml:8: billers[0].card.least_fen: 0 is out of range; expected 1 .. 10000000000");
  EXPECT_EQ(Fault(Biller("  adapter: sandbox\n")),
            "switchd.yaml:3: billers[0].settings.profile: missing; expected one of mobile, electricity, gas");
}

}  // namespace
}  // namespace waystation::daemon
