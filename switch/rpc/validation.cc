#include "switch/rpc/validation.h"

#include <algorithm>

#include "fmt/format.h"
#include "re2/re2.h"
#include "switch/core/limits.h"

namespace waystation::rpc {
namespace {

absl::Status Bad(std::string_view field, std::string_view fault) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", field, fault));
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}

// What a caller sent, short enough and harmless enough to stand in a message.
std::string Shown(std::string_view text) {
  constexpr size_t kMostShown = 40;
  if (text.size() > kMostShown) return fmt::format("a text of {} bytes", text.size());
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c != '\x7f'; });
  return printable ? fmt::format("\"{}\"", text) : "a text with control characters";
}

template <typename Allowed>
absl::Status CheckChars(std::string_view field, std::string_view text, size_t most, std::string_view expected,
                        Allowed allowed) {
  if (!text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), allowed)) return absl::OkStatus();
  const std::string fault = text.empty() ? std::string("is empty") : fmt::format("{} does not fit", Shown(text));
  return Bad(field, fmt::format("{}; expected 1 to {} of {}", fault, most, expected));
}

// Values of an enum whose numbers leave none out.
template <typename Enum>
absl::StatusOr<std::vector<Enum>> CheckNumbers(std::string_view field, std::string_view what,
                                               const google::protobuf::RepeatedField<int>& numbers, Enum first,
                                               Enum last) {
  std::vector<Enum> checked;
  for (int number : numbers) {
    if (number < static_cast<int>(first) || number > static_cast<int>(last)) {
      return Bad(field, fmt::format("{} is no {}; expected {} to {}", number, what, static_cast<int>(first),
                                    static_cast<int>(last)));
    }
    checked.push_back(static_cast<Enum>(number));
  }
  return checked;
}

template <typename T>
absl::StatusOr<T> Named(std::string_view field, std::string_view text, absl::StatusOr<T> parsed) {
  if (parsed.ok()) return parsed;
  return Bad(field, fmt::format("{} {}", text.empty() ? "an empty text" : Shown(text),
                                std::string(parsed.status().message())));
}

}  // namespace

absl::StatusOr<core::StationId> CheckStation(std::string_view field, std::string_view text) {
  return Named(field, text, core::StationId::Parse(text));
}

absl::StatusOr<core::PaymentId> CheckPaymentId(std::string_view text) {
  return Named("payment_id", text, core::PaymentId::Parse(text));
}

absl::StatusOr<core::BusinessDate> CheckDate(std::string_view field, std::string_view text) {
  return Named(field, text, core::BusinessDate::Parse(text));
}

absl::Status CheckOperator(std::string_view field, std::string_view text) {
  if (text.size() == core::kOperatorIdDigits && std::all_of(text.begin(), text.end(), IsDigit)) return absl::OkStatus();
  return Bad(field, fmt::format("{} is not a user name; expected {} digits",
                                text.empty() ? "an empty text" : Shown(text), core::kOperatorIdDigits));
}

absl::Status CheckRequestId(std::string_view text) {
  return CheckChars("request_id", text, core::kMaxRequestIdBytes, "A-Z a-z 0-9 . _ : -", [](char c) {
    return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '.' || c == '_' || c == ':' || c == '-';
  });
}

absl::Status CheckBillerId(std::string_view text) {
  return CheckChars("biller_id", text, core::kMaxBillerIdBytes, "a-z 0-9 _ -",
                    [](char c) { return IsDigit(c) || IsLower(c) || c == '_' || c == '-'; });
}

absl::Status CheckCustomerNumber(std::string_view text) {
  return CheckChars("customer_number", text, core::kMaxCustomerNumberBytes, "letters and digits",
                    [](char c) { return IsDigit(c) || IsLower(c) || IsUpper(c); });
}

absl::StatusOr<core::Money> CheckAmount(std::string_view field, int64_t fen, core::Money least) {
  if (fen >= least.fen() && fen <= core::kMaxAmount.fen()) return core::Money::Fen(fen);
  return Bad(field, fmt::format("{} is out of range; expected {} to {} fen", fen, least.fen(), core::kMaxAmount.fen()));
}

absl::Status CheckText(std::string_view field, std::string_view text, size_t most, bool required) {
  if (required && text.empty()) return Bad(field, fmt::format("is empty; expected 1 to {} bytes of text", most));
  if (text.size() > most) {
    return Bad(field, fmt::format("has {} bytes; expected at most {}", text.size(), most));
  }
  const bool printable =
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (!printable) return Bad(field, "has control characters; expected one line of text");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<flow::Owner>> CheckOwners(const google::protobuf::RepeatedField<int>& owners) {
  return CheckNumbers("owners", "payment owner", owners, flow::Owner::kNobody, flow::Owner::kPerson);
}

absl::StatusOr<std::vector<flow::NextAction>> CheckNextActions(const google::protobuf::RepeatedField<int>& actions) {
  return CheckNumbers("next_actions", "next action", actions, flow::NextAction::kNone, flow::NextAction::kConfirm);
}

absl::StatusOr<uint32_t> CheckPageSize(uint32_t size) {
  if (size > core::kMaxPageSize) {
    return Bad("page_size", fmt::format("{} is out of range; expected 1 to {}, or 0 for {}", size, core::kMaxPageSize,
                                        core::kDefaultPageSize));
  }
  return size == 0 ? core::kDefaultPageSize : size;
}

absl::StatusOr<std::chrono::steady_clock::time_point> CheckWait(bool has_wait, uint32_t wait_ms,
                                                                std::chrono::system_clock::time_point deadline) {
  const auto wait = has_wait ? std::chrono::milliseconds(wait_ms) : core::kDefaultPayWait;
  if (wait > core::kMaxPayWait) {
    return Bad("wait_ms", fmt::format("{} is out of range; expected 0 to {}", wait_ms, core::kMaxPayWait.count()));
  }
  const auto now = std::chrono::steady_clock::now();
  auto answer_by = now + wait;
  if (deadline == std::chrono::system_clock::time_point::max()) return answer_by;
  const auto left = deadline - std::chrono::system_clock::now();
  if (left <= std::chrono::nanoseconds(0)) {
    return absl::DeadlineExceededError("deadline: has passed already; nothing was done; expected one in the future");
  }
  // Far deadlines would overflow; those within the wait can't.
  if (left < wait + core::kDeadlineReserve) answer_by = now + (left - core::kDeadlineReserve);
  return answer_by;
}

CustomerNumberPatterns::CustomerNumberPatterns(const flow::Router& router) {
  for (const auto& [biller_id, lane] : router.lanes()) {
    patterns_.emplace(biller_id, Pattern{std::make_unique<re2::RE2>(lane->card().customer_number_pattern),
                                         lane->card().customer_number_hint});
  }
}

CustomerNumberPatterns::~CustomerNumberPatterns() = default;

absl::Status CustomerNumberPatterns::Check(const std::string& biller_id, const std::string& customer_number) const {
  auto it = patterns_.find(biller_id);
  if (it == patterns_.end()) {
    std::string known;
    for (const auto& [id, pattern] : patterns_) known += (known.empty() ? "" : ", ") + id;
    return absl::NotFoundError(
        fmt::format("biller_id: \"{}\" is not a biller of this switch; expected one of {}", biller_id, known));
  }
  if (!re2::RE2::FullMatch(customer_number, *it->second.expression)) {
    return Bad("customer_number", fmt::format("{} does not fit biller {}; expected {}", Shown(customer_number),
                                              biller_id, it->second.hint));
  }
  return absl::OkStatus();
}

}  // namespace waystation::rpc
