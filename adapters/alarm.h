#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

// What an operator must hear of besides the outcome of a payment: an answer whose MAC or signature is wrong, above all.
namespace waystation::adapters {

// How often one is told of a biller: once a second, with the number of those that were held back since the time before.
//
// Threads: one at a time. Limits: keeps a few bytes for each biller that it ever heard of.
class AlarmLimit {
 public:
  // The text to tell, or null where this one is held back.
  std::optional<std::string> Pass(std::string_view biller, std::string_view text,
                                  std::chrono::steady_clock::time_point now);

 private:
  struct OfBiller {
    std::chrono::steady_clock::time_point next{};
    uint64_t held_back = 0;
  };

  std::map<std::string, OfBiller, std::less<>> billers_;
};

// Tells of it, within AlarmLimit. `biller` is the adapter's word for whom it talks to (an address). Any thread; waits
// for the sink, and for others who raise an alarm just then, so the sink is to be a quick one.
void RaiseAlarm(std::string_view biller, std::string_view text);

// Where alarms go from here on, with nothing held back yet. `sink` is called from any thread, one call at a time; the
// one before it no more, once this has returned. Empty: to standard error, a line each, which is also where they go
// before the first call.
void SendAlarmsTo(std::function<void(std::string_view biller, std::string_view text)> sink);

}  // namespace waystation::adapters
