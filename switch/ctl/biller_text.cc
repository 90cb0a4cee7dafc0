#include "switch/ctl/biller_text.h"

#include "fmt/format.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {
namespace {

std::string YesNo(bool yes) {
  return yes ? "yes" : "no";
}

void AddCard(FieldList& fields, const v1::Biller& biller) {
  fields.Add("biller", biller.biller_id());
  fields.Add("name", biller.name());
  fields.Add("service", biller.service());
  fields.Add("status", Word(biller.status()));
  fields.Add("reason", biller.status_reason());
  fields.Add("service hours", biller.service_hours().empty() ? "" : biller.service_hours() + " UTC+8");
  fields.Add("inquiry first", Word(biller.inquiry()));
  fields.Add("amount rule", Word(biller.amount_rule()));
  fields.AddMoney("least amount", biller.least_fen());
  fields.AddMoney("largest amount", biller.most_fen());
  fields.AddMoney("step", biller.step_fen());
  fields.Add("customer number", biller.customer_number_hint());
  fields.Add("  as a pattern", biller.customer_number_pattern());
  fields.Add("cancel", Word(biller.cancel()));
  fields.Add("can be queried", YesNo(biller.can_query()));
  fields.Add("can be reversed", YesNo(biller.can_reverse()));
  fields.Add("issues a voucher", YesNo(biller.issues_voucher()));
  fields.Add("time limit", fmt::format("{} ms", biller.time_limit_ms()));
  fields.Add("settling time", fmt::format("{} ms", biller.settling_time_ms()));
  fields.Add("most in flight", fmt::format("{}", biller.max_in_flight()));
  fields.Add("most waiting", fmt::format("{}", biller.max_waiting()));
}

std::string TakesPayments(const v1::Biller& biller) {
  if (biller.status() == v1::BILLER_STATUS_DISABLED) return "NO: disabled by operations; see `switchctl biller enable`";
  if (!biller.lane().out_of_service().empty()) return "NO: " + biller.lane().out_of_service();
  if (biller.lane().breaker() == v1::BREAKER_STATE_HALF_OPEN) return "a few at a time, until one succeeds";
  return "yes";
}

void AddLane(FieldList& fields, const v1::Biller& biller) {
  const v1::BillerLane& lane = biller.lane();
  fields.Add("takes payments", TakesPayments(biller));
  fields.Add("breaker", fmt::format("{} since {}", Word(lane.breaker()), ChinaTimeWithZone(lane.breaker_since_ms())));
  fields.Add("next probe", ChinaTimeWithZone(lane.next_probe_at_ms()));
  fields.Add("in flight", fmt::format("{} of stations, {} of the switch's own", lane.in_flight(), lane.resolving()));
  fields.Add("waiting", fmt::format("{}", lane.waiting()));
  if (lane.overdue() > 0) {
    fields.Add("overdue", fmt::format("{}: given up after their deadline, and not done with", lane.overdue()));
  }
  const v1::LaneOutcomes& outcomes = lane.last_minute();
  fields.Add("last minute", fmt::format("{} approved, {} declined, {} not sent, {} unknown, {} refused by the switch",
                                        outcomes.approved(), outcomes.declined(), outcomes.not_sent(),
                                        outcomes.unknown(), outcomes.refused()));
  const v1::LaneError& error = lane.last_error();
  fields.Add("last error", !lane.has_last_error() ? "none since the start"
                                                  : fmt::format("{}, {}: {}", ChinaTimeWithZone(error.at_ms()),
                                                                error.operation(), error.cause()));
}

}  // namespace

std::string BillerDetails(const v1::Biller& biller) {
  FieldList card;
  AddCard(card, biller);
  if (!biller.has_lane()) return card.ToString();
  FieldList lane;
  AddLane(lane, biller);
  return card.ToString() + "\n" + lane.ToString();
}

}  // namespace waystation::ctl
