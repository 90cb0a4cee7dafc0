#include "adapters/alarm.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include "fmt/format.h"

namespace waystation::adapters {
namespace {

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view, std::string_view)> send;
};

Sink& TheSink() {
  static Sink sink;
  return sink;
}

}  // namespace

void RaiseAlarm(std::string_view biller, std::string_view text) {
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  if (sink.send) {
    sink.send(biller, text);
  } else {
    fmt::print(stderr, "alarm: biller at {}: {}\n", biller, text);
  }
}

void SendAlarmsTo(std::function<void(std::string_view, std::string_view)> sink) {
  const std::lock_guard lock(TheSink().mutex);
  TheSink().send = std::move(sink);
}

}  // namespace waystation::adapters
