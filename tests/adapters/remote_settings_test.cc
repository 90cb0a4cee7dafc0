#include <fstream>
#include <memory>
#include <string>

#include "adapters/registry.h"
#include "adapters/remote/card_text.h"
#include "bench/temporary_folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "switch/core/service_hours.h"

namespace waystation::adapters {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RemoteSettings : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = folder_->path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string Fault(const Settings& settings) {
    const auto created = Create("remote", settings, {});
    EXPECT_TRUE(absl::IsInvalidArgument(created.status())) << created.status();
    return std::string(created.status().message());
  }
  static std::string Card(const std::string& more = "") {
    return "service: \"water\" inquiry: INQUIRY_RULE_NONE amount_rule: AMOUNT_RULE_FREE cancel: CANCEL_RULE_NONE\n"
           "least_fen: 100 most_fen: 200 step_fen: 1 customer_number_pattern: \"[0-9]+\"\n"
           "customer_number_hint: \"digits\" can_query: true time_limit_ms: 1000 max_in_flight: 10 # as agreed\n" +
           more;
  }

  const std::unique_ptr<bench::TemporaryFolder> folder_ = *bench::TemporaryFolder::Make(bench::DefaultParentFolder());
};

TEST_F(RemoteSettings, TheCardIsTheFileWithTheConfigurationsOverrides) {
  const auto biller = Create("remote", {{"address", "127.0.0.1:1"}, {"card_file", Write("card", Card())}},
                             {.most = core::Money::Fen(150)});
  ASSERT_TRUE(biller.ok()) << biller.status();
  EXPECT_EQ((*biller)->card().service, "water");
  EXPECT_EQ((*biller)->card().least, core::Money::Fen(100));
  EXPECT_EQ((*biller)->card().most, core::Money::Fen(150));
  EXPECT_TRUE((*biller)->card().can_query);
  EXPECT_FALSE((*biller)->card().can_reverse);
  EXPECT_FALSE((*biller)->card().query_denial_is_final);
  EXPECT_EQ((*biller)->card().settling_time.count(), 0);
}

TEST_F(RemoteSettings, FaultsNameTheSetting) {
  const std::string card = Write("card", Card());
  EXPECT_EQ(Fault({{"card_file", card}}), "settings.address: missing; expected a text");
  EXPECT_EQ(Fault({{"address", "127.0.0.1:1"}}), "settings.card_file: missing; expected a text");
  EXPECT_THAT(Fault({{"address", "127.0.0.1:1"}, {"card_file", card}, {"adress", "x"}}),
              StartsWith("settings.adress: unknown setting; expected one of address, "));
  for (const std::string bad :
       {"127.0.0.1", ":7501", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "a b:1", "x/y:1", "unix:1:2"}) {
    EXPECT_EQ(Fault({{"address", bad}, {"card_file", card}}),
              "settings.address: \"" + bad +
                  "\" is no address; expected host:port, port 1 .. 65535, such as "
                  "127.0.0.1:7501");
  }
}

