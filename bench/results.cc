#include "bench/results.h"

#include <array>
#include <string_view>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr int kNoState = -1;

constexpr std::array<std::string_view, 17> kStatusNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string WithoutPrefix(const std::string& name, std::string_view prefix) {
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

std::string NameOf(int code, int state, int decline) {
  if (code != grpc::StatusCode::OK || state == kNoState) {
    const auto index = static_cast<size_t>(code);
    return index < kStatusNames.size() ? std::string(kStatusNames[index]) : fmt::format("status {}", code);
  }
  // An enum of proto3 may hold a number that this build has no name for.
  std::string name = WithoutPrefix(v1::PaymentState_Name(static_cast<v1::PaymentState>(state)), "PAYMENT_STATE_");
  if (name.empty()) name = fmt::format("state {}", state);
  if (decline == v1::DECLINE_REASON_UNSPECIFIED) return name;
  return name + " " + WithoutPrefix(v1::DeclineReason_Name(static_cast<v1::DeclineReason>(decline)), "DECLINE_REASON_");
}

}  // namespace

CallResult ResultOf(const v1::Payment& payment) {
  CallResult result{.state = payment.state()};
  if (payment.has_decline()) {
    result.decline = payment.decline().reason();
    result.detail = payment.decline().text();
  } else if (!payment.unknown_cause().empty()) {
    result.detail = payment.unknown_cause();
  }
  return result;
}

bool IsResultName(std::string_view name) {
  for (const std::string_view status : kStatusNames) {
    if (status == name) return true;
  }
  for (int state = v1::PaymentState_MIN; state <= v1::PaymentState_MAX; ++state) {
    if (NameOf(grpc::StatusCode::OK, state, v1::DECLINE_REASON_UNSPECIFIED) == name) return true;
  }
  for (int reason = v1::DeclineReason_MIN; reason <= v1::DeclineReason_MAX; ++reason) {
    if (NameOf(grpc::StatusCode::OK, v1::PAYMENT_STATE_DECLINED, reason) == name) return true;
  }
  return false;
}

void ResultCounts::Add(const CallResult& result) {
  const int state = result.state.has_value() ? static_cast<int>(*result.state) : kNoState;
  Entry& entry = entries_[{static_cast<int>(result.code), state, static_cast<int>(result.decline)}];
  if (entry.count++ == 0) entry.example = result.detail;
}

void ResultCounts::Merge(const ResultCounts& other) {
  for (const auto& [key, theirs] : other.entries_) {
    Entry& ours = entries_[key];
    if (ours.count == 0) ours.example = theirs.example;
    ours.count += theirs.count;
  }
}

std::vector<ResultCounts::Line> ResultCounts::Lines() const {
  std::vector<Line> lines;
  for (const auto& [key, entry] : entries_) {
    const auto& [code, state, decline] = key;
    const bool ok = code == grpc::StatusCode::OK;
    lines.push_back({.name = NameOf(code, state, decline),
                     .count = entry.count,
                     .declined = ok && state == v1::PAYMENT_STATE_DECLINED,
                     .succeeded = ok && (state == kNoState || state == v1::PAYMENT_STATE_SUCCEEDED ||
                                         state == v1::PAYMENT_STATE_CANCELLED),
                     .example = entry.example});
  }
  return lines;
}

uint64_t ResultCounts::total() const {
  uint64_t total = 0;
  for (const auto& [key, entry] : entries_) total += entry.count;
  return total;
}

uint64_t ResultCounts::Unexpected(bool expect_declines) const {
  uint64_t unexpected = 0;
  for (const Line& line : Lines()) {
    if (!line.succeeded && !(expect_declines && line.declined)) unexpected += line.count;
  }
  return unexpected;
}

}  // namespace waystation::bench
