#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "adapters/registry.h"
#include "adapters/sim/certificates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The settings of the adapters that reach their hosts by HTTP.
class HttpSettings : public testing::Test {
 protected:
  HttpSettings() { std::ofstream(folder_.Under("hmac.key")) << std::string(32, 'a'); }

  Settings Mobile() const {
    return {{"url", "https://127.0.0.1:1"},
            {"ca_file", authority_.file()},
            {"partner", "waystation"},
            {"key_file", folder_.Under("hmac.key")},
            {"result_codes", "00 success"}};
  }
  static Settings Gas() {
    return {{"url", "http://127.0.0.1:1"}, {"partner", "waystation"}, {"result_codes", "00 success"}};
  }

  // What is said of `settings` with one of them set to `value`.
  static std::string Fault(const std::string& adapter, Settings settings, const std::string& name,
                           const std::string& value) {
    settings[name] = value;
    const auto created = Create(adapter, settings, {});
    EXPECT_TRUE(absl::IsInvalidArgument(created.status())) << name << " = " << value << ": " << created.status();
    return std::string(created.status().message());
  }

  const storage::TemporaryFolder folder_;
  const sim::CertificateAuthority authority_{folder_.path(), "authority"};
};

TEST_F(HttpSettings, ThatAreRightMakeAnAdapter) {
  EXPECT_TRUE(Create("mobile_json", Mobile(), {}).ok()) << Create("mobile_json", Mobile(), {}).status();
  EXPECT_TRUE(Create("gas_xml", Gas(), {}).ok()) << Create("gas_xml", Gas(), {}).status();
}

TEST_F(HttpSettings, EachIsRequired) {
  for (const auto& [name, value] : Mobile()) {
    Settings settings = Mobile();
    settings.erase(name);
    EXPECT_THAT(std::string(Create("mobile_json", settings, {}).status().message()),
                StartsWith("settings." + name + ": missing"));
  }
  for (const auto& [name, value] : Gas()) {
    Settings settings = Gas();
    settings.erase(name);
    EXPECT_THAT(std::string(Create("gas_xml", settings, {}).status().message()),
                StartsWith("settings." + name + ": missing"));
  }
}

TEST_F(HttpSettings, FaultsNameTheSettingAndWhatWasExpected) {
  struct Row {
    std::string name, value, fault;
  };
  const std::string key = folder_.Under("hmac.key");
  const std::vector<Row> rows = {
      {"url", "carrier.example", "settings.url: \"carrier.example\" is not a URL of http or https; expected https://"},
      {"url", "http://carrier.example", "settings.url: \"http://carrier.example\" is not one of https"},
      {"ca_file", folder_.Under("none"), "can't be read as certificates"},
      {"ca_file", key, "can't be read as certificates"},
      {"partner", "a b", "settings.partner: \"a b\" is not understood; expected up to 32 letters"},
      {"partner", "a\r\nX-Field: b", "settings.partner: "},
      {"key_file", folder_.Under("none"), "can't be opened; expected a file with 32 to 128 hexadecimal digits"},
      {"result_codes", "14 declined a", "settings.result_codes: no code means success"},
      {"idle_limit_ms", "600001", "settings.idle_limit_ms: 600001 is out of range; expected 0 .. 600000"},
      {"most_idle_connections", "10001", "settings.most_idle_connections: 10001 is out of range"},
      {"most_answer_bytes", "255", "settings.most_answer_bytes: 255 is out of range; expected 256 .. 1048576"},
      {"colour", "red", "settings.colour: unknown setting"},
  };
  for (const Row& row : rows) EXPECT_THAT(Fault("mobile_json", Mobile(), row.name, row.value), HasSubstr(row.fault));
  EXPECT_THAT(Fault("gas_xml", Gas(), "ca_file", authority_.file()),
              StartsWith("settings.ca_file: the url is not one of https"));
  EXPECT_THAT(Fault("gas_xml", Gas(), "partner", std::string(33, 'a')), StartsWith("settings.partner: "));
}

}  // namespace
}  // namespace waystation::adapters
