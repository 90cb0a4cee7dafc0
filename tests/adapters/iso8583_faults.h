#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/alarm.h"
#include "adapters/registry.h"
#include "adapters/sim/faults.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/late_box.h"
#include "tests/adapters/payment.h"
#include "tests/adapters/running_simulator.h"
#include "tests/storage/temporary_folder.h"

// The adapter against billersim's power company while things go wrong, held to the biller's own books.
namespace waystation::adapters {

inline constexpr char kHost[] = "electricity";
inline constexpr char kCustomer[] = "1234567800";
inline constexpr std::chrono::milliseconds kSoon{800};
inline constexpr std::chrono::seconds kPatience{60};

// As the books end.
inline std::string References(const Approved& approved) {
  return "reference=" + approved.biller_reference + " voucher=" + approved.voucher;
}

// A host to test against.
struct Dialect {
  std::string name;
  std::string file;
  bool mac;
  std::string connections;
};
inline std::vector<Dialect> Dialects() {
  return {{"bcd_with_mac", iso8583::ElectricityFile(), true, "1"}, {"ascii", iso8583::AsciiHostFile(), false, "2"}};
}

class Iso8583Faults : public testing::Test {
 protected:
  void Begin(const Dialect& dialect) {
    std::ofstream(folder_.Under("mac.key")) << "2b7e151628aed2a6abf7158809cf4f3c";
    Settings host = {{"specification", dialect.file}};
    if (dialect.mac) host["mac_key_file"] = folder_.Under("mac.key");
    sim::SimulatorConfig config;
    config.books = folder_.Under("books.jsonl");
    config.hosts.resize(1);
    config.hosts[0].name = kHost;
    config.hosts[0].protocol = "iso8583";
    config.hosts[0].settings = host;
    simulator_ = std::make_unique<RunningSimulator>(config);
    settings_ = host;
    settings_["address"] = simulator_->AddressOf(kHost);
    settings_["terminal"] = "SWITCH01";
    settings_["connections"] = dialect.connections;
    settings_["acquirer"] = "4500";
    settings_["least_backoff_ms"] = "1";
    settings_["most_backoff_ms"] = "20";
    SendAlarmsTo([this](std::string_view biller, std::string_view text) {
      const std::lock_guard lock(mutex_);
      EXPECT_EQ(biller, settings_["address"]);
      alarms_ += std::string(text) + "\n";
    });
    biller_ = Make(settings_);
    biller_->ReportLateApprovalsTo(&late_);
    WaitForTheLink();
  }
  void TearDown() override {
    biller_.reset();
    SendAlarmsTo({});
    simulator_.reset();
  }

  static std::unique_ptr<BillerAdapter> Make(const Settings& settings) {
    auto created = Create("iso8583", settings, {});
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }

  void WaitForTheLink() { ASSERT_TRUE(Await(biller_->Probe(In(kPatience)))); }
  // Another adapter, on the same thread for links.
  void WaitForAnotherLink() { ASSERT_TRUE(Await(Make(settings_)->Probe(In(kPatience)))); }
  void Tell(const std::string& command) { EXPECT_EQ(simulator_->Do(command), ""); }
  void Fault(const std::string& operation, sim::FaultKind kind) {
    std::string command = std::string("fault ") + kHost + " " + operation + " * " + std::string(sim::ToText(kind));
    // Late by more than the deadline of those who wait for it.
    if (kind == sim::FaultKind::kLate) command += " delay_ms=1600";
    if (kind == sim::FaultKind::kDrip || kind == sim::FaultKind::kHeldUp) command += " delay_ms=1";
    Tell(command);
  }
  void NoFaults() { Tell(std::string("clear ") + kHost); }

  PaymentRequest Payment(uint64_t id) const { return MakePayment(id, kCustomer, core::Money::Fen(5'000)); }
  // What the biller's books say of it: "none", "applied times=1 customer=... amount_fen=... reference=... voucher=...".
  std::string Books(const PaymentRequest& payment) {
    return simulator_->Do(std::string("effect ") + kHost + " " + payment.payment_id.ToString());
  }
  bool HasEffect(const PaymentRequest& payment) { return Books(payment).starts_with("applied"); }
  std::string Alarms() {
    const std::lock_guard lock(mutex_);
    return alarms_;
  }

  storage::TemporaryFolder folder_;
  std::unique_ptr<RunningSimulator> simulator_;
  Settings settings_;
  LateBox late_;
  std::unique_ptr<BillerAdapter> biller_;
  std::mutex mutex_;
  std::string alarms_;
};

}  // namespace waystation::adapters
