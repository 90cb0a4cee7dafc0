#include "bench/report.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>

#include "boost/json/serialize.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

struct Quantile {
  const char* text_name;
  const char* json_name;
  double percent;
};
constexpr std::array<Quantile, 4> kQuantiles = {
    {{"p50", "p50", 50}, {"p90", "p90", 90}, {"p99", "p99", 99}, {"p99.9", "p99_9", 99.9}}};

double Us(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e3;
}

std::string LatencyText(const LatencyHistogram& latency) {
  std::string text;
  for (const Quantile& quantile : kQuantiles) {
    fmt::format_to(std::back_inserter(text), "{} {:.0f}   ", quantile.text_name,
                   Us(latency.Percentile(quantile.percent)));
  }
  fmt::format_to(std::back_inserter(text), "max {:.0f}", Us(latency.max()));
  return text;
}

}  // namespace

boost::json::object LatencyJson(const LatencyHistogram& latency) {
  boost::json::object json;
  for (const Quantile& quantile : kQuantiles) json[quantile.json_name] = Us(latency.Percentile(quantile.percent));
  json["max"] = Us(latency.max());
  return json;
}

std::string LoadText(std::string_view what, const LoadResult& result) {
  std::string text =
      fmt::format("{:.0f} {}/s ({} in {:.1f} s)\n", result.per_second(), what, result.completed, result.seconds);
  auto out = std::back_inserter(text);
  fmt::format_to(out, "latency, us:   {}\n", LatencyText(result.latency));
  if (result.send_lag.count() > 0) fmt::format_to(out, "sent late, us: {}\n", LatencyText(result.send_lag));
  if (result.never_sent > 0) {
    fmt::format_to(out, "never sent:    {} arrivals found no call free; the rate is more than can be carried\n",
                   result.never_sent);
  }
  if (!result.results.Lines().empty()) text += "results:\n";
  for (const ResultCounts::Line& line : result.results.Lines()) {
    fmt::format_to(out, "{:>12}  {}{}{}\n", line.count, line.name, line.example.empty() ? "" : ": ", line.example);
  }
  return text;
}

boost::json::object LoadJson(const LoadResult& result) {
  boost::json::object json;
  json["seconds"] = result.seconds;
  json["completed"] = result.completed;
  json["per_second"] = result.per_second();
  json["latency_us"] = LatencyJson(result.latency);
  if (result.send_lag.count() > 0) json["send_lag_us"] = LatencyJson(result.send_lag);
  json["never_sent"] = result.never_sent;
  boost::json::object counts;
  for (const ResultCounts::Line& line : result.results.Lines()) counts[line.name] = line.count;
  json["results"] = std::move(counts);
  return json;
}

Spread SpreadOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .least = values.front(), .most = values.back()};
}

absl::Status WriteText(std::string_view option, const std::string& path, const std::string& text) {
  const bool to_stdout = path == "-";
  std::FILE* file = to_stdout ? stdout : std::fopen(path.c_str(), "w");
  if (file == nullptr) {
    return absl::UnavailableError(
        fmt::format("{} {}: {}; expected a file that can be written", option, path, std::strerror(errno)));
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool flushed = (to_stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !flushed) return absl::UnavailableError(fmt::format("{} {}: {}", option, path, std::strerror(errno)));
  return absl::OkStatus();
}

absl::Status WriteJson(const std::string& path, const boost::json::object& value) {
  return WriteText("--json", path, boost::json::serialize(value) + "\n");
}

}  // namespace waystation::bench
