#pragma once

#include <string_view>

#include "switch/core/ids.h"
#include "switch/core/log.h"
#include "switch/core/payment.h"
#include "switch/core/trace_context.h"

// What the log has of payments: their ids, state and trace, and what went wrong; no customer's number or name. A
// payment that goes as it should has no line but at `debug`, and costs a load for each that it would have.
namespace waystation::flow {

namespace internal {
void WriteStep(std::string_view step, const core::Payment& payment, const core::TraceContext& trace,
               std::string_view cause);
void WriteReached(core::LogLevel level, const core::Payment& payment, const core::TraceContext& trace);
void WriteInquiry(core::StationId station, std::string_view biller_id, const core::Decline& decline,
                  const core::TraceContext& trace);
core::LogLevel LevelOf(core::PaymentState state, core::LogLevel usual);
}  // namespace internal

// A step, at `debug`. `cause`: empty where there is none.
inline void LogStep(std::string_view step, const core::Payment& payment, const core::TraceContext& trace,
                    std::string_view cause = {}) {
  if (core::IsLogged(core::LogLevel::kDebug)) internal::WriteStep(step, payment, trace, cause);
}

// The state that a payment has come to: a warning where nobody knows what became of it, an error where a person is
// needed, otherwise at `usual`.
inline void LogReached(const core::Payment& payment, const core::TraceContext& trace, core::LogLevel usual) {
  const core::LogLevel level = internal::LevelOf(payment.state, usual);
  if (core::IsLogged(level)) internal::WriteReached(level, payment, trace);
}

// An inquiry that was declined, at `debug`.
inline void LogInquiry(core::StationId station, std::string_view biller_id, const core::Decline& decline,
                       const core::TraceContext& trace) {
  if (core::IsLogged(core::LogLevel::kDebug)) internal::WriteInquiry(station, biller_id, decline, trace);
}

}  // namespace waystation::flow
