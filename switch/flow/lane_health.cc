#include "switch/flow/lane_health.h"

#include <chrono>
#include <utility>
#include <variant>

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "switch/core/limits.h"
#include "switch/core/log.h"
#include "switch/core/service_hours.h"
#include "switch/core/utf8.h"

namespace waystation::flow {
namespace {

using State = CircuitBreaker::State;

struct Reader {
  Reading operator()(const adapters::InquiryFound&) const { return {.outcome = LaneOutcome::kApproved}; }
  Reading operator()(const adapters::Approved&) const { return {.outcome = LaneOutcome::kApproved}; }
  Reading operator()(const adapters::TakenBack&) const { return {.outcome = LaneOutcome::kApproved}; }
  Reading operator()(const adapters::NeverReceived&) const { return {.outcome = LaneOutcome::kDeclined}; }
  Reading operator()(const adapters::Declined&) const { return {.outcome = LaneOutcome::kDeclined}; }
  Reading operator()(const adapters::NotSent& not_sent) const { return Failure(LaneOutcome::kNotSent, not_sent.cause); }
  Reading operator()(const adapters::Unknown& unknown) const { return Failure(LaneOutcome::kUnknown, unknown.cause); }

 private:
  static Reading Failure(LaneOutcome outcome, std::string_view cause) {
    return {.outcome = outcome, .cause = cause.empty() ? "no cause was given" : cause};
  }
};

uint64_t SeedOf(std::string_view biller_id, core::TimePoint start) {
  uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : biller_id) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3U;  // FNV-1a
  return hash + static_cast<uint64_t>(start.time_since_epoch().count());
}

}  // namespace

Reading ReadingOf(const adapters::InquiryOutcome& outcome) {
  Reading reading = std::visit(Reader(), outcome);
  reading.asked = CircuitBreaker::Asked::kInquiry;
  return reading;
}
Reading ReadingOf(const adapters::PayOutcome& outcome) {
  return std::visit(Reader(), outcome);
}
Reading ReadingOf(const adapters::QueryOutcome& outcome) {
  return std::visit(Reader(), outcome);
}
Reading ReadingOf(const adapters::ReverseOutcome& outcome) {
  return std::visit(Reader(), outcome);
}
Reading ReadingOf(const adapters::CancelOutcome& outcome) {
  return std::visit(Reader(), outcome);
}
Reading ReadingOf(bool answered) {
  if (answered) return {.outcome = LaneOutcome::kApproved};
  return {.outcome = LaneOutcome::kUnknown, .cause = "the biller does not answer it"};
}

LaneHealth::LaneHealth(std::string_view biller_id, core::ServiceHours hours, LaneOptions options,
                       const core::Clock* clock)
    : hours_(std::move(hours)),
      options_(std::move(options)),
      clock_(clock),
      breaker_(options_.breaker, SeedOf(biller_id, clock->Now())),
      since_(clock->Now()) {}

std::optional<std::string> LaneHealth::OutOfService() const {
  if (!hours_.always() && !hours_.Include(clock_->Now())) {
    return fmt::format("the biller is in service {} (China time)", hours_.ToString());
  }
  if (state() != State::kOpen) return std::nullopt;
  return fmt::format("no answers from the biller since {}; the switch tries it again by itself", OutSince());
}

std::string LaneHealth::BeingTried() const {
  return fmt::format("no answers from the biller since {}; it is being tried again: come again shortly", OutSince());
}

std::string LaneHealth::OutSince() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{:%T} (China time)", std::chrono::floor<std::chrono::seconds>(out_since_ + core::kChinaOffset));
}

std::optional<LaneHealth::Probing> LaneHealth::OnAnswer(std::string_view operation, const Reading& reading,
                                                        bool of_station, uint64_t epoch, core::SteadyTime asked) {
  const core::SteadyTime now = clock_->Steady();
  const bool failed = !reading.cause.empty();
  std::string news;
  std::optional<Probing> probing;
  {
    const std::lock_guard lock(mutex_);
    if (failed) KeepError(operation, reading.cause);
    if (of_station) {
      outcomes_.Add(static_cast<size_t>(reading.outcome), now);
      tally_.outcomes[static_cast<size_t>(reading.outcome)].Add();
      tally_.answer_us[static_cast<size_t>(reading.asked)].AddTime(now - asked);
    }
    bool changed = false;
    if (!of_station) {
      changed = !failed && epoch == breaker_.epoch() && breaker_.OnProbe(true, now);
    } else if (failed) {
      changed = breaker_.OnFailure(reading.asked, epoch, now);
    } else {
      changed = breaker_.OnSuccess(reading.asked, epoch, now);
    }
    if (!changed) return std::nullopt;
    news = EnterState(operation, reading.cause);
    if (breaker_.state() == State::kOpen) probing = Probing{*breaker_.probe_at(), breaker_.epoch()};
  }
  Tell(probing.has_value(), news);
  return probing;
}

std::optional<LaneHealth::Probing> LaneHealth::NextProbe(uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != breaker_.epoch()) return std::nullopt;
  breaker_.OnProbe(false, clock_->Steady());
  return Probing{*breaker_.probe_at(), epoch};
}

void LaneHealth::CountRefused() {
  const std::lock_guard lock(mutex_);
  outcomes_.Add(static_cast<size_t>(LaneOutcome::kRefused), clock_->Steady());
  tally_.outcomes[static_cast<size_t>(LaneOutcome::kRefused)].Add();
}

LaneHealth::Status LaneHealth::status() const {
  const core::SteadyTime now = clock_->Steady();
  const std::lock_guard lock(mutex_);
  Status status{.breaker = breaker_.state(),
                .breaker_since = since_,
                .probe_at = {},
                .last_minute = outcomes_.Sum(now, outcomes_.kLength),
                .last_error = last_error_};
  if (breaker_.probe_at().has_value()) {
    status.probe_at = clock_->Now() + std::chrono::duration_cast<std::chrono::milliseconds>(*breaker_.probe_at() - now);
  }
  return status;
}

void LaneHealth::KeepError(std::string_view operation, std::string_view cause) {
  last_error_ = Error{clock_->Now(), std::string(operation), core::CutToUtf8(cause, core::kMaxReasonBytes)};
}

std::string LaneHealth::EnterState(std::string_view operation, std::string_view cause) {
  const bool was_closed = state() == State::kClosed;
  since_ = clock_->Now();
  if (was_closed) out_since_ = since_;
  state_.store(breaker_.state(), std::memory_order_relaxed);
  epoch_.store(breaker_.epoch(), std::memory_order_relaxed);
  switch (breaker_.state()) {
    case State::kClosed: return "it answers, and is in service again";
    case State::kHalfOpen: return fmt::format("it answers ({}): a few requests are let through", operation);
    case State::kOpen: break;
  }
  return fmt::format("out of service{}, new requests are declined: {}: {}", was_closed ? "" : " still", operation,
                     core::MaskNumbers(core::CutToUtf8(cause, core::kMaxReasonBytes)));
}

void LaneHealth::Tell(bool is_out, const std::string& news) const {
  if (options_.on_news != nullptr) options_.on_news(is_out, news);
}

}  // namespace waystation::flow
