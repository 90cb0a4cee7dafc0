#pragma once

#include <functional>
#include <string_view>

// What an operator must hear of besides the outcome of a payment: an answer whose MAC or signature is wrong, above all.
namespace waystation::adapters {

// Tells of it once. Any thread; does not wait. `biller` is the adapter's word for whom it talks to (an address).
void RaiseAlarm(std::string_view biller, std::string_view text);

// Where alarms go: `sink` is called from any thread, one call at a time. Empty: to standard error, a line each, which
// is also where they go before the first call.
void SendAlarmsTo(std::function<void(std::string_view biller, std::string_view text)> sink);

}  // namespace waystation::adapters
