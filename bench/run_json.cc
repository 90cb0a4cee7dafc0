#include "bench/run_json.h"

#include <cmath>
#include <map>
#include <utility>

#include "bench/report.h"
#include "boost/json/array.hpp"
#include "fmt/chrono.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

namespace json = boost::json;

double Us(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e3;
}

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

json::object LoadOf(const Profile& profile) {
  json::array rate;
  for (const RatePoint& point : profile.curve) {
    rate.push_back(json::object{{"at_s", Seconds(point.at)}, {"per_second", point.per_second}});
  }
  json::object mix;
  for (size_t kind = 0; kind < kCallKinds; ++kind) {
    mix[CallKindName(static_cast<CallKind>(kind))] = profile.parts[kind];
  }
  return {{"seconds", profile.measured.count()},
          {"warm_up_s", profile.warm_up.count()},
          {"in_flight", profile.in_flight},
          {"channels", profile.channels},
          {"threads", profile.threads},
          {"rate", std::move(rate)},
          {"mix", std::move(mix)},
          {"stations", profile.stations},
          {"zipf", profile.zipf_theta}};
}

json::object KindJson(const KindResult& kind, double seconds) {
  json::object results;
  for (const ResultCounts::Line& line : kind.results.Lines()) results[line.name] = line.count;
  json::array curve;
  for (const auto& [percent, latency] : PercentileCurve(kind.latency)) {
    curve.push_back(json::array{percent, Us(latency)});
  }
  return {{"completed", kind.completed},
          {"per_second", seconds > 0 ? static_cast<double>(kind.completed) / seconds : 0},
          {"latency_us", LatencyJson(kind.latency)},
          {"latency_curve", std::move(curve)},
          {"results", std::move(results)}};
}

// One kind's figures, an interval each. A percentile of no calls is null.
json::object KindSeries(const TimeSeries& series, size_t intervals) {
  json::array answered;
  json::object latency{{"p50", json::array()},
                       {"p90", json::array()},
                       {"p99", json::array()},
                       {"p99_9", json::array()},
                       {"max", json::array()}};
  std::map<std::string, json::array> results;
  for (size_t i = 0; i < intervals; ++i) {
    const TimeSeries::Interval empty;
    const TimeSeries::Interval& interval = i < series.intervals().size() ? series.intervals()[i] : empty;
    answered.push_back(interval.answered);
    const json::object percentiles = LatencyJson(interval.latency);
    for (auto& [name, values] : latency) {
      values.as_array().push_back(interval.latency.count() > 0 ? percentiles.at(name) : json::value(nullptr));
    }
    for (const ResultCounts::Line& line : interval.results.Lines()) {
      json::array& counts = results[line.name];
      counts.resize(i, 0);
      counts.push_back(line.count);
    }
  }
  json::object by_name;
  for (auto& [name, counts] : results) {
    counts.resize(intervals, 0);
    by_name[name] = std::move(counts);
  }
  return {{"answered", std::move(answered)}, {"latency_us", std::move(latency)}, {"results", std::move(by_name)}};
}

json::object SeriesJson(const RunResult& result) {
  const size_t intervals = result.load.due.size();
  json::array due;
  for (const uint64_t count : result.load.due) due.push_back(count);
  json::array mean, most;
  for (const InFlight& in_flight : result.load.in_flight) {
    mean.push_back(in_flight.mean);
    most.push_back(in_flight.most);
  }
  json::object kinds;
  for (size_t kind = 0; kind < result.load.kinds.size(); ++kind) {
    kinds[CallKindName(static_cast<CallKind>(kind))] = KindSeries(result.load.kinds[kind].series, intervals);
  }
  return {{"interval_s", Seconds(result.interval)},
          {"due", std::move(due)},
          {"in_flight", json::object{{"mean", std::move(mean)}, {"most", std::move(most)}}},
          {"kinds", std::move(kinds)}};
}

}  // namespace

json::object RunJson(const RunResult& result) {
  json::object asked;
  json::object kinds;
  for (size_t kind = 0; kind < kCallKinds; ++kind) {
    const std::string_view name = CallKindName(static_cast<CallKind>(kind));
    asked[name] = result.made[kind];
    if (kind < result.load.kinds.size()) kinds[name] = KindJson(result.load.kinds[kind], result.load.seconds);
  }
  json::object endings;
  for (size_t ending = 0; ending < result.endings.size(); ++ending) {
    if (result.endings[ending] > 0) endings[fmt::format("{:02}", ending)] = result.endings[ending];
  }
  json::array batches;
  for (const BatchSample& sample : result.batches) {
    batches.push_back(json::object{
        {"at_s", sample.at_s}, {"legs_per_second", sample.legs_per_second}, {"legs_per_block", sample.legs_per_block}});
  }
  json::array events;
  for (const RunEvent& event : result.events) {
    events.push_back(json::object{{"from_s", event.from_s}, {"until_s", event.until_s}, {"label", event.label}});
  }
  json::object expected;
  for (const auto& [name, reason] : result.profile.expected) expected[name] = reason;
  return {{"kind", kRunKind},
          {"schema", kRunSchema},
          {"profile", result.profile.name},
          {"description", result.profile.description},
          {"load", LoadOf(result.profile)},
          {"seed", result.seed},
          {"target", result.target},
          {"machine", MachineJson(result.machine)},
          {"started_at",
           fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::time_point_cast<std::chrono::seconds>(result.started_at))},
          {"interrupted", result.interrupted},
          {"work_folder_in_memory", result.work_folder_in_memory},
          {"most_resident_bytes", result.most_resident_bytes},
          {"totals", LoadJson(result.load)},
          {"kinds", std::move(kinds)},
          {"asked", json::object{{"kinds", std::move(asked)}, {"endings", std::move(endings)}}},
          {"expected", std::move(expected)},
          {"unexpected", UnexpectedResults(result)},
          {"series", SeriesJson(result)},
          {"batches", std::move(batches)},
          {"events", std::move(events)}};
}

uint64_t UnexpectedResults(const RunResult& result) {
  uint64_t unexpected = result.load.never_sent;
  for (const ResultCounts::Line& line : result.load.results.Lines()) {
    if (!line.succeeded && !result.profile.expected.contains(line.name)) unexpected += line.count;
  }
  return unexpected;
}

}  // namespace waystation::bench
