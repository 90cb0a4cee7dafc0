#include "switch/core/command.h"

namespace waystation::core {

std::optional<PaymentId> PaymentLookedUp(const Command& command) {
  if (const auto* cancel = std::get_if<StartCancel>(&command)) return cancel->payment_id;
  if (const auto* propose = std::get_if<ProposeResolution>(&command)) return propose->payment_id;
  if (const auto* confirm = std::get_if<ConfirmResolution>(&command)) return confirm->payment_id;
  const auto* outcome = std::get_if<RecordOutcome>(&command);
  if (outcome != nullptr && outcome->event == PaymentEvent::kLateApproval) return outcome->payment_id;
  return std::nullopt;
}

}  // namespace waystation::core
