#include "adapters/iso8583/host_file.h"

#include <utility>

#include "adapters/card.h"
#include "adapters/json_object.h"
#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::adapters::iso8583 {
namespace {

namespace json = boost::json;

constexpr uint64_t kDayMs = 86'400'000;

absl::StatusOr<CapabilityCard> ParseCard(const json::object& object) {
  CapabilityCard card;
  size_t inquiry = 0;
  size_t amount_rule = 0;
  size_t cancel = 0;
  uint64_t least = 1;
  uint64_t most = 1;
  uint64_t step = 1;
  uint64_t settling = static_cast<uint64_t>(card.settling_time.count());
  uint64_t limit = static_cast<uint64_t>(card.time_limit.count());
  uint64_t in_flight = card.max_in_flight;
  uint64_t waiting = card.max_waiting;
  std::string service_hours;
  const auto most_amount = static_cast<uint64_t>(core::kMaxAmount.fen());
  JsonObjectReader reader(object, "card.");
  reader.Text("service", &card.service);
  reader.Choice("inquiry", {"none", "optional", "required"}, &inquiry);
  reader.Choice("amount", {"free", "at least what is owed", "exactly what is owed"}, &amount_rule);
  reader.Number("least_fen", 1, most_amount, &least);
  reader.Number("most_fen", 1, most_amount, &most);
  reader.Number("step_fen", 1, most_amount, &step);
  reader.Text("customer_number_pattern", &card.customer_number_pattern);
  reader.Text("customer_number_hint", &card.customer_number_hint);
  reader.Choice("cancel", {"none", "same day"}, &cancel);
  reader.Flag("can_query", &card.can_query);
  reader.Flag("can_reverse", &card.can_reverse);
  reader.Flag("query_denial_is_final", &card.query_denial_is_final);
  reader.Number("settling_time_ms", 0, kDayMs, &settling);
  reader.Flag("issues_voucher", &card.issues_voucher);
  reader.Number("time_limit_ms", 1, kDayMs, &limit);
  reader.Number("max_in_flight", 1, 100'000, &in_flight);
  reader.Number("max_waiting", 0, 10'000, &waiting);
  reader.Text("service_hours", &service_hours);
  absl::Status status =
      reader.Finish({"service", "inquiry", "amount", "least_fen", "most_fen", "customer_number_pattern",
                     "customer_number_hint", "cancel", "can_query", "can_reverse", "query_denial_is_final"});
  if (!status.ok()) return status;
  card.inquiry = static_cast<InquiryRule>(inquiry);
  card.amount_rule = static_cast<AmountRule>(amount_rule);
  card.cancel = static_cast<CancelRule>(cancel);
  card.least = core::Money::Fen(static_cast<int64_t>(least));
  card.most = core::Money::Fen(static_cast<int64_t>(most));
  card.step = core::Money::Fen(static_cast<int64_t>(step));
  card.settling_time = std::chrono::milliseconds(settling);
  card.time_limit = std::chrono::milliseconds(limit);
  card.max_in_flight = static_cast<uint32_t>(in_flight);
  card.max_waiting = static_cast<uint32_t>(waiting);
  CardOverrides overrides;
  if (!service_hours.empty()) overrides.service_hours = service_hours;
  return WithOverrides(std::move(card), overrides);
}

// What the adapter always sends or reads.
absl::Status CheckElements(const Specification& specification, const CapabilityCard& card, const Dialect& dialect) {
  for (const int number : {3, 4, 7, 11, 12, 13, 39, 41, 42, 49, 70, 90}) {
    if (specification.field(number) == nullptr) {
      return absl::InvalidArgumentError(fmt::format("fields: {} is missing; the adapter needs it", number));
    }
  }
  const auto missing = [&](bool needed, Operation operation, std::string_view name) {
    const bool code = !dialect.processing_code(operation).empty();
    return needed && !(code && dialect.HasAnswers(operation))
               ? absl::InvalidArgumentError(fmt::format("{}.{}: missing or empty; the card promises it",
                                                        code ? "answers" : "processing_codes", name))
               : absl::OkStatus();
  };
  absl::Status status = missing(true, Operation::kPayment, "payment");
  status.Update(missing(card.inquiry != InquiryRule::kNone, Operation::kInquiry, "inquiry"));
  status.Update(missing(card.can_query, Operation::kQuery, "query"));
  status.Update(missing(card.can_reverse, Operation::kReversal, "reversal"));
  status.Update(missing(card.cancel != CancelRule::kNone, Operation::kCancel, "cancel"));
  if (card.issues_voucher && dialect.voucher.field == 0) {
    status.Update(absl::InvalidArgumentError("places.voucher: missing; the card promises it"));
  }
  return status;
}

absl::StatusOr<HostFile> Parse(const json::object& object) {
  HostFile file;
  JsonObjectReader reader(object, "");
  for (const std::string_view key :
       {"name", "version", "mti", "bitmap", "frame", "fields", "places", "processing_codes", "currency", "answers"}) {
    reader.Ignore(key);
  }
  const json::object* card = reader.Object("card");
  if (absl::Status status = reader.Finish({"name", "card"}); !status.ok()) return status;
  absl::StatusOr<Specification> specification = Specification::Parse(object);
  if (!specification.ok()) return specification.status();
  absl::StatusOr<Dialect> dialect = Dialect::Parse(object, *specification);
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<CapabilityCard> parsed_card = ParseCard(*card);
  if (!parsed_card.ok()) return parsed_card.status();
  if (absl::Status status = CheckElements(*specification, *parsed_card, *dialect); !status.ok()) return status;
  file.specification = *std::move(specification);
  file.dialect = *std::move(dialect);
  file.card = *std::move(parsed_card);
  return file;
}

}  // namespace

absl::StatusOr<HostFile> HostFile::Load(const std::string& path) {
  const absl::StatusOr<json::value> value = ReadJsonFile(path);
  if (!value.ok()) return value.status();
  absl::StatusOr<HostFile> file = Parse(value->get_object());
  if (file.ok()) return file;
  return absl::InvalidArgumentError(fmt::format("{}: {}", path, std::string(file.status().message())));
}

}  // namespace waystation::adapters::iso8583