TEST_F(RemoteSettings, PlainTextStaysOnLoopbackUnlessTheRiskIsAccepted) {
  const std::string card = Write("card", Card());
  for (const std::string loopback : {"127.0.0.1:1", "127.8.9.1:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(Create("remote", {{"address", loopback}, {"card_file", card}}, {}).ok()) << loopback;
  }
  for (const std::string other : {"10.0.0.1:1", "water.example:1", "[2001:db8::1]:1", "127.example:1"}) {
    EXPECT_THAT(Fault({{"address", other}, {"card_file", card}}), HasSubstr("is not loopback"));
  }
  const std::string accepts = "I accept that anyone on this network can read and forge payments";
  EXPECT_TRUE(
      Create("remote", {{"address", "10.0.0.1:1"}, {"card_file", card}, {"plain_text_off_loopback", accepts}}, {})
          .ok());
  EXPECT_THAT(Fault({{"address", "10.0.0.1:1"}, {"card_file", card}, {"plain_text_off_loopback", "yes"}}),
              StartsWith("settings.plain_text_off_loopback: another text; expected exactly"));
}

TEST_F(RemoteSettings, TlsFilesAreReadAndHeldTogether) {
  const Settings settings = {{"address", "10.0.0.1:1"}, {"card_file", Write("card", Card())}};
  const std::string pem = Write("pem", "-----BEGIN CERTIFICATE-----\n");
  Settings with = settings;
  with["tls_ca_file"] = folder_->path() + "/none";
  EXPECT_THAT(Fault(with), HasSubstr("No such file or directory; expected a file that can be read"));
  with["tls_ca_file"] = Write("text", "hello");
  EXPECT_THAT(Fault(with), HasSubstr("has no \"-----BEGIN\" line; expected a PEM file"));
  with["tls_ca_file"] = pem;
  EXPECT_TRUE(Create("remote", with, {}).ok());
  with["tls_key_file"] = pem;
  EXPECT_THAT(Fault(with), StartsWith("settings.tls_certificate_file: missing; expected both of"));
  with = settings;
  with["tls_key_file"] = pem;
  with["tls_certificate_file"] = pem;
  EXPECT_THAT(Fault(with), StartsWith("settings.tls_ca_file: missing; expected it beside tls_key_file"));
}

TEST_F(RemoteSettings, ACardThatDoesNotHoldTogetherIsRefusedWithTheReason) {
  const auto fault = [this](const std::string& text) {
    return Fault({{"address", "127.0.0.1:1"}, {"card_file", Write("card", text)}});
  };
  EXPECT_THAT(Fault({{"address", "127.0.0.1:1"}, {"card_file", folder_->path() + "/none"}}),
              HasSubstr("have it made: adapter_conformance --target ADDRESS --write-card"));
  EXPECT_THAT(fault("service: \"water\"\nleast: 1"), HasSubstr("line 2: "));
  EXPECT_THAT(fault(""), HasSubstr("card.service: \"\" is not known; expected mobile, electricity, gas or water"));
  EXPECT_THAT(fault("service: \"water\""), HasSubstr("card.inquiry: missing, or not known here"));
  std::string no_most = Card();
  no_most.erase(no_most.find("most_fen: 200"), 13);
  EXPECT_THAT(fault(no_most), HasSubstr("card.most_fen: 0 is out of range; expected 100 .. 10000000000"));
}

TEST_F(RemoteSettings, HoursAndHowManyMayWaitAreOfTheCard) {
  const auto biller = [this](const std::string& more, const CardOverrides& overrides) {
    return Create("remote", {{"address", "127.0.0.1:1"}, {"card_file", Write("card", Card(more))}}, overrides);
  };
  const std::string more = "service_hours: \"06:00-12:00,13:00-23:30\" max_waiting: 7";
  const auto with = biller(more, {});
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ((*with)->card().service_hours, *core::ServiceHours::Parse("06:00-12:00, 13:00-23:30"));
  EXPECT_EQ((*with)->card().max_waiting, 7u);
  const auto overridden = biller(more, {.max_waiting = 8, .service_hours = "01:00-02:00"});
  ASSERT_TRUE(overridden.ok()) << overridden.status();
  EXPECT_EQ((*overridden)->card().service_hours, *core::ServiceHours::Parse("01:00-02:00"));
  EXPECT_EQ((*overridden)->card().max_waiting, 8u);
  const auto without = biller("", {});
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_TRUE((*without)->card().service_hours.always());
  EXPECT_EQ((*without)->card().max_waiting, 0u);
  EXPECT_THAT(std::string(biller("service_hours: \"6 to 12\"", {}).status().message()),
              HasSubstr("card.service_hours: "));
  EXPECT_THAT(std::string(biller("max_waiting: 10001", {}).status().message()),
              HasSubstr("card.max_waiting: 10001 is out of range; expected 0 .. 10000"));
}

TEST_F(RemoteSettings, KeepaliveIsOfASecondToAnHour) {
  Settings settings = {{"address", "127.0.0.1:1"}, {"card_file", Write("card", Card())}};
  for (const std::string bad : {"999", "3600001", "often"}) {
    settings["keepalive_ms"] = bad;
    EXPECT_THAT(Fault(settings), StartsWith("settings.keepalive_ms: ")) << bad;
  }
  settings["keepalive_ms"] = "1000";
  EXPECT_TRUE(Create("remote", settings, {}).ok());
}

TEST(RemoteCard, DifferencesAreNamed) {
  adapter::v1::CapabilityCard here;
  here.set_service("water");
  here.set_most_fen(100);
  EXPECT_EQ(remote::DifferenceOf(here, here), "");
  adapter::v1::CapabilityCard there = here;
  there.set_most_fen(200);
  there.set_query_denial_is_final(true);
  there.set_service_hours("06:00-23:30");
  there.set_max_waiting(5);
  EXPECT_EQ(remote::DifferenceOf(there, here),
            "most_fen is 200 there and 100 here, query_denial_is_final is true there and false here, "
            "service_hours is \"06:00-23:30\" there and \"\" here, max_waiting is 5 there and 0 here");
  adapter::v1::CapabilityCard newer = here;
  newer.GetReflection()->MutableUnknownFields(&newer)->AddVarint(77, 1);
  EXPECT_EQ(remote::DifferenceOf(newer, here), "it has a field, number 77, that is not known here");
}

}  // namespace
}  // namespace waystation::adapters
