#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "adapters/sandbox/answers.h"
#include "adapters/sim/biller.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters::sim {
namespace {

class BillerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove(path_);
    books_ = *Books::Open(path_, BooksUse::kKeep);
    electricity_ = std::make_unique<Biller>("electricity", BillerRules::Electricity(), books_.get(), &clock_);
    gas_ = std::make_unique<Biller>("gas", BillerRules::Gas(), books_.get(), &clock_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  BillerAnswer Pay(std::string_view reference, std::string_view customer = "1234567800", int64_t fen = 5'000) {
    return electricity_->Pay(reference, customer, core::Money::Fen(fen), false);
  }

  const std::string path_ = testing::TempDir() + "sim_biller_test_" + std::to_string(::getpid());
  const core::SystemClock clock_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<Biller> electricity_;
  std::unique_ptr<Biller> gas_;
};

TEST_F(BillerTest, OneReferenceHasOneEffect) {
  const BillerAnswer first = Pay("1");
  EXPECT_EQ(first.code, kDone);
  EXPECT_EQ(first.biller_reference, sandbox::BillerReference('E', core::PaymentId::FromNumber(1)));
  EXPECT_EQ(first.voucher.size(), 20u);
  const BillerAnswer second = Pay("1", "1234567801", 9'000);
  EXPECT_EQ(second.code, kDone);
  EXPECT_EQ(second.biller_reference, first.biller_reference);
  EXPECT_EQ(second.amount, core::Money::Fen(5'000));
  EXPECT_EQ(books_->Find("electricity", "1")->times_applied, 1u);
  EXPECT_EQ(books_->Counts("electricity").requests, 2u);
}

TEST_F(BillerTest, ARequestWithoutAPaymentIdDecidesNothing) {
  for (const std::string reference : {"", "12x", "123456789012345678901"}) {
    EXPECT_EQ(Pay(reference).code, kFormatError);
    EXPECT_EQ(electricity_->Query(reference).code, kFormatError);
    EXPECT_EQ(electricity_->Reverse(reference).code, kFormatError);
    EXPECT_EQ(electricity_->Cancel(reference).code, kFormatError);
    EXPECT_EQ(books_->Find("electricity", reference), nullptr);
  }
  EXPECT_EQ(Pay("12345678901234567890").code, kDone);
  EXPECT_EQ(books_->Counts("electricity").requests, 13u);
}

TEST_F(BillerTest, EachRequestIsInTheBooks) {
  electricity_->Inquire("1234567800");
  electricity_->Probe();
  electricity_->NoteUnheard("pay", "1");
  Pay("1");
  EXPECT_EQ(books_->Counts("electricity").requests, 4u);
  EXPECT_EQ(books_->TimesAsked("electricity", "1"), 2u);
  std::ifstream file(path_);
  const std::string lines{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_THAT(lines, testing::HasSubstr("\"operation\":\"inquire\",\"customer_number\":\"1234567800\""));
  EXPECT_THAT(lines, testing::HasSubstr("\"operation\":\"probe\""));
}

TEST_F(BillerTest, ADeclineStays) {
  EXPECT_EQ(Pay("1", "1234567890").code, kNoSuchAccount);
  EXPECT_EQ(Pay("1").code, kNoSuchAccount);
  EXPECT_EQ(Pay("2", "1234567800", 99).code, kWrongAmount);
  EXPECT_EQ(Pay("3", "123").code, kNoSuchAccount);
  EXPECT_EQ(electricity_->Pay("4", "1234567800", core::Money::Fen(5'000), true).code, kRefused);
  EXPECT_EQ(Pay("4").code, kRefused);
  EXPECT_EQ(books_->Counts("electricity").applied, 0u);
}

TEST_F(BillerTest, RefusingDoesNotUndoAnEffect) {
  EXPECT_EQ(Pay("1").code, kDone);
  EXPECT_EQ(electricity_->Pay("1", "1234567800", core::Money::Fen(5'000), true).code, kDone);
}

TEST_F(BillerTest, AQuerySaysHowThePaymentWasAnswered) {
  EXPECT_EQ(electricity_->Query("1").code, kNoSuchPayment);
  const BillerAnswer paid = Pay("1");
  Pay("2", "1234567890");
  Pay("3");
  electricity_->Reverse("3");
  electricity_->Reverse("4");
  const BillerAnswer found = electricity_->Query("1");
  EXPECT_EQ(found.code, kDone);
  EXPECT_EQ(found.original_code, kDone);
  EXPECT_EQ(found.biller_reference, paid.biller_reference);
  EXPECT_EQ(found.voucher, paid.voucher);
  EXPECT_EQ(electricity_->Query("2").original_code, kNoSuchAccount);
  EXPECT_EQ(electricity_->Query("3").original_code, kTakenBackAlready);
  EXPECT_EQ(electricity_->Query("3").biller_reference, "");
  EXPECT_EQ(electricity_->Query("4").code, kNoSuchPayment);
}

TEST_F(BillerTest, AReversalOfWhatWasNeverHeardOfBarsIt) {
  EXPECT_EQ(electricity_->Reverse("1").code, kDone);
  EXPECT_EQ(Pay("1").code, kTakenBackAlready);
  EXPECT_EQ(books_->Find("electricity", "1")->state, EntryState::kBarred);
}

TEST_F(BillerTest, TakingBackIsSafeToRepeat) {
  Pay("1");
  Pay("2");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(electricity_->Reverse("1").code, kDone);
    EXPECT_EQ(electricity_->Cancel("2").code, kDone);
  }
  EXPECT_EQ(books_->Counts("electricity").taken_back, 2u);
  EXPECT_EQ(Pay("1").code, kTakenBackAlready);
}

TEST_F(BillerTest, WhatCannotBeCancelled) {
  EXPECT_EQ(electricity_->Cancel("1").code, kNoSuchPayment);
  EXPECT_EQ(books_->Find("electricity", "1"), nullptr) << "a cancel bars nothing";
  Pay("2", "1234567890");
  EXPECT_EQ(electricity_->Cancel("2").code, kNoSuchPayment);
  Pay("3", "1234567897");
  EXPECT_EQ(electricity_->Cancel("3").code, kUsedUp);
  EXPECT_EQ(electricity_->Reverse("3").code, kUsedUp);
  EXPECT_EQ(books_->Find("electricity", "3")->state, EntryState::kApplied);
}

TEST_F(BillerTest, AccountsAndBillsAreTheSandboxs) {
  const BillerAnswer found = gas_->Inquire("12345600");
  EXPECT_EQ(found.code, kDone);
  EXPECT_EQ(found.owed, sandbox::AmountOwed("12345600"));
  EXPECT_EQ(found.customer_name, sandbox::MaskedName("12345600"));
  EXPECT_EQ(gas_->Inquire("12345690").code, kNoSuchAccount);
  EXPECT_EQ(gas_->Inquire("1234560x").code, kNoSuchAccount);
  EXPECT_EQ(electricity_->Inquire("1234567800").owed, core::Money());
  EXPECT_EQ(gas_->Pay("1", "12345600", found.owed, false).code, kDone);
  EXPECT_EQ(gas_->Pay("2", "12345600", found.owed + core::Money::Fen(1), false).code, kWrongAmount);
}

// A clock that a test moves.
class DayClock final : public core::Clock {
 public:
  core::TimePoint Now() const override { return now; }
  core::SteadyTime Steady() const override { return {}; }
  core::TimePoint now{std::chrono::seconds(1'795'017'600)};  // the first moment of 2026-11-19 in China
};

TEST_F(BillerTest, AReversalOfAnotherDayIsInThatDaysStatement) {
  DayClock clock;
  Biller biller("mobile", BillerRules::Mobile(), books_.get(), &clock);
  const auto pay = [&biller](std::string_view reference) {
    return biller.Pay(reference, "13800138000", core::Money::Fen(5'000), false).biller_reference;
  };
  const std::string first = pay("1");
  const std::string second = pay("2");
  clock.now += std::chrono::hours(24);
  biller.Reverse("1");
  const auto statement = [&biller](uint32_t date) {
    return CsvStatement(biller, *core::BusinessDate::FromNumber(date), "head");
  };
  EXPECT_EQ(statement(20261119), "head\n1," + first + ",13800138000,5000,1795017600000\n2," + second +
                                     ",13800138000,5000,1795017600000\ntotal,2,,10000,\n");
  EXPECT_EQ(statement(20261120), "head\n1," + first + ",13800138000,-5000,1795104000000\ntotal,1,,-5000,\n");
}

TEST(DayInChina, ChangesAtFourInTheAfternoonUtc) {
  const auto at = [](int64_t seconds) { return DayInChina(core::TimePoint(std::chrono::seconds(seconds))).number(); };
  EXPECT_EQ(at(1'795'017'599), 20261118u);
  EXPECT_EQ(at(1'795'017'600), 20261119u);
}

}  // namespace
}  // namespace waystation::adapters::sim
