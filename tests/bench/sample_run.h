#pragma once

#include "bench/run_result.h"

namespace waystation::bench {

// A run of ten seconds as it might have been: 100 payments due each second, answered after 2 ms and one in ten after
// 40; in the sixth second half of them are declined. Inquiries, 50 a second, take 1 ms.
inline RunResult SampleRun() {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  RunResult result;
  result.profile.name = "sample <1>";
  result.profile.description = "gas & \"water\"";
  result.profile.measured = seconds(10);
  result.profile.in_flight = 64;
  result.profile.channels = 2;
  result.profile.curve = {{.at = seconds(0), .per_second = 150}};
  result.profile.stations = 1'000;
  result.profile.expected = {{"DECLINED NOT_SENT", "the outage"}};
  result.seed = 42;
  result.machine = {.processor = "A <fine> one", .cores = 2, .memory_bytes = 8'000'000'000, .kernel = "Linux 6.1"};
  result.interval = seconds(1);
  result.load.seconds = 10;
  result.load.kinds.resize(kCallKinds);
  const TimeSeries::TimePoint start{seconds(100)};
  for (KindResult& kind : result.load.kinds) kind.series = TimeSeries(start, seconds(1), 10);
  const auto record = [&](CallKind kind, TimeSeries::TimePoint due, milliseconds took, CallResult what) {
    KindResult& to = result.load.kinds[static_cast<size_t>(kind)];
    ++to.completed;
    to.latency.Record(took);
    to.results.Add(what);
    to.series.Record(due, due + took, what);
    result.load.latency.Record(took);
    result.load.results.Add(what);
    ++result.load.completed;
    ++result.made[static_cast<size_t>(kind)];
  };
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 100; ++i) {
      CallResult what{.state = v1::PAYMENT_STATE_SUCCEEDED};
      if (second == 5 && i % 2 == 0) {
        what = {.state = v1::PAYMENT_STATE_DECLINED, .decline = v1::DECLINE_REASON_NOT_SENT, .detail = "refused <it>"};
      }
      const auto due = start + seconds(second) + milliseconds(i * 5);
      record(CallKind::kPay, due, milliseconds(i % 10 == 9 ? 40 : 2), what);
      if (i % 2 == 0) record(CallKind::kInquire, due, milliseconds(1), {});
    }
    result.load.due.push_back(150);
    result.load.in_flight.push_back({.mean = 1.5, .most = 3});
    result.batches.push_back({.at_s = second + 1.0, .legs_per_second = 200, .legs_per_block = 2.5});
  }
  result.endings[91] = 50;
  result.events = {{.from_s = 5, .until_s = 6, .label = "outage: <mobile>"},
                   {.from_s = 8, .until_s = 8, .label = "day cut"}};
  return result;
}

}  // namespace waystation::bench
