#include "adapters/alarm.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include "fmt/format.h"

namespace waystation::adapters {
namespace {

constexpr std::chrono::seconds kInterval{1};

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view, std::string_view)> send;
  AlarmLimit limit;
};

Sink& TheSink() {
  static Sink sink;
  return sink;
}

}  // namespace

std::optional<std::string> AlarmLimit::Pass(std::string_view biller, std::string_view text,
                                            std::chrono::steady_clock::time_point now) {
  auto found = billers_.find(biller);
  if (found == billers_.end()) found = billers_.emplace(std::string(biller), OfBiller{now, 0}).first;
  OfBiller& of_biller = found->second;
  if (now < of_biller.next) {
    ++of_biller.held_back;
    return std::nullopt;
  }
  of_biller.next = now + kInterval;
  const uint64_t held_back = std::exchange(of_biller.held_back, 0);
  return held_back == 0 ? std::string(text) : fmt::format("{} (and {} more before)", text, held_back);
}

void RaiseAlarm(std::string_view biller, std::string_view text) {
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  const std::optional<std::string> told = sink.limit.Pass(biller, text, std::chrono::steady_clock::now());
  if (!told) return;
  if (sink.send) {
    sink.send(biller, *told);
  } else {
    fmt::print(stderr, "alarm: biller at {}: {}\n", biller, *told);
  }
}

void SendAlarmsTo(std::function<void(std::string_view, std::string_view)> sink) {
  const std::lock_guard lock(TheSink().mutex);
  TheSink().send = std::move(sink);
  TheSink().limit = AlarmLimit();
}

}  // namespace waystation::adapters
