#include "tests/core/ledger_table.h"

#include <map>
#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"
#include "tests/core/ledger_world.h"
#include "tests/core/text_table.h"

namespace waystation::core {
namespace {

// A table that can't be read is a fault of the test: it stops there.
template <typename T>
T MustBe(absl::StatusOr<T> value, std::string_view text) {
  WS_CHECK(value.ok(), fmt::format("in a table: \"{}\": {}", text, value.status().ToString()));
  return *std::move(value);
}

StationId StationNamed(const std::string& name) {
  WS_CHECK(name.size() == 2 && name[0] == 'S', "in a table: not a station: " + name);
  return StationId::FromNumber(440'106'000'000 + static_cast<uint64_t>(name[1] - '0'));
}

DeclineReason ReasonNamed(std::string_view name) {
  for (uint32_t number = 1; number <= kLastDeclineReason; ++number) {
    const std::optional<DeclineReason> reason = DeclineReasonFromNumber(number);
    if (Name(*reason) == name) return *reason;
  }
  WS_CHECK(false, fmt::format("in a table: not a reason: {}", name));
  return {};
}

struct Outcome {
  PaymentEvent event;
  std::optional<DeclineReason> reason;
};

const std::map<std::string, Outcome>& Outcomes() {
  static const auto* outcomes = new std::map<std::string, Outcome>{
      {"approve", {PaymentEvent::kApproved, std::nullopt}},
      {"decline", {PaymentEvent::kDeclinedByBiller, DeclineReason::kBillerDeclined}},
      {"not-sent", {PaymentEvent::kNotSent, DeclineReason::kNotSent}},
      {"unknown", {PaymentEvent::kOutcomeUnknown, std::nullopt}},
      {"never-received", {PaymentEvent::kNeverReceived, DeclineReason::kNotReceivedByBiller}},
      {"reverse", {PaymentEvent::kReversalStarted, std::nullopt}},
      {"reversed", {PaymentEvent::kReversalConfirmed, std::nullopt}},
      {"start-cancel-unasked", {PaymentEvent::kCancelStarted, std::nullopt}},
      {"cancel-confirmed", {PaymentEvent::kCancelConfirmed, std::nullopt}},
      {"cancel-refused", {PaymentEvent::kCancelRefused, DeclineReason::kBillerDeclined}},
      {"review", {PaymentEvent::kReviewNeeded, std::nullopt}},
      {"adjust-unasked", {PaymentEvent::kAdjusted, std::nullopt}},
      {"approve-late", {PaymentEvent::kLateApproval, std::nullopt}}};
  return *outcomes;
}

const std::map<std::string, Verdict>& Verdicts() {
  static const auto* verdicts = new std::map<std::string, Verdict>{
      {"charge", Verdict::kChargeStation}, {"release", Verdict::kRelease}, {"write-off", Verdict::kWriteOff}};
  return *verdicts;
}

const std::map<std::string, StationStatus>& StationSteps() {
  static const auto* steps = new std::map<std::string, StationStatus>{{"admit", StationStatus::kApproved},
                                                                      {"activate", StationStatus::kActive},
                                                                      {"suspend", StationStatus::kSuspended},
                                                                      {"close", StationStatus::kClosed}};
  return *steps;
}

// What `key value` pairs after the fixed words say; null where the key is missing.
std::optional<std::string> Option(const std::vector<std::string>& words, std::string_view key) {
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == key) return words[i + 1];
  }
  return std::nullopt;
}

class Table {
 public:
  Table();

  // What came of one thing done, for the cells of its row.
  struct Found {
    std::string result;
    std::string why;
    std::optional<StationId> station;  // whose figures the row shows
  };
  Found Do(const std::vector<std::string>& words);
  Found DoSeveral(std::string_view text);
  // What stands in the column of this heading.
  std::string Cell(const std::string& heading, const Found& found) const;

  const LedgerWorld& world() const { return world_; }

 private:
  Command CommandFrom(const std::vector<std::string>& words) const;
  PaymentId PaymentNamed(const std::string& name) const;
  // What a person confirms who looked just now, or before the last proposal was made.
  uint64_t ProposalSeen(PaymentId id, bool before_last) const;

