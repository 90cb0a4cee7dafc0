#include "bench/html_report.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "bench/html_style.h"
#include "bench/svg_chart.h"
#include "fmt/chrono.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();
// Colours there are; what comes after the last is drawn in one.
constexpr size_t kColors = 6;

double Ms(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

std::string Label(CallKind kind) {
  switch (kind) {
    case CallKind::kInquire: return "inquiries";
    case CallKind::kPay: return "payments";
    case CallKind::kCancel: return "cancels";
    case CallKind::kGetAccount: return "account inquiries";
  }
  return "";
}

// Draws on what the whole report needs again and again.
class Report {
 public:
  explicit Report(const RunResult& result)
      : result_(result),
        interval_s_(std::chrono::duration<double>(result.interval).count()),
        intervals_(result.load.due.size()) {}

  std::string Html() {
    Head();
    Tiles();
    TotalsTable();
    Put("<h2>Over time</h2>\n");
    Put("{}", ChartFigure(Throughput()));
    Put("{}", ChartFigure(PercentilesOverTime(CallKind::kPay)));
    Put("{}", ChartFigure(P99ByKind()));
    Put("{}", ChartFigure(Errors()));
    Put("{}", ChartFigure(CallsInFlight()));
    Put("{}", ChartFigure(BatchSize()));
    Put("<h2>Distribution</h2>\n");
    Put("{}", ChartFigure(Distribution()));
    ResultsTable();
    Notes();
    Put("</body>\n</html>\n");
    return std::move(html_);
  }

 private:
  template <typename... Args>
  void Put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(html_), format, std::forward<Args>(args)...);
  }

  void Head() {
    const Profile& profile = result_.profile;
    const std::string name = EscapedXml(profile.name);
    Put("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>switchbench: {}</title>\n"
        "<style>{}</style>\n</head>\n<body>\n",
        name, kHtmlStyle);
    Put("<h1>{}</h1>\n", name);
    if (!profile.description.empty()) Put("<p>{}</p>\n", EscapedXml(profile.description));
    const auto [least, most] =
        std::minmax_element(profile.curve.begin(), profile.curve.end(),
                            [](const RatePoint& a, const RatePoint& b) { return a.per_second < b.per_second; });
    Put("<dl>\n");
    if (profile.curve.empty()) {
      Item("Load", "none");
    } else {
      Item("Load",
           fmt::format("open loop, {} to {} calls/s due, for {} s after {} s of warm-up; at most {} in flight "
                       "on {} connections",
                       CountText(least->per_second), CountText(most->per_second), profile.measured.count(),
                       profile.warm_up.count(), CountText(static_cast<double>(profile.in_flight)), profile.channels));
    }
    Item("Stations", fmt::format("{}, {}", CountText(static_cast<double>(profile.stations)),
                                 profile.zipf_theta > 0 ? fmt::format("Zipf {:g}", profile.zipf_theta) : "all alike"));
    Item("Switch", result_.target.empty()
                       ? std::string("its own, with sandbox billers, on the machine of the generator")
                       : result_.target);
    Item("Machine", MachineText(result_.machine));
    Item("Started", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC, seed {}",
                                std::chrono::time_point_cast<std::chrono::seconds>(result_.started_at), result_.seed));
    Put("</dl>\n");
    if (result_.interrupted) Put("<p class=\"bad\">Interrupted: what follows is of the part before it.</p>\n");
    if (result_.work_folder_in_memory) {
      Put("<p class=\"bad\">The data folder was in memory: nothing was durable, and syncs cost nothing.</p>\n");
    }
  }

  void Item(std::string_view term, const std::string& text) { Put("<dt>{}</dt><dd>{}</dd>\n", term, EscapedXml(text)); }

  void Tiles() {
    const auto tile = [this](const std::string& figure, std::string_view what, bool bad) {
      Put("<li><b{}>{}</b><span>{}</span></li>\n", bad ? " class=\"bad\"" : "", figure, what);
    };
    const uint64_t unexpected = UnexpectedResults(result_);
    Put("<ul class=\"tiles\">\n");
    tile(CountText(result_.load.per_second()), "calls answered a second, mean", false);
    tile(CountText(MostAnswered()), "calls answered a second, most", false);
    if (const LatencyHistogram& pay = Kind(CallKind::kPay).latency; pay.count() > 0) {
      tile(MillisecondsText(Ms(pay.Percentile(50))), "payments, median latency", false);
      tile(MillisecondsText(Ms(pay.Percentile(99))), "payments, p99", false);
    }
    tile(CountText(static_cast<double>(unexpected)), "results not as expected", unexpected > 0);
    Put("</ul>\n");
  }

  double MostAnswered() const {
    double most = 0;
    for (size_t i = 0; i < intervals_; ++i) {
      uint64_t answered = 0;
      for (size_t kind = 0; kind < kCallKinds; ++kind) answered += AnsweredIn(kind, i);
      most = std::max(most, static_cast<double>(answered) / interval_s_);
    }
    return most;
  }

  const KindResult& Kind(CallKind kind) const {
    static const KindResult none;
    const auto index = static_cast<size_t>(kind);
    return index < result_.load.kinds.size() ? result_.load.kinds[index] : none;
  }

  // Null: nothing was due or answered then.
  const TimeSeries::Interval* In(size_t kind, size_t interval) const {
    const auto& intervals = Kind(static_cast<CallKind>(kind)).series.intervals();
    return interval < intervals.size() ? &intervals[interval] : nullptr;
  }

  uint64_t AnsweredIn(size_t kind, size_t interval) const {
    const TimeSeries::Interval* in = In(kind, interval);
    return in == nullptr ? 0 : in->answered;
  }

  double Middle(size_t interval) const { return (static_cast<double>(interval) + 0.5) * interval_s_; }

  void TotalsTable() {
    Put("<table>\n<tr><th>calls</th><th>sent</th><th>answered</th><th>a second</th><th>p50</th><th>p90</th>"
        "<th>p99</th><th>p99.9</th><th>max</th></tr>\n");
    uint64_t sent = 0;
    for (size_t i = 0; i < kCallKinds; ++i) {
      const auto kind = static_cast<CallKind>(i);
      if (result_.made[i] == 0) continue;
      sent += result_.made[i];
      TotalsRow("", Label(kind), result_.made[i], Kind(kind).completed, Kind(kind).latency);
    }
    TotalsRow(" class=\"sum\"", "all", sent, result_.load.completed, result_.load.latency);
    Put("</table>\n<p class=\"soft\">Sent: with those of the warm-up. All else is of the measured time: answered with "
        "gRPC status OK, latency counted from when a call was due.{}</p>\n",
        result_.load.never_sent == 0
            ? std::string()
            : fmt::format(" {} calls were due and never sent; their wait is in the latencies of all.",
                          CountText(static_cast<double>(result_.load.never_sent))));
  }

  void TotalsRow(std::string_view style, const std::string& name, uint64_t sent, uint64_t answered,
                 const LatencyHistogram& latency) {
    Put("<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td>", style, name, CountText(static_cast<double>(sent)),
        CountText(static_cast<double>(answered)),
        CountText(result_.load.seconds > 0 ? static_cast<double>(answered) / result_.load.seconds : 0));
    for (const double percent : {50.0, 90.0, 99.0, 99.9, 100.0}) {
      Put("<td>{}</td>", latency.count() > 0 ? MillisecondsText(Ms(latency.Percentile(percent))) : "");
    }
    Put("</tr>\n");
  }

  Chart OverTime(std::string title, std::string y_label, ChartUnit unit) const {
    Chart chart{.title = std::move(title),
                .x_label = "time since the measured part began, " +
                           std::string(MeasuredSeconds() > 120 ? "minutes:seconds" : "seconds"),
                .y_label = std::move(y_label),
                .y_unit = unit,
                .x_until = MeasuredSeconds(),
                .x_ticks = TimeTicks(MeasuredSeconds()),
                .bar_width = interval_s_};
    for (const RunEvent& event : result_.events) chart.marks.push_back({event.from_s, event.until_s, event.label});
    return chart;
  }

  double MeasuredSeconds() const {
    return std::max(1.0, std::chrono::duration<double>(result_.profile.measured).count());
  }

  Chart Throughput() const {
    Chart chart = OverTime("Throughput: calls due and answered", "calls a second", ChartUnit::kCount);
    ChartSeries due{.name = "due", .color = 5, .dashed = true};
    for (size_t i = 0; i < intervals_; ++i) {
      due.points.push_back({Middle(i), static_cast<double>(result_.load.due[i]) / interval_s_});
    }
    ChartSeries all{.name = "answered, all", .color = 0};
    std::vector<ChartSeries> kinds;
    for (size_t kind = 0; kind < kCallKinds; ++kind) {
      if (Kind(static_cast<CallKind>(kind)).results.total() == 0) continue;
      ChartSeries one{.name = Label(static_cast<CallKind>(kind)), .color = static_cast<int>(kind) + 1};
      for (size_t i = 0; i < intervals_; ++i) {
        one.points.push_back({Middle(i), static_cast<double>(AnsweredIn(kind, i)) / interval_s_});
      }
      kinds.push_back(std::move(one));
    }
    for (size_t i = 0; i < intervals_; ++i) {
      double sum = 0;
      for (const ChartSeries& one : kinds) sum += one.points[i].y;
      all.points.push_back({Middle(i), sum});
    }
    chart.series = {std::move(due), std::move(all)};
    std::move(kinds.begin(), kinds.end(), std::back_inserter(chart.series));
    return chart;
  }

  std::vector<ChartPoint> PercentileOverTime(CallKind kind, double percent) const {
    std::vector<ChartPoint> points;
    for (size_t i = 0; i < intervals_; ++i) {
      const TimeSeries::Interval* in = In(static_cast<size_t>(kind), i);
      const bool any = in != nullptr && in->latency.count() > 0;
      points.push_back({Middle(i), any ? Ms(in->latency.Percentile(percent)) : kGap});
    }
    return points;
  }

  Chart PercentilesOverTime(CallKind kind) const {
    Chart chart = OverTime(fmt::format("Latency of {}, by the second in which it was due", Label(kind)),
                           "latency (logarithmic)", ChartUnit::kMilliseconds);
    int color = 0;
    for (const auto& [name, percent] :
         {std::pair{"p50", 50.0}, std::pair{"p90", 90.0}, std::pair{"p99", 99.0}, std::pair{"p99.9", 99.9}}) {
      chart.series.push_back({.name = name, .color = color++, .points = PercentileOverTime(kind, percent)});
    }
    return chart;
  }

  Chart P99ByKind() const {
    Chart chart = OverTime("p99 of each kind of call", "latency (logarithmic)", ChartUnit::kMilliseconds);
    for (size_t kind = 0; kind < kCallKinds; ++kind) {
      if (Kind(static_cast<CallKind>(kind)).results.total() == 0) continue;
      chart.series.push_back({.name = Label(static_cast<CallKind>(kind)),
                              .color = static_cast<int>(kind) + 1,
                              .points = PercentileOverTime(static_cast<CallKind>(kind), 99)});
    }
    return chart;
  }

  Chart Errors() const {
    Chart chart = OverTime("Results other than success, by the second in which the call was due", "calls a second",
                           ChartUnit::kCount);
    chart.form = ChartForm::kStackedBars;
    std::map<std::string, std::vector<double>> by_name;
    for (size_t kind = 0; kind < kCallKinds; ++kind) {
      for (size_t i = 0; i < intervals_; ++i) {
        const TimeSeries::Interval* in = In(kind, i);
        if (in == nullptr) continue;
        for (const ResultCounts::Line& line : in->results.Lines()) {
          if (line.succeeded) continue;
          std::vector<double>& counts = by_name[line.name];
          counts.resize(intervals_, 0);
          counts[i] += static_cast<double>(line.count) / interval_s_;
        }
      }
    }
    for (const auto& [name, counts] : by_name) {
      ChartSeries series{.name = name, .color = static_cast<int>(std::min(chart.series.size(), kColors - 1))};
      for (size_t i = 0; i < intervals_; ++i) {
        series.points.push_back({static_cast<double>(i) * interval_s_, counts[i]});
      }
      chart.series.push_back(std::move(series));
    }
    return chart;
  }

  Chart CallsInFlight() const {
    Chart chart = OverTime("Calls in flight", "calls", ChartUnit::kCount);
    ChartSeries mean{.name = "mean", .color = 0};
    ChartSeries most{.name = "most", .color = 1};
    for (size_t i = 0; i < result_.load.in_flight.size(); ++i) {
      mean.points.push_back({Middle(i), result_.load.in_flight[i].mean});
      most.points.push_back({Middle(i), static_cast<double>(result_.load.in_flight[i].most)});
    }
    chart.series = {std::move(mean), std::move(most)};
    return chart;
  }

  Chart BatchSize() const {
    Chart chart = OverTime("Batch size: legs that share a commit", "legs a block", ChartUnit::kCount);
    ChartSeries legs{.name = "legs a block, mean of the newest blocks", .color = 2};
    for (const BatchSample& sample : result_.batches) {
      if (sample.at_s <= MeasuredSeconds()) legs.points.push_back({sample.at_s, sample.legs_per_block});
    }
    chart.series = {std::move(legs)};
    return chart;
  }

  Chart Distribution() const {
    Chart chart{.title = "Latency distribution: how many calls took no longer",
                .x_label = "percent of calls (each step a further nine)",
                .y_label = "latency (logarithmic)",
                .y_unit = ChartUnit::kMilliseconds};
    double nines = 1;
    for (size_t kind = 0; kind < kCallKinds; ++kind) {
      const LatencyHistogram& latency = Kind(static_cast<CallKind>(kind)).latency;
      if (latency.count() == 0) continue;
      ChartSeries series{.name = Label(static_cast<CallKind>(kind)), .color = static_cast<int>(kind) + 1};
      for (const auto& [percent, time] : PercentileCurve(latency)) {
        if (percent < 100) series.points.push_back({-std::log10(1 - percent / 100), Ms(time)});
      }
      nines = std::max(nines, series.points.back().x);
      chart.series.push_back(std::move(series));
    }
    chart.x_until = std::ceil(nines);
    chart.x_ticks = {{0, "0 %"}};
    for (int nine = 1; nine <= static_cast<int>(chart.x_until); ++nine) {
      chart.x_ticks.push_back(
          {static_cast<double>(nine), fmt::format("{:.{}f} %", 100 - std::pow(10, 2 - nine), std::max(0, nine - 2))});
    }
    return chart;
  }

  void ResultsTable() {
    Put("<h2>Results</h2>\n<table>\n<tr><th>call</th><th class=\"text\">result</th><th>count</th><th>share</th>"
        "<th class=\"text\">expected, or an example</th></tr>\n");
    for (size_t i = 0; i < kCallKinds; ++i) {
      const ResultCounts& results = Kind(static_cast<CallKind>(i)).results;
      for (const ResultCounts::Line& line : results.Lines()) {
        const auto reason = result_.profile.expected.find(line.name);
        const bool expected = line.succeeded || reason != result_.profile.expected.end();
        std::string note = line.example;
        if (reason != result_.profile.expected.end()) note = reason->second;
        if (line.succeeded) note.clear();
        Put("<tr><td>{}</td><td class=\"text{}\">{}</td><td>{}</td><td>{:.3g} %</td><td class=\"text\">{}</td></tr>\n",
            Label(static_cast<CallKind>(i)), expected ? "" : " bad", EscapedXml(line.name),
            CountText(static_cast<double>(line.count)),
            100 * static_cast<double>(line.count) / static_cast<double>(results.total()), EscapedXml(note));
      }
    }
    Put("</table>\n<p class=\"soft\">All calls, those of the warm-up too.</p>\n");
  }

  void Notes() {
    std::string lag;
    if (const LatencyHistogram& late = result_.load.send_lag; late.count() > 0) {
      lag = fmt::format(" The generator sent late by {} at the median and {} at p99; that is part of the latencies.",
                        MillisecondsText(Ms(late.Percentile(50))), MillisecondsText(Ms(late.Percentile(99))));
    }
    Put("<p class=\"soft\">Open loop: a call is due at its time whatever the switch does, and its latency counts from "
        "then, so a stall shows in all that was due meanwhile.{}{}</p>\n",
        lag,
        result_.most_resident_bytes == 0
            ? std::string()
            : fmt::format(" switchd had {} MB resident at most.",
                          CountText(static_cast<double>(result_.most_resident_bytes) / 1e6)));
  }

  const RunResult& result_;
  const double interval_s_;
  const size_t intervals_;
  std::string html_;
};

}  // namespace

std::string HtmlReport(const RunResult& result) {
  return Report(result).Html();
}

}  // namespace waystation::bench
