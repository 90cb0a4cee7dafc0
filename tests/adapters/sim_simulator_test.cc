#include <string>

#include "adapters/sim/simulator.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/write.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

namespace waystation::adapters::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

SimulatorConfig::HostConfig Power() {
  SimulatorConfig::HostConfig host;
  host.name = "power";
  host.protocol = "iso8583";
  host.settings = {{"specification", iso8583::ElectricityFile()}};
  return host;
}

tcp::endpoint Endpoint(const std::string& address) {
  return {asio::ip::make_address("127.0.0.1"),
          static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)))};
}

TEST(SimulatorConfigText, IsReadWithItsDefaults) {
  const absl::StatusOr<SimulatorConfig> config = ParseSimulatorConfig(R"({
    // what the tests play
    "books": "books.jsonl", "seed": 7,
    "hosts": [{"name": "power", "protocol": "iso8583", "latency": "uniform 1 2", "faults": ["pay 96 silent"],
               "settings": {"specification": "x.json"}}]})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->books, "books.jsonl");
  EXPECT_EQ(config->control, "127.0.0.1:0");
  EXPECT_EQ(config->seed, 7u);
  ASSERT_EQ(config->hosts.size(), 1u);
  EXPECT_EQ(config->hosts[0].listen, "127.0.0.1:0");
  EXPECT_EQ(config->hosts[0].faults[0], "pay 96 silent");
  EXPECT_EQ(config->hosts[0].settings.at("specification"), "x.json");
}

TEST(SimulatorConfigText, FaultsNameTheKey) {
  const auto fault = [](const std::string& text) { return std::string(ParseSimulatorConfig(text).status().message()); };
  EXPECT_THAT(fault("{"), StartsWith("not JSON: "));
  EXPECT_EQ(fault("[]"), "not a JSON object");
  EXPECT_EQ(fault(R"({"hosts": []})"), "books: missing");
  EXPECT_EQ(fault(R"({"books": 5, "hosts": []})"), "books: not a text");
  EXPECT_EQ(fault(R"({"books": "b", "hosts": [{"name": "power"}]})"), "hosts[0].protocol: missing");
  EXPECT_EQ(fault(R"({"books": "b", "hosts": [5]})"), "hosts[0]: not an object");
  EXPECT_THAT(fault(R"({"books": "b", "hosts": [], "speed": 1})"), StartsWith("speed: unknown; expected one of books"));
}

TEST(SimulatorMake, RefusesWhatItCannotPlay) {
  const core::SystemClock clock;
  SimulatorConfig config;
  const storage::TemporaryFolder folder;
  config.books = folder.Under("books.jsonl");
  const auto fault = [&](SimulatorConfig::HostConfig host) {
    config.hosts = {Power(), std::move(host)};
    return std::string(Simulator::Make(config, &clock, BooksUse::kKeep).status().message());
  };
  EXPECT_EQ(fault(Power()), "hosts: \"power\" stands there twice");
  SimulatorConfig::HostConfig host = Power();
  host.name = "other";
  host.protocol = "telex";
  EXPECT_THAT(fault(host), HasSubstr("protocol \"telex\" is not known; expected one of"));
  host = Power();
  host.name = "other";
  host.faults = {"pay 96"};
  EXPECT_THAT(fault(host), HasSubstr("expected OPERATION ENDING KIND"));
  host = Power();
  host.name = "other";
  host.settings = {};
  EXPECT_THAT(fault(host), HasSubstr("settings.specification: missing"));
}

class Commands : public testing::Test {
 protected:
  // At the control port: the line that answers.
  std::string Command(const std::string& line) {
    if (!socket_.is_open()) socket_.connect(Endpoint(simulator_.AddressOf("control")));
    asio::write(socket_, asio::buffer(line + "\n"));
    std::string answer;
    const size_t bytes = asio::read_until(socket_, asio::dynamic_buffer(answer), '\n');
    return answer.substr(0, bytes - 1);
  }
  SimulatorConfig Config() const {
    SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts = {Power()};
    return config;
  }

  const storage::TemporaryFolder folder_;
  RunningSimulator simulator_{Config()};
  asio::io_context io_;
  tcp::socket socket_{io_};
};

TEST_F(Commands, AreObeyedAndFaultsExplained) {
  EXPECT_EQ(Command("fault power pay 96 silent times=1"), "ok");
  EXPECT_EQ(Command("latency power fixed 5"), "ok");
  EXPECT_EQ(Command("clear power"), "ok");
  EXPECT_EQ(Command("effect power 1"), "ok none asked=0");
  EXPECT_EQ(Command("counts power"), "ok requests=0 applied=0 declined=0 taken_back=0 barred=0");
  EXPECT_THAT(Command("fault power pay 96 quiet"), StartsWith("error: fault: \"quiet\" is not known"));
  EXPECT_THAT(Command("latency power slow"), StartsWith("error: latency: \"slow\" is not understood"));
  EXPECT_THAT(Command("burn power"), StartsWith("error: \"burn\" is not a command; expected one of: fault"));
  for (const std::string line : {"", "fault", "fault water pay 96 silent"}) {
    EXPECT_THAT(Command(line), StartsWith("error: \"" + line + "\" is not understood"));
  }
}

TEST_F(Commands, AHostThatRefusesComesBackAtItsAddress) {
  const std::string address = simulator_.AddressOf("power");
  boost::system::error_code error;
  tcp::socket first(io_);
  first.connect(Endpoint(address), error);
  EXPECT_FALSE(error);
  EXPECT_EQ(Command("refuse power"), "ok");
  tcp::socket second(io_);
  second.connect(Endpoint(address), error);
  EXPECT_EQ(error, asio::error::connection_refused);
  EXPECT_EQ(Command("accept power"), "ok");
  tcp::socket third(io_);
  third.connect(Endpoint(address), error);
  EXPECT_FALSE(error);
  EXPECT_EQ(simulator_.AddressOf("power"), address);
  EXPECT_EQ(Command("restart power"), "ok");
  char byte = 0;
  EXPECT_EQ(third.read_some(asio::buffer(&byte, 1), error), 0u);
  EXPECT_TRUE(error);
  tcp::socket fourth(io_);
  fourth.connect(Endpoint(address), error);
  EXPECT_FALSE(error);
}

}  // namespace
}  // namespace waystation::adapters::sim
