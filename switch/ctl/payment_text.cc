#include "switch/ctl/payment_text.h"

#include "fmt/format.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

// The text made Printable, with spaces behind it to fill the width.
std::string Padded(std::string_view text, size_t width) {
  std::string padded = Printable(text);
  const size_t taken = DisplayWidth(padded);
  if (taken < width) padded.append(width - taken, ' ');
  return padded;
}

void AddNextStep(FieldList& fields, const v1::Payment& payment) {
  fields.Add("next step", NextStep(payment));
  fields.Add("at", ChinaTimeWithZone(payment.next_action_at_ms()));
  fields.Add("deadline", ChinaTimeWithZone(payment.deadline_ms()));
  if (payment.suggested_verdict() != v1::VERDICT_UNSPECIFIED) {
    fields.Add("the record suggests", Word(payment.suggested_verdict()));
  }
  if (!payment.has_resolution()) return;
  const v1::Resolution& resolution = payment.resolution();
  fields.Add(resolution.confirmed_by().empty() ? "proposed" : "resolved",
             fmt::format("{}: {}", Word(resolution.verdict()), resolution.reason()));
  fields.Add("proposed by", resolution.proposed_by());
  if (resolution.proposal() != 0) fields.Add("proposal", fmt::format("{}", resolution.proposal()));
  fields.Add("confirmed by", resolution.confirmed_by());
}

}  // namespace

bool HasReceipt(const v1::Payment& payment) {
  return payment.state() == v1::PAYMENT_STATE_SUCCEEDED || payment.state() == v1::PAYMENT_STATE_CANCELLING ||
         payment.state() == v1::PAYMENT_STATE_CANCELLED;
}

std::string Receipt(const v1::Payment& payment) {
  FieldList fields;
  fields.Add("station", payment.station_id());
  fields.Add("operator", payment.operator_id());
  fields.Add("biller", payment.biller_id());
  fields.Add("customer number", payment.customer_number());
  fields.Add("customer name", payment.customer_name());
  fields.AddMoney("amount", payment.amount_fen());
  fields.Add("business date", payment.business_date());
  fields.Add("time", ChinaTimeWithZone(payment.accepted_at_ms()));
  fields.Add("payment id", payment.payment_id());
  fields.Add("biller reference", payment.biller_reference());
  fields.Add("voucher", payment.voucher());
  // A receipt must not pass for paid once the money went back.
  if (payment.state() != v1::PAYMENT_STATE_SUCCEEDED) fields.Add("NOT VALID", Word(payment.state()));
  return fmt::format("{0:=^48}\n{1}{0:=^48}\n", " RECEIPT ", fields.ToString());
}

std::string Details(const v1::Payment& payment) {
  FieldList fields;
  fields.Add("payment id", payment.payment_id());
  fields.Add("state", Word(payment.state()));
  if (payment.has_decline()) fields.Add("declined", DeclineText(payment.decline()));
  // What a person went, or goes, by.
  const bool is_evidence = payment.state() == v1::PAYMENT_STATE_REVIEW || payment.state() == v1::PAYMENT_STATE_ADJUSTED;
  fields.Add(is_evidence ? "evidence" : "not known because", payment.unknown_cause());
  AddNextStep(fields, payment);
  fields.Add("station", payment.station_id());
  fields.Add("operator", payment.operator_id());
  fields.Add("request id", payment.request_id());
  fields.Add("biller", payment.biller_id());
  fields.Add("customer number", payment.customer_number());
  fields.Add("customer name", payment.customer_name());
  fields.AddMoney("amount", payment.amount_fen());
  fields.Add("biller reference", payment.biller_reference());
  fields.Add("voucher", payment.voucher());
  fields.Add("business date", payment.business_date());
  fields.Add("accepted", ChinaTimeWithZone(payment.accepted_at_ms()));
  fields.Add("changed", ChinaTimeWithZone(payment.changed_at_ms()));

  Table history({{"sequence", Align::kRight}, {"state"}, {"time (UTC+8)"}, {"business date"}});
  for (const v1::StateChange& change : payment.history()) {
    history.AddRow({fmt::format("{}", change.sequence()), Word(change.state()), ChinaTime(change.changed_at_ms()),
                    change.business_date()});
  }
  return fields.ToString() + (history.row_count() > 0 ? "\n" + history.ToString() : "");
}

