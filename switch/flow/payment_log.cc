#include "switch/flow/payment_log.h"

#include <string>

#include "fmt/format.h"

namespace waystation::flow::internal {
namespace {

constexpr std::string_view kComponent = "payment";

void Write(core::LogLevel level, std::string_view message, const core::Payment& payment,
           const core::TraceContext& trace, std::string_view cause) {
  core::Log(level, kComponent, message,
            {{"payment_id", payment.id.ToString()},
             {"station_id", payment.station.ToString()},
             {"request_id", payment.request_id},
             {"biller", payment.biller_id},
             {"state", core::Name(payment.state)},
             {"trace_id", trace.has_value() ? trace.TraceId() : std::string()},
             {"cause", core::MaskNumbers(cause)}});
}

// Not its words, which may be about the customer.
std::string TextOf(const core::Decline& decline) {
  const std::string_view gap = decline.biller_code.empty() ? "" : " ";
  return fmt::format("{}{}{}", core::Name(decline.reason), gap, decline.biller_code);
}

// Why it is in its state, as far as that is anybody's word.
std::string CauseOf(const core::Payment& payment) {
  const bool is_open = payment.state == core::PaymentState::kUnknown || payment.state == core::PaymentState::kReview;
  if (is_open || !payment.decline.has_value()) return payment.unknown_cause;
  return TextOf(*payment.decline);
}

}  // namespace

core::LogLevel LevelOf(core::PaymentState state, core::LogLevel usual) {
  switch (state) {
    case core::PaymentState::kUnknown:
    case core::PaymentState::kCancelling: return core::LogLevel::kWarn;
    case core::PaymentState::kReview: return core::LogLevel::kError;
    case core::PaymentState::kHeld:
    case core::PaymentState::kSucceeded:
    case core::PaymentState::kDeclined:
    case core::PaymentState::kReversing:
    case core::PaymentState::kReversed:
    case core::PaymentState::kCancelled:
    case core::PaymentState::kAdjusted: break;
  }
  return usual;
}

void WriteStep(std::string_view step, const core::Payment& payment, const core::TraceContext& trace,
               std::string_view cause) {
  Write(core::LogLevel::kDebug, step, payment, trace, cause);
}

void WriteReached(core::LogLevel level, const core::Payment& payment, const core::TraceContext& trace) {
  std::string message = fmt::format("it is {} now", core::Name(payment.state));
  if (payment.state == core::PaymentState::kUnknown) message = "what became of it at the biller is not known";
  if (payment.state == core::PaymentState::kCancelling) message = "whether the biller has cancelled it is not known";
  if (payment.state == core::PaymentState::kReview) message = "a person must look at it: switchctl exceptions show";
  Write(level, message, payment, trace, CauseOf(payment));
}

void WriteInquiry(core::StationId station, std::string_view biller_id, const core::Decline& decline,
                  const core::TraceContext& trace) {
  core::Log(core::LogLevel::kDebug, "inquiry", "declined",
            {{"station_id", station.ToString()},
             {"biller", biller_id},
             {"trace_id", trace.has_value() ? trace.TraceId() : std::string()},
             {"cause", core::MaskNumbers(TextOf(decline))}});
}

}  // namespace waystation::flow::internal
