#include "adapters/remote/card_text.h"

#include <utility>

#include "adapters/card.h"
#include "fmt/format.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "switch/core/money.h"
#include "switch/core/service_hours.h"

namespace waystation::adapters::remote {
namespace {

namespace v1 = adapter::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// Keeps the first fault that the parser finds.
class FirstFault final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int /*column*/, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("line {}: {}", line + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status NotSet(std::string_view field) {
  return absl::InvalidArgumentError(
      fmt::format("card.{}: missing, or not known here; expected one of the values in "
                  "waystation/adapter/v1/biller_adapter.proto",
                  field));
}

std::string ValueText(const v1::CapabilityCard& card, const FieldDescriptor* field) {
  std::string text;
  TextFormat::PrintFieldValueToString(card, field, -1, &text);
  return text;
}

}  // namespace

absl::StatusOr<v1::CapabilityCard> ParseCard(const std::string& text) {
  v1::CapabilityCard card;
  FirstFault fault;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&fault);
  if (!parser.ParseFromString(text, &card)) return absl::InvalidArgumentError(fault.text());
  if (absl::StatusOr<CapabilityCard> valid = FromProto(card); !valid.ok()) return valid.status();
  return card;
}

std::string CardText(const v1::CapabilityCard& card) {
  std::string text;
  TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.PrintToString(card, &text);
  return text;
}

absl::StatusOr<CapabilityCard> FromProto(const v1::CapabilityCard& card) {
  CapabilityCard result;
  if (card.service() != "mobile" && card.service() != "electricity" && card.service() != "gas" &&
      card.service() != "water") {
    return absl::InvalidArgumentError(
        fmt::format("card.service: \"{}\" is not known; expected mobile, electricity, gas or water", card.service()));
  }
  result.service = card.service();
  switch (card.inquiry()) {
    case v1::INQUIRY_RULE_NONE: result.inquiry = InquiryRule::kNone; break;
    case v1::INQUIRY_RULE_OPTIONAL: result.inquiry = InquiryRule::kOptional; break;
    case v1::INQUIRY_RULE_REQUIRED: result.inquiry = InquiryRule::kRequired; break;
    default: return NotSet("inquiry");
  }
  switch (card.amount_rule()) {
    case v1::AMOUNT_RULE_FREE: result.amount_rule = AmountRule::kFree; break;
    case v1::AMOUNT_RULE_AT_LEAST_OWED: result.amount_rule = AmountRule::kAtLeastOwed; break;
    case v1::AMOUNT_RULE_EXACT: result.amount_rule = AmountRule::kExact; break;
    default: return NotSet("amount_rule");
  }
  switch (card.cancel()) {
    case v1::CANCEL_RULE_NONE: result.cancel = CancelRule::kNone; break;
    case v1::CANCEL_RULE_SAME_DAY: result.cancel = CancelRule::kSameDay; break;
    default: return NotSet("cancel");
  }
  result.least = core::Money::Fen(card.least_fen());
  result.most = core::Money::Fen(card.most_fen());
  result.step = core::Money::Fen(card.step_fen());
  result.customer_number_pattern = card.customer_number_pattern();
  result.customer_number_hint = card.customer_number_hint();
  result.can_query = card.can_query();
  result.can_reverse = card.can_reverse();
  result.query_denial_is_final = card.query_denial_is_final();
  result.settling_time = std::chrono::milliseconds(card.settling_time_ms());
  result.issues_voucher = card.issues_voucher();
  result.time_limit = std::chrono::milliseconds(card.time_limit_ms());
  result.max_in_flight = card.max_in_flight();
  result.max_waiting = card.max_waiting();
  if (!card.service_hours().empty()) {
    absl::StatusOr<core::ServiceHours> hours = core::ServiceHours::Parse(card.service_hours());
    if (!hours.ok()) {
      return absl::InvalidArgumentError(fmt::format("card.service_hours: {}", std::string(hours.status().message())));
    }
    result.service_hours = *std::move(hours);
  }
  if (absl::Status status = ValidateCard(result); !status.ok()) return status;
  return result;
}

std::string DifferenceOf(const v1::CapabilityCard& described, const v1::CapabilityCard& configured) {
  std::string difference;
  const auto add = [&difference](std::string text) {
    if (!difference.empty()) difference += ", ";
    difference += text;
  };
  const google::protobuf::Descriptor* type = v1::CapabilityCard::descriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const std::string there = ValueText(described, type->field(i));
    const std::string here = ValueText(configured, type->field(i));
    if (there != here) add(fmt::format("{} is {} there and {} here", type->field(i)->name(), there, here));
  }
  const google::protobuf::UnknownFieldSet& unknown = described.GetReflection()->GetUnknownFields(described);
  if (!unknown.empty())
    add(fmt::format("it has a field, number {}, that is not known here", unknown.field(0).number()));
  return difference;
}

}  // namespace waystation::adapters::remote