std::string NextStep(const v1::Payment& payment) {
  if (payment.owner() <= v1::PAYMENT_OWNER_NOBODY) return "";
  return fmt::format("{}: {}", Word(payment.owner()), Word(payment.next_action()));
}

Table PaymentTable() {
  return Table({{"payment", Align::kRight},
                {"date"},
                {"accepted (UTC+8)"},
                {"state"},
                {"next step"},
                {"biller"},
                {"customer"},
                {"name"},
                {"yuan", Align::kRight},
                {"biller reference"},
                {"request id"}});
}

void AddRow(Table& table, const v1::Payment& payment) {
  table.AddRow({payment.payment_id(), payment.business_date(), ChinaTime(payment.accepted_at_ms()),
                Word(payment.state()), NextStep(payment), payment.biller_id(), payment.customer_number(),
                payment.customer_name(), Yuan(payment.amount_fen()), payment.biller_reference(), payment.request_id()});
}

std::string EventLine(const v1::Payment& payment, uint64_t sequence) {
  return fmt::format("{:>10}  {} UTC+8  {}  payment {}  {}  {}  {:>12} yuan\n", sequence,
                     ChinaTime(payment.changed_at_ms()), Padded(Word(payment.state()), 10),
                     Padded(payment.payment_id(), 10), Padded(payment.biller_id(), 12),
                     Padded(payment.customer_number(), 14), Yuan(payment.amount_fen()));
}

std::string DeclineText(const v1::Decline& decline) {
  std::string text = Word(decline.reason());
  if (!decline.text().empty()) text += ": " + decline.text();
  if (!decline.biller_code().empty()) text += fmt::format(" (biller code {})", decline.biller_code());
  return text;
}

std::string_view NextAfter(v1::DeclineReason reason) {
  switch (reason) {
    case v1::DECLINE_REASON_STATION_NOT_ACTIVE: return "`station show` says why; `station activate` when it may work";
    case v1::DECLINE_REASON_BILLER_DISABLED: return "`biller show` says why; `biller enable` when it may work";
    case v1::DECLINE_REASON_BILLER_OUT_OF_SERVICE: return "try later, with a new request id";
    case v1::DECLINE_REASON_INQUIRY_REQUIRED: return "`inquire` first and hand its token to --token";
    case v1::DECLINE_REASON_INQUIRY_MISMATCH:
      return "`inquire` for this station, biller and customer, and use that token";
    case v1::DECLINE_REASON_INQUIRY_EXPIRED: return "`inquire` again and use the new token with a new request id";
    case v1::DECLINE_REASON_AMOUNT_TOO_SMALL:
    case v1::DECLINE_REASON_AMOUNT_TOO_LARGE:
    case v1::DECLINE_REASON_AMOUNT_NOT_IN_STEP:
      return "`biller show` has the amounts; pay another with a new request id";
    case v1::DECLINE_REASON_AMOUNT_NOT_OWED:
      return "`inquire` says the least and the most to pay; pay that with a new request id";
    case v1::DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE:
      return "`account show` has the balance; fill it with `counter-purchase`, then pay with a new request id";
    case v1::DECLINE_REASON_NOT_SENT:
    case v1::DECLINE_REASON_NOT_RECEIVED_BY_BILLER: return "no money was taken: pay again with a new request id";
    case v1::DECLINE_REASON_BILLER_DECLINED: return "the biller said no: its words stand above; no money was moved";
    case v1::DECLINE_REASON_NOT_CANCELLABLE: return "`payment show` has its state; only a paid one can be cancelled";
    case v1::DECLINE_REASON_CANCEL_NOT_SUPPORTED:
    case v1::DECLINE_REASON_CANCEL_DATE_PASSED: return "hand it to back office with the biller's reference";
    case v1::DECLINE_REASON_UNSPECIFIED:
    case v1::DeclineReason_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::DeclineReason_INT_MAX_SENTINEL_DO_NOT_USE_: break;
  }
  return "this switchctl is older than the switch and does not know the reason; RESULTS.md of the switch's version "
         "does";
}

}  // namespace waystation::ctl