  LedgerWorld world_;
  std::map<PaymentId, std::vector<uint64_t>> proposals_;
  std::map<std::string, PaymentId> payments_;
};

Table::Table() {
  for (const char* biller : {"mobile", "power", "gas"}) world_.Do(RegisterBiller{biller});
  for (const char* station : {"S1", "S2"}) {
    DoSeveral(fmt::format("1 times: register {0}, admit {0}, activate {0}", station));
  }
}

PaymentId Table::PaymentNamed(const std::string& name) const {
  const auto it = payments_.find(name);
  // No payment has this number, so that a table can ask for one that does not exist.
  return it == payments_.end() ? PaymentId::FromNumber(999'999) : it->second;
}

Command Table::CommandFrom(const std::vector<std::string>& words) const {
  const std::string& verb = words.at(0);
  const auto money = [&](size_t i) { return MustBe(ParseYuan(words.at(i)), words.at(i)); };
  std::optional<Decline> found;
  if (const auto reason = Option(words, "found")) found = Decline{ReasonNamed(*reason), "", "the flow found it"};

  if (verb == "register") return RegisterStation{StationNamed(words.at(1)), Option(words, "as").value_or("a shop"), {}};
  if (verb == "purchase") {
    return RecordCounterPurchase{StationNamed(words.at(1)), words.at(3), money(2), Option(words, "by").value_or("C1")};
  }
  if (verb == "grant") return GrantCredit{StationNamed(words.at(1)), money(2), "granted in a table"};
  if (verb == "inquire") return AdmitInquiry{StationNamed(words.at(1)), words.at(2)};
  if (verb == "disable" || verb == "enable") return SetBillerStatus{words.at(1), verb == "enable", ""};
  if (verb == "close" && words.at(1) == "day") {
    const BusinessDate today = world_.ledger().business_day().date;
    return CloseDay{today, words.size() < 3 ? today.NextDay() : MustBe(BusinessDate::Parse(words[2]), words[2])};
  }
  if (const auto step = StationSteps().find(verb); step != StationSteps().end()) {
    return SetStationStatus{StationNamed(words.at(1)), step->second, ""};
  }
  if (verb == "pay") {
    return AcceptPayment{.station = StationNamed(words.at(1)),
                         .operator_id = Option(words, "by").value_or("0000000001"),
                         .request_id = words.at(4),
                         .biller_id = words.at(2),
                         .customer_number = Option(words, "number").value_or("13800000001"),
                         .customer_name = "*明",
                         .amount = money(3),
                         .presented = found};
  }
  const PaymentId id = PaymentNamed(words.at(1));
  if (verb == "cancel") {
    const Payment* payment = world_.Find(id);
    const StationId owner = payment == nullptr ? StationNamed("S1") : payment->station;
    const std::optional<std::string> by = Option(words, "by");
    return StartCancel{by.has_value() ? StationNamed(*by) : owner, "0000000001", id, found};
  }
  if (verb == "propose") return ProposeResolution{id, Verdicts().at(words.at(2)), "asked the biller", words.at(4)};
  if (verb == "confirm") {
    return ConfirmResolution{id, ProposalSeen(id, Option(words, "of") == "before"), Verdicts().at(words.at(2)),
                             words.at(4)};
  }
  const auto outcome = Outcomes().find(verb);
  WS_CHECK(outcome != Outcomes().end(), "in a table: not a thing to do: " + verb);
  RecordOutcome c{.payment_id = id,
                  .event = outcome->second.event,
                  .decline = {},
                  .biller_reference = outcome->second.event == PaymentEvent::kLateApproval ? "B77" : "",
                  .voucher = {},
                  .customer_name = {},
                  .unknown_cause = {}};
  if (outcome->second.reason.has_value()) c.decline = Decline{*outcome->second.reason, "E1", "the biller said so"};
  return c;
}

uint64_t Table::ProposalSeen(PaymentId id, bool before_last) const {
  const auto it = proposals_.find(id);
  const size_t back = before_last ? 2 : 1;
  return it == proposals_.end() || it->second.size() < back ? 0 : it->second[it->second.size() - back];
}

std::string StateText(const Payment& payment) {
  const bool says_why = payment.state == PaymentState::kDeclined && payment.decline.has_value();
  return fmt::format("{}{}{}", Name(payment.state), says_why ? " " : "",
                     says_why ? Name(payment.decline->reason) : std::string_view());
}

Table::Found Table::Do(const std::vector<std::string>& words) {
  if (words.at(0) == "forget") {
    world_.ForgetAtRest();
    return {"ok", "", std::nullopt};
  }
  if (words[0] == "look") {
    const Payment* payment = world_.Find(PaymentNamed(words.at(1)));
    if (payment == nullptr) return {"none", "", std::nullopt};
    return {StateText(*payment), payment->decline.has_value() ? payment->decline->text : "", payment->station};
  }

  if (Verdicts().contains(words[0])) {  // by two people, as it should be
    Do({"propose", words.at(1), words[0], "by", "C1"});
    return Do({"confirm", words[1], words[0], "by", "C2"});
  }

  const Reply reply = world_.Do(CommandFrom(words)).reply;
  Found found;
  if (words.at(1).front() == 'S' && words[1].size() == 2) found.station = StationNamed(words[1]);
  const Payment* payment = std::get_if<Payment>(&reply.value);
  if (payment == nullptr && found.station == std::nullopt) payment = world_.Find(PaymentNamed(words[1]));
  if (payment != nullptr) {
    found.station = payment->station;
    if (words[0] == "propose" && reply.status.ok() && !reply.repeated) {
      proposals_[payment->id].push_back(payment->resolution->sequence);
    }
    if (words[0] == "pay") {
      payments_.emplace(payment->request_id, payment->id);
      payments_.emplace(words[1] + ":" + payment->request_id, payment->id);
    }
    found.why = payment->decline.has_value() ? payment->decline->text : payment->unknown_cause;
  }
  if (!reply.status.ok()) {
    found.result = "refused " + absl::StatusCodeToString(reply.status.code());
    found.why = std::string(reply.status.message());
  } else if (reply.decline.has_value()) {
    found.result = fmt::format("declined {}", Name(reply.decline->reason));
    found.why = reply.decline->text;
  } else {
    const bool tells_state = std::holds_alternative<Payment>(reply.value);
    found.result = fmt::format("{}{}", reply.repeated ? "again " : "", tells_state ? StateText(*payment) : "ok");
  }
  return found;
}

Table::Found Table::DoSeveral(std::string_view text) {
  const size_t colon = text.find(" times: ");
  if (colon == std::string_view::npos) return Do(Words(text));
  const std::string_view list = text.substr(colon + std::string_view(" times: ").size());
  Found last;
  for (int times = std::stoi(std::string(text.substr(0, colon))); times > 0; --times) {
    for (size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
      end = list.find(',', begin);
      last = Do(Words(list.substr(begin, end - begin)));
    }
  }
  return last;
}

std::string Table::Cell(const std::string& heading, const Found& found) const {
  constexpr std::string_view kOwed = "owed to ";
  if (heading == "suspense") {
    Money suspense;
    world_.ledger().ForEachAccount([&](const Account& account) {
      if (account.kind == AccountKind::kSuspense) suspense = account.balance;
    });
    return FormatYuan(suspense);
  }
  if (heading == "result") return found.result;
  if (heading == "why") return found.why;
  if (heading.starts_with(kOwed)) {
    Money owed;
    world_.ledger().ForEachAccount([&](const Account& account) {
      if (account.biller_id == heading.substr(kOwed.size())) owed += account.balance;
    });
    return FormatYuan(owed);
  }
  const Account* station = found.station.has_value() ? world_.ledger().FindStation(*found.station) : nullptr;
  if (station == nullptr) return "no station";
  if (heading == "balance") return FormatYuan(station->balance);
  if (heading == "reserved") return FormatYuan(station->reserved);
  if (heading == "forwarded") return FormatYuan(station->forwarded);
  if (heading == "available") return FormatYuan(station->available());
  WS_CHECK(false, "in a table: not a column: " + heading);
  return "";
}

}  // namespace

std::vector<std::string> RunLedgerTable(std::string_view text) {
  const TextTable rows = ParseTextTable(text);
  WS_CHECK(rows.size() > 1 && rows[0].at(0) == "do", "a table begins with its headings, and \"do\" is the first");
  Table table;
  std::vector<std::string> differences;
  for (size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string>& row = rows[i];
    WS_CHECK(row.size() == rows[0].size(), fmt::format("in a table: row {} has {} cells", i, row.size()));
    const Table::Found found = table.DoSeveral(row[0]);
    std::string fault;
    for (size_t column = 1; column < row.size(); ++column) {
      const std::string& heading = rows[0][column];
      if (row[column].empty()) continue;
      const std::string cell = table.Cell(heading, found);
      const bool same = heading == "why" ? cell.find(row[column]) != std::string::npos : cell == row[column];
      if (!same) fault += fmt::format("; {}: expected {}, found {}", heading, row[column], cell);
    }
    for (const std::string& wrong : FaultsOfBooks(table.world().ledger())) fault += "; the books: " + wrong;
    if (!fault.empty()) differences.push_back(fmt::format("row {}, {}{}", i, row[0], fault));
  }
  return differences;
}

}  // namespace waystation::core
