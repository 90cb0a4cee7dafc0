#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "bench/child_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/adapters/payment.h"
#include "tests/e2e/child.h"
#include "tests/storage/temporary_folder.h"

// billersim as a program: what it prints, that it ends when it is told to, that its books outlive it.
namespace waystation::adapters {
namespace {

using bench::ChildProcess;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr seconds kPatience{60};
constexpr char kWaterCard[] = WS_SOURCE_DIR "/adapters/sim/remote/water.card";

class Billersim : public testing::Test {
 protected:
  Billersim() {
    std::ofstream(config_) << R"({"books": ")" << folder_.Under("books.jsonl")
                           << R"(", "hosts": [{"name": "electricity", "protocol": "iso8583",
                               "settings": {"specification": ")"
                           << iso8583::ElectricityFile() << R"("}},
                            {"name": "waterworks", "protocol": "remote", "settings": {"card_file": ")"
                           << kWaterCard << "\"}}]}";
  }

  void Start() {
    auto child = ChildProcess::Start({WS_BILLERSIM, "--config", config_}, folder_.Under("stderr"));
    ASSERT_TRUE(child.ok()) << child.status();
    child_ = *std::move(child);
    const auto never = [] { return false; };
    const auto address = child_->WaitForLine("electricity ", kPatience, never);
    ASSERT_TRUE(address.ok()) << address.status();
    const auto waterworks = child_->WaitForLine("waterworks ", kPatience, never);
    ASSERT_TRUE(waterworks.ok()) << waterworks.status();
    waterworks_ = *waterworks;
    ASSERT_TRUE(child_->WaitForLine("ready", kPatience, never).ok());
    Reach(*address);
  }
  void Reach(const std::string& address) {
    auto created = Create(
        "iso8583", {{"specification", iso8583::ElectricityFile()}, {"address", address}, {"terminal", "SWITCH01"}}, {});
    ASSERT_TRUE(created.ok()) << created.status();
    biller_ = *std::move(created);
  }
  void Stop() {
    const absl::Status stopped = child_->Stop(kPatience);
    EXPECT_TRUE(stopped.ok()) << stopped;
  }
  // What a run prints, standard output and standard error, and its exit status.
  std::pair<std::string, int> Run(const std::string& arguments) {
    std::FILE* pipe = ::popen((std::string(WS_BILLERSIM) + " " + arguments + " 2>&1").c_str(), "r");
    std::string text;
    char chunk[4096];
    while (const size_t bytes = std::fread(chunk, 1, sizeof(chunk), pipe)) text.append(chunk, bytes);
    return {text, ::pclose(pipe)};
  }

  const storage::TemporaryFolder folder_;
  const std::string config_ = folder_.Under("billers.json");
  std::unique_ptr<ChildProcess> child_;
  std::unique_ptr<BillerAdapter> biller_;
  std::string waterworks_;
};

TEST_F(Billersim, ItsBooksOutliveIt) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const PaymentRequest payment = MakePayment(42, "1234567800", core::Money::Fen(5'000));
  const PayOutcome paid = Await(biller_->Pay(payment, In(kPatience)));
  ASSERT_EQ(Kind(paid), "approved") << Text(paid);
  Stop();
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(Text(Await(biller_->Query(payment, In(kPatience)))), Text(paid));

  // The day's file, also while it runs.
  std::ifstream books(folder_.Under("books.jsonl"));
  const std::string lines{std::istreambuf_iterator<char>(books), std::istreambuf_iterator<char>()};
  const std::string date = lines.substr(lines.find("\"date\":") + 7, 8);
  const std::string day = date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6);
  const auto [file, status] = Run("--config " + config_ + " statement --host electricity --date " + day);
  EXPECT_EQ(status, 0) << file;
  EXPECT_THAT(file, HasSubstr("D|42|" + std::get<Approved>(paid).biller_reference + "|1234567800|5000|"));
  EXPECT_THAT(file, testing::EndsWith("T|1|5000|0|0\n"));
  Stop();
}

TEST_F(Billersim, ItsBooksOutliveAKill) {
  e2e::Child child({"billersim", "--config", config_}, folder_.Under("stderr"));
  const std::optional<std::string> address = child.WaitForLine("electricity ", kPatience);
  ASSERT_TRUE(address.has_value()) << child.Errors();
  ASSERT_NO_FATAL_FAILURE(Reach(*address));
  const PaymentRequest payment = MakePayment(42, "1234567800", core::Money::Fen(5'000));
  const PayOutcome paid = Await(biller_->Pay(payment, In(kPatience)));
  ASSERT_EQ(Kind(paid), "approved") << Text(paid);
  child.Signal(SIGKILL);
  ASSERT_EQ(child.WaitForEnd(kPatience), -SIGKILL);
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(Text(Await(biller_->Query(payment, In(kPatience)))), Text(paid));
  EXPECT_EQ(Text(Await(biller_->Pay(payment, In(kPatience)))), Text(paid));
  const std::string effects = "--config " + config_ + " effects --host electricity ";
  EXPECT_EQ(Run(effects + "42"), std::make_pair(std::string("1\n"), 0));
  EXPECT_EQ(Kind(Await(biller_->Reverse(payment, In(kPatience)))), "taken back");
  EXPECT_EQ(Run(effects + "42"), std::make_pair(std::string("0\n"), 0));
  EXPECT_EQ(Run(effects + "43"), std::make_pair(std::string("0\n"), 0));
  Stop();
}

TEST_F(Billersim, TwoDoNotKeepOneSetOfBooks) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto [second, status] = Run("--config " + config_);
  EXPECT_NE(status, 0);
  EXPECT_THAT(second, HasSubstr("books.jsonl: another billersim keeps them"));
  Stop();
}

TEST_F(Billersim, ItEndsWhileASwitchWatchesItsHealth) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto water = Create("remote", {{"address", waterworks_}, {"card_file", kWaterCard}}, {});
  ASSERT_TRUE(water.ok()) << water.status();
  EXPECT_TRUE(Await((*water)->Probe(In(kPatience))));
  Stop();
}

TEST_F(Billersim, WhatIsWrongIsNamed) {
  const auto [no_file, no_file_status] = Run("--config " + folder_.Under("none.json"));
  EXPECT_NE(no_file_status, 0);
  EXPECT_THAT(no_file, HasSubstr("none.json: cannot be read; expected a file of JSON"));
  const auto [no_books, no_books_status] = Run("--config " + config_ + " statement --host water --date 2026-11-22");
  EXPECT_NE(no_books_status, 0);
  EXPECT_THAT(no_books, HasSubstr("books.jsonl: cannot be opened"));
  std::ofstream(folder_.Under("books.jsonl")).close();
  const auto [no_host, no_host_status] = Run("--config " + config_ + " statement --host water --date 2026-11-22");
  EXPECT_NE(no_host_status, 0);
  EXPECT_THAT(no_host, HasSubstr("is not known; expected one of electricity"));
  const auto [no_date, no_date_status] = Run("--config " + config_ + " statement --host electricity --date 22.11.2026");
  EXPECT_NE(no_date_status, 0);
  EXPECT_THAT(no_date, HasSubstr("22.11.2026"));
}

}  // namespace
}  // namespace waystation::adapters
