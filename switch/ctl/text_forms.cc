#include "switch/ctl/text_forms.h"

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "switch/core/business_date.h"
#include "switch/core/check.h"
#include "switch/core/money.h"
#include "switch/ctl/table.h"

namespace waystation::ctl {
namespace {

// 9999-12-31T00:00:00Z: so that eight hours later is still a year of four digits.
constexpr int64_t kLatestShownMs = 253'402'214'400'000;

template <typename Enum>
std::string WordOf(Enum value, const std::string& full_name, std::string_view prefix) {
  if (!full_name.starts_with(prefix)) return fmt::format("{}", static_cast<int>(value));
  return full_name.substr(prefix.size());
}

}  // namespace

std::string Yuan(int64_t amount_fen) {
  return core::FormatYuan(core::Money::Fen(amount_fen));
}

std::string ChinaTime(int64_t at_ms) {
  if (at_ms == 0) return "-";
  if (at_ms < 0 || at_ms > kLatestShownMs) return fmt::format("{} ms", at_ms);
  const core::TimePoint local{std::chrono::milliseconds(at_ms) + std::chrono::hours(8)};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::hh_mm_ss time(local - day);
  return fmt::format("{} {:02}:{:02}:{:02}.{:03}", core::BusinessDate::FromDays(day).ToString(), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string ChinaTimeWithZone(int64_t at_ms) {
  return at_ms == 0 ? "" : ChinaTime(at_ms) + " UTC+8";
}

std::string TimeFrom(int64_t now_ms, int64_t at_ms) {
  if (at_ms == 0) return "-";
  const int64_t seconds = (at_ms - now_ms) / 1'000;
  const int64_t length = std::abs(seconds);
  if (length == 0) return "now";
  const std::string text = length < 90        ? fmt::format("{}s", length)
                           : length < 5'400   ? fmt::format("{}m", length / 60)
                           : length < 172'800 ? fmt::format("{}h", length / 3'600)
                                              : fmt::format("{}d", length / 86'400);
  return seconds > 0 ? "in " + text : text + " ago";
}

std::string Shortened(std::string_view text, size_t columns) {
  constexpr std::string_view kLeftOut = "...";
  std::string whole = Printable(text);
  if (DisplayWidth(whole) <= columns) return whole;
  // From the end, character by character: what begins with 10 in its first two bits continues one.
  while (DisplayWidth(whole) + kLeftOut.size() > columns) {
    while ((static_cast<unsigned char>(whole.back()) & 0xC0) == 0x80) whole.pop_back();
    whole.pop_back();
  }
  return whole.append(kLeftOut);
}

std::string Word(v1::PaymentState state) {
  return WordOf(state, v1::PaymentState_Name(state), "PAYMENT_STATE_");
}
std::string Word(v1::DeclineReason reason) {
  return WordOf(reason, v1::DeclineReason_Name(reason), "DECLINE_REASON_");
}
std::string Word(v1::PaymentOwner owner) {
  return WordOf(owner, v1::PaymentOwner_Name(owner), "PAYMENT_OWNER_");
}
std::string Word(v1::NextAction action) {
  return WordOf(action, v1::NextAction_Name(action), "NEXT_ACTION_");
}
std::string Word(v1::Verdict verdict) {
  return WordOf(verdict, v1::Verdict_Name(verdict), "VERDICT_");
}
std::string Word(v1::StationStatus status) {
  return WordOf(status, v1::StationStatus_Name(status), "STATION_STATUS_");
}
std::string Word(v1::BillerStatus status) {
  return WordOf(status, v1::BillerStatus_Name(status), "BILLER_STATUS_");
}
std::string Word(v1::BreakerState state) {
  return WordOf(state, v1::BreakerState_Name(state), "BREAKER_STATE_");
}
std::string Word(v1::InquiryRule rule) {
  return WordOf(rule, v1::InquiryRule_Name(rule), "INQUIRY_RULE_");
}
std::string Word(v1::AmountRule rule) {
  return WordOf(rule, v1::AmountRule_Name(rule), "AMOUNT_RULE_");
}
std::string Word(v1::CancelRule rule) {
  return WordOf(rule, v1::CancelRule_Name(rule), "CANCEL_RULE_");
}
std::string Word(v1::LogLevel level) {
  return WordOf(level, v1::LogLevel_Name(level), "LOG_LEVEL_");
}

std::string JsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  // Every message printed was parsed from the wire or built here, so its strings are UTF-8 and nothing can be wrong.
  WS_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok(), "a message has a JSON form");
  return json + "\n";
}

}  // namespace waystation::ctl
