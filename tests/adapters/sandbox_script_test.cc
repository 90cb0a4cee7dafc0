#include <cctype>
#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/outcome_text.h"
#include "adapters/registry.h"
#include "adapters/sandbox/answers.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/await.h"
#include "tests/adapters/payment.h"

// adapters/sandbox/README.md has a table of what each customer number does. Here the billers are asked, and what they
// do is put into the words of that table.
namespace waystation::adapters {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDeadline{4'000};
constexpr milliseconds kSlow{2'000};

struct Row {
  std::string inquire;
  std::string pay;
  std::string query;
  std::string reverse;
  std::string cancel;
  bool operator==(const Row&) const = default;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.inquire << " | " << row.pay << " | " << row.query << " | " << row.reverse << " | " << row.cancel;
}

// The cells of "| a | b |"; none for a line that is not of a table.
std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> cells;
  if (!line.starts_with("| ")) return cells;
  size_t start = 1;
  for (size_t bar = line.find('|', start); bar != line.npos; bar = line.find('|', start)) {
    const std::string_view cell = line.substr(start, bar - start);
    const size_t first = cell.find_first_not_of(' ');
    cells.emplace_back(first == cell.npos ? "" : cell.substr(first, cell.find_last_not_of(' ') + 1 - first));
    start = bar + 1;
  }
  return cells;
}

// By ending.
std::map<std::string, Row> DocumentedRows() {
  std::ifstream readme(WS_SOURCE_DIR "/adapters/sandbox/README.md");
  std::map<std::string, Row> rows;
  for (std::string line; std::getline(readme, line);) {
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() == 6 && cells[0].size() == 2 && std::isdigit(cells[0][0])) {
      rows[cells[0]] = {cells[1], cells[2], cells[3], cells[4], cells[5]};
    }
  }
  return rows;
}

// The answers to the first, second, ... attempt, as the table puts them.
std::string OverAttempts(const std::vector<std::string>& answers) {
  size_t first_run = 1;
  while (first_run < answers.size() && answers[first_run] == answers[0]) ++first_run;
  if (first_run == answers.size()) return answers[0];
  for (size_t i = first_run; i < answers.size(); ++i) EXPECT_EQ(answers[i], answers[first_run]);
  return fmt::format("{} {}, then {}", answers[0], first_run == 1 ? "once" : "twice", answers[first_run]);
}

boost::asio::awaitable<void> Observe(BillerAdapter& biller, PaymentRequest request, Row& seen) {
  InquiryRequest inquiry{request.station, request.customer_number};
  const InquiryOutcome inquired = co_await biller.Inquire(inquiry, In(kDeadline));
  seen.inquire = Kind(inquired);

  const auto start = std::chrono::steady_clock::now();
  const PayOutcome paid = co_await biller.Pay(request, start + kDeadline);
  const auto took = std::chrono::steady_clock::now() - start;
  seen.pay = Kind(paid);
  if (took >= kDeadline) {
    seen.pay += " at the deadline";
  } else if (took >= kSlow) {
    seen.pay += " after 2 s";
  }

  std::vector<std::string> queried, reversed, cancelled;
  for (request.earlier_attempts = 0; request.earlier_attempts < 4; ++request.earlier_attempts) {
    const QueryOutcome query = co_await biller.Query(request, In(kDeadline));
    queried.push_back(Kind(query));
    const ReverseOutcome reverse = co_await biller.Reverse(request, In(kDeadline));
    reversed.push_back(Kind(reverse));
    const CancelOutcome cancel = co_await biller.Cancel(request, In(kDeadline));
    cancelled.push_back(Kind(cancel));
  }
  seen.query = OverAttempts(queried);
  seen.reverse = OverAttempts(reversed);
  seen.cancel = OverAttempts(cancelled);
}

struct ProfileCase {
  std::string profile;
  std::string customer_number_stem;
};

class SandboxScript : public testing::TestWithParam<ProfileCase> {};

TEST_P(SandboxScript, DoesWhatTheTableSays) {
  const std::map<std::string, Row> documented = DocumentedRows();
  ASSERT_THAT(documented, testing::SizeIs(14)) << "rows of adapters/sandbox/README.md";
  auto created = Create("sandbox", {{"profile", GetParam().profile}}, {});
  ASSERT_TRUE(created.ok()) << created.status();
  BillerAdapter& biller = **created;

  std::map<std::string, Row> seen;
  boost::asio::io_context io;
  for (const auto& [ending, row] : documented) {
    const std::string customer_number = GetParam().customer_number_stem + ending;
    const PaymentRequest request = MakePayment(42, customer_number, sandbox::AmountOwed(customer_number));
    boost::asio::co_spawn(io, Observe(biller, request, seen[ending]), boost::asio::detached);
  }
  io.run();
  for (const auto& [ending, row] : documented) EXPECT_EQ(seen[ending], row) << "ending " << ending;
}

INSTANTIATE_TEST_SUITE_P(Profiles, SandboxScript,
                         testing::Values(ProfileCase{"mobile", "138001380"}, ProfileCase{"electricity", "12345678"},
                                         ProfileCase{"gas", "123456"}),
                         [](const auto& test) { return test.param.profile; });

TEST(SandboxScriptEndings, AllThatTheTableDoesNotHaveBehavesWell) {
  auto created = Create("sandbox", {{"profile", "electricity"}}, {});
  ASSERT_TRUE(created.ok()) << created.status();
  PaymentRequest request = MakePayment(42, "", core::Money::Fen(5'000));
  for (int ending = 0; ending < 88; ++ending) {
    request.customer_number = fmt::format("99999999{:02}", ending);
    EXPECT_EQ(Kind(Await((*created)->Pay(request, In(kDeadline)))), "approved") << request.customer_number;
  }
  for (const std::string odd : {"", "9", "9x", "x9", "九九"}) {
    request.customer_number = odd;
    EXPECT_EQ(Kind(Await((*created)->Pay(request, In(kDeadline)))), "approved") << odd;
  }
}

}  // namespace
}  // namespace waystation::adapters
