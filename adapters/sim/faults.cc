#include "adapters/sim/faults.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace waystation::adapters::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Word {
  FaultKind kind;
  std::string_view text;
};
constexpr Word kWords[] = {
    {FaultKind::kNone, "none"},
    {FaultKind::kDecline, "decline"},
    {FaultKind::kLose, "lose"},
    {FaultKind::kSilent, "silent"},
    {FaultKind::kLate, "late"},
    {FaultKind::kOutOfOrder, "out_of_order"},
    {FaultKind::kHeldUp, "held_up"},
    {FaultKind::kCutUnheard, "cut_unheard"},
    {FaultKind::kCutBefore, "cut_before"},
    {FaultKind::kCutMiddle, "cut_middle"},
    {FaultKind::kCutAfter, "cut_after"},
    {FaultKind::kDouble, "double"},
    {FaultKind::kWrongReference, "wrong_reference"},
    {FaultKind::kGarbage, "garbage"},
    {FaultKind::kBadMac, "bad_mac"},
    {FaultKind::kDrip, "drip"},
};
constexpr std::string_view kOperations[] = {"inquire", "pay", "query", "reverse", "cancel", "probe", "*"};
constexpr uint64_t kLongestDelayMs = 600'000;
// The 99th percentile of the normal distribution.
constexpr double kNormal99 = 2.326;

milliseconds UsualDelay(FaultKind kind) {
  if (kind == FaultKind::kLate || kind == FaultKind::kHeldUp) return milliseconds(2'000);
  if (kind == FaultKind::kOutOfOrder) return milliseconds(50);
  return milliseconds(kind == FaultKind::kDrip ? 5 : 0);
}

std::vector<std::string_view> AllWords() {
  std::vector<std::string_view> words;
  for (const Word& word : kWords) words.push_back(word.text);
  return words;
}

std::vector<std::string> SplitWords(std::string_view text) {
  return absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty());
}

absl::Status ReadOption(const std::string& word, FaultRule* rule) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  uint64_t number = 0;
  if (equals == std::string::npos || !absl::SimpleAtoi(word.substr(equals + 1), &number) ||
      (name != "delay_ms" && name != "times")) {
    return absl::InvalidArgumentError(
        fmt::format("fault: \"{}\" is not understood; expected delay_ms=N or times=N", word));
  }
  if (name == "times") {
    rule->times = number;
    return absl::OkStatus();
  }
  if (number > kLongestDelayMs) {
    return absl::InvalidArgumentError(
        fmt::format("fault: delay_ms={} is out of range; expected 0 .. {}", number, kLongestDelayMs));
  }
  rule->fault.delay = milliseconds(number);
  return absl::OkStatus();
}

}  // namespace

std::string_view ToText(FaultKind kind) {
  for (const Word& word : kWords) {
    if (word.kind == kind) return word.text;
  }
  return "";
}

const std::vector<FaultKind>& AllFaults() {
  static const std::vector<FaultKind> all = [] {
    std::vector<FaultKind> kinds;
    for (const Word& word : kWords) {
      if (word.kind != FaultKind::kNone) kinds.push_back(word.kind);
    }
    return kinds;
  }();
  return all;
}

bool HasEffect(FaultKind kind) {
  return kind != FaultKind::kDecline && kind != FaultKind::kLose && kind != FaultKind::kCutUnheard;
}

absl::StatusOr<FaultRule> ParseFaultRule(std::string_view text) {
  const std::vector<std::string> words = SplitWords(text);
  if (words.size() < 3) {
    return absl::InvalidArgumentError(
        fmt::format("fault: \"{}\" is not understood; expected OPERATION ENDING KIND [delay_ms=N] [times=N]", text));
  }
  FaultRule rule;
  rule.operation = words[0];
  if (std::find(std::begin(kOperations), std::end(kOperations), rule.operation) == std::end(kOperations)) {
    return absl::InvalidArgumentError(fmt::format("fault: operation \"{}\" is not known; expected one of {}",
                                                  rule.operation, fmt::join(kOperations, ", ")));
  }
  rule.ending = words[1] == "*" ? "" : words[1];
  const auto* word =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& w) { return w.text == words[2]; });
  if (word == std::end(kWords)) {
    return absl::InvalidArgumentError(
        fmt::format("fault: \"{}\" is not known; expected one of {}", words[2], fmt::join(AllWords(), ", ")));
  }
  rule.fault = {word->kind, UsualDelay(word->kind)};
  for (size_t i = 3; i < words.size(); ++i) {
    if (absl::Status status = ReadOption(words[i], &rule); !status.ok()) return status;
  }
  return rule;
}

