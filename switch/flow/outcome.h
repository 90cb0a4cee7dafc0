#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/biller_adapter.h"
#include "switch/core/command.h"

// From a biller's answer to the command that records it. Texts of a biller are cut to the lengths of core/limits.h.
namespace waystation::flow {

core::RecordOutcome Outcome(core::PaymentId id, core::PaymentEvent event, std::string_view unknown_cause);
core::RecordOutcome ApprovedOutcome(core::PaymentId id, adapters::Approved approved);
core::RecordOutcome DeclinedOutcome(core::PaymentId id, core::PaymentEvent event, core::DeclineReason reason,
                                    std::string_view biller_code, std::string_view text);

// Every answer to Pay settles something, if only that the outcome is unknown.
core::RecordOutcome PayOutcomeFor(core::PaymentId id, adapters::PayOutcome answer);

// Null when the answer settles nothing: the cancel is repeated. A first cancel that was not sent has failed and is
// refused; of a repeated one that was not sent nothing is known but that this attempt was not.
enum class CancelRepeat { kNo, kYes };
std::optional<core::RecordOutcome> CancelOutcomeFor(core::PaymentId id, const adapters::CancelOutcome& answer,
                                                    CancelRepeat repeat);

}  // namespace waystation::flow
