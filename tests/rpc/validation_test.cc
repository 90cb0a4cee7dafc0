#include "switch/rpc/validation.h"

#include <functional>
#include <vector>

#include "gtest/gtest.h"

namespace waystation::rpc {
namespace {

struct Row {
  std::string text;
  std::string error;  // the whole message; empty: it fits
};

void ExpectRows(const std::function<absl::Status(const std::string&)>& check, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const absl::Status status = check(row.text);
    EXPECT_EQ(std::string(status.message()), row.error) << '"' << row.text << '"';
    EXPECT_EQ(status.code(), row.error.empty() ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument);
  }
}

TEST(Validation, Station) {
  const std::string expected = " is not an institution code; expected 12 digits, such as 440106000017";
  ExpectRows([](const std::string& text) { return CheckStation("station_id", text).status(); },
             {{"440106000017", ""},
              {"000000000000", ""},
              {"", "station_id: an empty text" + expected},
              {"44010600001", "station_id: \"44010600001\"" + expected},
              {"44010600001x", "station_id: \"44010600001x\"" + expected},
              {"\n", "station_id: a text with control characters" + expected},
              {std::string(41, '1'), "station_id: a text of 41 bytes" + expected}});
}

TEST(Validation, OperatorAndRequestId) {
  ExpectRows([](const std::string& text) { return CheckOperator("clerk_id", text); },
             {{"0123456789", ""},
              {"", "clerk_id: an empty text is not a user name; expected 10 digits"},
              {"012345678x", "clerk_id: \"012345678x\" is not a user name; expected 10 digits"}});
  const std::string expected = "; expected 1 to 64 of A-Z a-z 0-9 . _ : -";
  ExpectRows([](const std::string& text) { return CheckRequestId(text); },
             {{"Az09._:-", ""},
              {std::string(64, 'a'), ""},
              {"", "request_id: is empty" + expected},
              {std::string(65, 'a'), "request_id: a text of 65 bytes does not fit" + expected},
              {"a/b", "request_id: \"a/b\" does not fit" + expected},
              {std::string("a\0", 2), "request_id: a text with control characters does not fit" + expected}});
}

TEST(Validation, OwnersAndNextActions) {
  google::protobuf::RepeatedField<int> numbers;
  numbers.Add(1);
  numbers.Add(4);
  const auto owners = CheckOwners(numbers);
  ASSERT_TRUE(owners.ok());
  EXPECT_EQ(*owners, (std::vector{flow::Owner::kNobody, flow::Owner::kPerson}));
  numbers.Add(8);
  EXPECT_EQ(CheckNextActions(numbers)->back(), flow::NextAction::kConfirm);
  EXPECT_EQ(CheckOwners(numbers).status().message(), "owners: 8 is no payment owner; expected 1 to 4");
  numbers.Set(2, 0);
  EXPECT_EQ(CheckNextActions(numbers).status().message(), "next_actions: 0 is no next action; expected 1 to 8");
}

TEST(Validation, BillerAndCustomer) {
  ExpectRows([](const std::string& text) { return CheckBillerId(text); },
             {{"gas-2_x", ""},
              {std::string(32, 'a'), ""},
              {"Gas", "biller_id: \"Gas\" does not fit; expected 1 to 32 of a-z 0-9 _ -"},
              {std::string(33, 'a'),
               "biller_id: \"" + std::string(33, 'a') + "\" does not fit; expected 1 to 32 of a-z 0-9 _ -"}});
  ExpectRows([](const std::string& text) { return CheckCustomerNumber(text); },
             {{"0aZ9", ""},
              {"12-3", "customer_number: \"12-3\" does not fit; expected 1 to 32 of letters and digits"},
              {"", "customer_number: is empty; expected 1 to 32 of letters and digits"}});
}

TEST(Validation, PaymentIdAndDate) {
  const auto payment_id = [](const std::string& text) { return CheckPaymentId(text).status(); };
  EXPECT_TRUE(payment_id("1").ok());
  EXPECT_TRUE(payment_id("18446744073709551615").ok());
  for (const char* text : {"", "0", "01", "+1", "1 ", "18446744073709551616"}) EXPECT_FALSE(payment_id(text).ok());
  const auto date = [](const std::string& text) { return CheckDate("from_date", text).status(); };
  EXPECT_TRUE(date("2028-02-29").ok());
  for (const char* text : {"", "2026-02-29", "2026-2-9", "2026/02/09", "2026-02-09 ", "1969-12-31", "10000-01-01"}) {
    EXPECT_EQ(std::string(date(text).message()).rfind("from_date: ", 0), 0U) << text;
  }
}

TEST(Validation, Amount) {
  const auto amount = [](int64_t fen) { return CheckAmount("amount_fen", fen, core::Money::Fen(1)); };
  EXPECT_EQ(amount(1)->fen(), 1);
  EXPECT_EQ(amount(10'000'000'000)->fen(), 10'000'000'000);
  for (const int64_t fen : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX, int64_t{10'000'000'001}}) {
    EXPECT_EQ(std::string(amount(fen).status().message()),
              "amount_fen: " + std::to_string(fen) + " is out of range; expected 1 to 10000000000 fen");
  }
}

TEST(Validation, TextAndPageSize) {
  ExpectRows([](const std::string& text) { return CheckText("name", text, 6, true); },
             {{"村口", ""},
              {"", "name: is empty; expected 1 to 6 bytes of text"},
              {"1234567", "name: has 7 bytes; expected at most 6"},
              {"a\tb", "name: has control characters; expected one line of text"},
              {"\x7f", "name: has control characters; expected one line of text"}});
  EXPECT_TRUE(CheckText("reason", "", 6, false).ok());
  EXPECT_EQ(*CheckPageSize(0), 100U);
  EXPECT_EQ(*CheckPageSize(500), 500U);
  EXPECT_EQ(std::string(CheckPageSize(501).status().message()),
            "page_size: 501 is out of range; expected 1 to 500, or 0 for 100");
}

TEST(Validation, HowLongACallWaits) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  using SystemClock = std::chrono::system_clock;
  constexpr auto kNoDeadline = SystemClock::time_point::max();
  const auto expect_wait = [](bool has_wait, uint32_t wait_ms, milliseconds wait) {
    const auto before = std::chrono::steady_clock::now();
    const auto answer_by = CheckWait(has_wait, wait_ms, kNoDeadline);
    ASSERT_TRUE(answer_by.ok());
    EXPECT_GE(*answer_by, before + wait);
    EXPECT_LE(*answer_by, std::chrono::steady_clock::now() + wait);
  };
  expect_wait(false, 0, seconds(15));
  expect_wait(true, 0, seconds(0));
  expect_wait(true, 60'000, seconds(60));
  // The call's own deadline, less 20 ms.
  for (const bool has_wait : {true, false}) {
    const auto before = std::chrono::steady_clock::now();
    const auto answer_by = CheckWait(has_wait, 60'000, SystemClock::now() + seconds(10));
    const auto after = std::chrono::steady_clock::now();
    ASSERT_TRUE(answer_by.ok());
    EXPECT_GE(*answer_by, before + milliseconds(9'980) - (after - before));
    EXPECT_LE(*answer_by, after + milliseconds(9'980));
  }
  // Too little is left to wait: answered at once, or too late already on a slow machine.
  const auto at_once = CheckWait(false, 0, SystemClock::now() + milliseconds(10));
  if (at_once.ok()) {
    EXPECT_LE(*at_once, std::chrono::steady_clock::now());
  }
  EXPECT_TRUE(at_once.ok() || absl::IsDeadlineExceeded(at_once.status())) << at_once.status();

  EXPECT_EQ(std::string(CheckWait(true, 60'001, kNoDeadline).status().message()),
            "wait_ms: 60001 is out of range; expected 0 to 60000");
  EXPECT_EQ(CheckWait(true, UINT32_MAX, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
  const absl::Status passed = CheckWait(false, 0, SystemClock::now() - milliseconds(1)).status();
  EXPECT_EQ(passed.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(std::string(passed.message()),
            "deadline: has passed already; nothing was done; expected one in the future");
}

}  // namespace
}  // namespace waystation::rpc