absl::StatusOr<Latency> Latency::Parse(std::string_view text) {
  const std::vector<std::string> words = SplitWords(text);
  Latency latency;
  const bool two = !words.empty() && (words[0] == "uniform" || words[0] == "lognormal");
  bool understood = words.size() == (two ? 3u : 2u) && absl::SimpleAtod(words[1], &latency.first_) &&
                    (!two || absl::SimpleAtod(words[2], &latency.second_));
  if (understood) {
    if (words[0] == "fixed") {
      latency.shape_ = Shape::kFixed;
    } else if (words[0] == "uniform") {
      latency.shape_ = Shape::kUniform;
    } else if (words[0] == "exponential") {
      latency.shape_ = Shape::kExponential;
    } else if (words[0] == "lognormal") {
      latency.shape_ = Shape::kLognormal;
      understood = latency.first_ > 0;
    } else {
      understood = false;
    }
  }
  const double most = static_cast<double>(kLongestDelayMs);
  understood = understood && latency.first_ >= 0 && latency.first_ <= most && latency.second_ <= most &&
               (!two || latency.second_ >= latency.first_);
  if (!understood) {
    return absl::InvalidArgumentError(
        fmt::format("latency: \"{}\" is not understood; expected, in ms, \"fixed N\", \"uniform FROM TO\", "
                    "\"exponential MEAN\" or \"lognormal MEDIAN P99\"",
                    text));
  }
  return latency;
}

microseconds Latency::Draw(std::mt19937_64& random) const {
  double ms = first_;
  switch (shape_) {
    case Shape::kFixed: break;
    case Shape::kUniform: ms = std::uniform_real_distribution<>(first_, second_)(random); break;
    case Shape::kExponential: ms = first_ > 0 ? std::exponential_distribution<>(1 / first_)(random) : 0; break;
    case Shape::kLognormal:
      ms = std::lognormal_distribution<>(std::log(first_), std::log(second_ / first_) / kNormal99)(random);
      break;
  }
  return microseconds(std::llround(std::min(ms, static_cast<double>(kLongestDelayMs)) * 1'000));
}

Fault Faults::Next(std::string_view operation, std::string_view customer_number) {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->times == 0 || (rule->operation != "*" && rule->operation != operation) ||
        !customer_number.ends_with(rule->ending)) {
      continue;
    }
    --rule->times;
    return rule->fault;
  }
  return {};
}

Delivery Deliver(const Fault& fault, microseconds latency, std::string answer, std::mt19937_64& random) {
  Delivery delivery;
  switch (fault.kind) {
    case FaultKind::kLose:
    case FaultKind::kSilent: break;
    case FaultKind::kCutUnheard:
    case FaultKind::kCutBefore:
      delivery.pieces.push_back({latency, ""});
      delivery.cut = true;
      break;
    case FaultKind::kCutMiddle:
      delivery.pieces.push_back({latency, answer.substr(0, answer.size() / 2)});
      delivery.cut = true;
      break;
    case FaultKind::kCutAfter:
      delivery.pieces.push_back({latency, std::move(answer)});
      delivery.cut = true;
      break;
    case FaultKind::kLate:
    case FaultKind::kOutOfOrder: delivery.pieces.push_back({latency + fault.delay, std::move(answer)}); break;
    case FaultKind::kDouble:
      delivery.pieces.push_back({latency, answer});
      delivery.pieces.push_back({microseconds(0), std::move(answer)});
      break;
    case FaultKind::kGarbage:
      for (char& c : answer) c = static_cast<char>(random());
      delivery.pieces.push_back({latency, std::move(answer)});
      break;
    case FaultKind::kDrip:
      for (const char c : answer) {
        delivery.pieces.push_back({delivery.pieces.empty() ? latency : microseconds(fault.delay), std::string(1, c)});
      }
      break;
    case FaultKind::kNone:
    case FaultKind::kDecline:
    case FaultKind::kHeldUp:
    case FaultKind::kWrongReference:
    case FaultKind::kBadMac: delivery.pieces.push_back({latency, std::move(answer)}); break;
  }
  return delivery;
}

}  // namespace waystation::adapters::sim
