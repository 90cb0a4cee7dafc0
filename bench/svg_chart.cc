#include "bench/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "fmt/format.h"

namespace waystation::bench {

namespace {

// Of the drawing, in its own units; the page scales it.
constexpr double kWidth = 860;
constexpr double kHeight = 300;
constexpr double kLeft = 78;
constexpr double kRight = 34;
constexpr double kTop = 26;
constexpr double kBottom = 46;
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr double kPlotHeight = kHeight - kTop - kBottom;
constexpr double kMarkLabelRow = 12;

struct YAxis {
  bool logarithmic = false;
  double from = 0;
  double until = 1;
  std::vector<ChartTick> ticks = {};
  std::vector<double> fine = {};  // lines without a label
};

bool IsNumber(double value) {
  return std::isfinite(value);
}

// 1, 2 or 5 times a power of ten, at least `least`.
double RoundStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * 0.999) return factor * power;
  }
  return 10 * power;
}

YAxis CountAxis(double most) {
  constexpr double kSteps = 5;
  YAxis axis;
  const double step = RoundStep(std::max(most, 1.0) / kSteps);
  axis.until = std::ceil(std::max(most, 1.0) / step) * step;
  const int count = static_cast<int>(std::lround(axis.until / step));
  for (int i = 0; i <= count; ++i) axis.ticks.push_back({i * step, CountText(i * step)});
  return axis;
}

YAxis MillisecondsAxis(double least, double most) {
  YAxis axis{.logarithmic = true};
  const int low = static_cast<int>(std::floor(std::log10(std::max(least, 1e-3))));
  int high = static_cast<int>(std::ceil(std::log10(std::max(most, 1e-3))));
  if (high <= low) high = low + 1;
  axis.from = std::pow(10, low);
  axis.until = std::pow(10, high);
  const bool label_all = high - low <= 2;
  for (int power = low; power <= high; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double at = factor * std::pow(10, power);
      if (at > axis.until * 1.001) break;
      if (factor == 1.0 || label_all) {
        axis.ticks.push_back({at, MillisecondsText(at)});
      } else {
        axis.fine.push_back(at);
      }
    }
  }
  return axis;
}

// Of all that is drawn; stacked bars reach as high as they add up to.
YAxis AxisFor(const Chart& chart) {
  double least = INFINITY;
  double most = 0;
  if (chart.form == ChartForm::kStackedBars) {
    for (size_t i = 0; !chart.series.empty() && i < chart.series.front().points.size(); ++i) {
      double sum = 0;
      for (const ChartSeries& series : chart.series) sum += series.points[i].y;
      most = std::max(most, sum);
    }
  } else {
    for (const ChartSeries& series : chart.series) {
      for (const ChartPoint& point : series.points) {
        if (!IsNumber(point.y)) continue;
        least = std::min(least, point.y);
        most = std::max(most, point.y);
      }
    }
  }
  return chart.y_unit == ChartUnit::kCount ? CountAxis(most) : MillisecondsAxis(std::min(least, most), most);
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart), axis_(AxisFor(chart)) {}

  std::string Svg() {
    Put("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight, EscapedXml(chart_.title));
    Marks();
    Axes();
    if (chart_.form == ChartForm::kStackedBars) {
      Bars();
    } else {
      for (const ChartSeries& series : chart_.series) Line(series);
    }
    Put("</svg>\n");
    return std::move(svg_);
  }

 private:
  template <typename... Args>
  void Put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(svg_), format, std::forward<Args>(args)...);
  }

  double X(double x) const {
    const double part = (x - chart_.x_from) / (chart_.x_until - chart_.x_from);
    return kLeft + kPlotWidth * std::clamp(part, 0.0, 1.0);
  }

  double Y(double y) const {
    double part = (y - axis_.from) / (axis_.until - axis_.from);
    if (axis_.logarithmic) part = std::log(std::max(y, axis_.from) / axis_.from) / std::log(axis_.until / axis_.from);
    return kTop + kPlotHeight * (1 - std::clamp(part, 0.0, 1.0));
  }

  void Marks() {
    for (size_t i = 0; i < chart_.marks.size(); ++i) {
      const ChartMark& mark = chart_.marks[i];
      const double from = X(mark.from), until = X(mark.until);
      if (mark.until > mark.from) {
        Put("<rect class=\"band\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>\n", from, kTop, until - from,
            kPlotHeight);
      } else {
        Put("<line class=\"event\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n", from, kTop,
            kTop + kPlotHeight);
      }
      // In two rows by turns above the plot, so that neighbours do not cover each other.
      const double row = kTop - 4 - kMarkLabelRow * static_cast<double>(i % 2);
      Put("<text class=\"mark\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", (from + until) / 2, row,
          EscapedXml(mark.label));
    }
  }

  void Axes() {
    for (const double at : axis_.fine) HorizontalLine("fine", Y(at));
    for (const ChartTick& tick : axis_.ticks) {
      HorizontalLine("grid", Y(tick.at));
      Put("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8, Y(tick.at) + 4,
          EscapedXml(tick.label));
    }
    for (const ChartTick& tick : chart_.x_ticks) {
      const double x = X(tick.at);
      Put("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n", x, kTop,
          kTop + kPlotHeight + 4);
      Put("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, kTop + kPlotHeight + 18,
          EscapedXml(tick.label));
    }
    Put("<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/>\n", kLeft, kTop, kTop + kPlotHeight, kLeft + kPlotWidth);
    Put("<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", kLeft + kPlotWidth / 2,
        kHeight - 6, EscapedXml(chart_.x_label));
    Put("<text class=\"label\" transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        kTop + kPlotHeight / 2, EscapedXml(chart_.y_label));
  }

  void HorizontalLine(std::string_view style, double y) {
    Put("<line class=\"{0}\" x1=\"{1}\" x2=\"{2}\" y1=\"{3:.1f}\" y2=\"{3:.1f}\"/>\n", style, kLeft, kLeft + kPlotWidth,
        y);
  }

  void Line(const ChartSeries& series) {
    std::string path;
    bool drawing = false;
    for (size_t i = 0; i < series.points.size(); ++i) {
      const ChartPoint& point = series.points[i];
      if (!IsNumber(point.y)) {
        drawing = false;
        continue;
      }
      fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", drawing ? 'L' : 'M', X(point.x), Y(point.y));
      // One that stands alone between gaps would be no line, and unseen.
      const bool alone = !drawing && (i + 1 == series.points.size() || !IsNumber(series.points[i + 1].y));
      if (alone) path += "h1.5";
      drawing = true;
    }
    if (path.empty()) return;
    Put("<path class=\"line c{}{}\" d=\"{}\"/>\n", series.color, series.dashed ? " dashed" : "", path);
  }

  void Bars() {
    std::vector<double> below;
    for (const ChartSeries& series : chart_.series) {
      below.resize(std::max(below.size(), series.points.size()), 0);
      std::string path;
      for (size_t i = 0; i < series.points.size(); ++i) {
        const ChartPoint& point = series.points[i];
        if (point.y <= 0) continue;
        const double from = X(point.x), until = X(point.x + chart_.bar_width);
        fmt::format_to(std::back_inserter(path), "M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z", from, Y(below[i]),
                       Y(below[i] + point.y), until, Y(below[i]));
        below[i] += point.y;
      }
      if (!path.empty()) Put("<path class=\"bar c{}\" d=\"{}\"/>\n", series.color, path);
    }
  }

  const Chart& chart_;
  const YAxis axis_;
  std::string svg_;
};

bool HasPoints(const Chart& chart) {
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (IsNumber(point.y)) return true;
    }
  }
  return false;
}

}  // namespace

std::string EscapedXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default:
        // Control characters are no part of XML.
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return escaped;
}

std::vector<ChartTick> TimeTicks(double seconds) {
  constexpr std::array kSteps = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1'800, 3'600};
  constexpr double kMostTicks = 10;
  int step = kSteps.back();
  for (auto candidate = kSteps.rbegin(); candidate != kSteps.rend(); ++candidate) {
    if (seconds / *candidate <= kMostTicks) step = *candidate;
  }
  std::vector<ChartTick> ticks;
  for (int at = 0; at <= seconds; at += step) {
    ticks.push_back(
        {static_cast<double>(at), seconds > 120 ? fmt::format("{}:{:02}", at / 60, at % 60) : fmt::format("{}", at)});
  }
  return ticks;
}

std::string CountText(double count) {
  if (count < 10 && std::abs(count - std::round(count)) > 0.049) return fmt::format("{:.1f}", count);
  std::string text = fmt::format("{:.0f}", count);
  for (size_t from_right = 3; from_right < text.size(); from_right += 4) text.insert(text.size() - from_right, ",");
  return text;
}

std::string MillisecondsText(double ms) {
  // Three digits that count, without zeros at the end.
  if (ms < 0.9995) return fmt::format("{:.0f} µs", ms * 1e3);
  if (ms < 999.5) return fmt::format("{:.3g} ms", ms);
  return fmt::format("{:.3g} s", ms / 1e3);
}

std::string ChartFigure(const Chart& chart) {
  std::string html = fmt::format("<figure>\n<figcaption>{}</figcaption>\n", EscapedXml(chart.title));
  if (!HasPoints(chart)) return html + "<p class=\"none\">There was nothing to show.</p>\n</figure>\n";
  html += "<ul class=\"legend\">";
  for (const ChartSeries& series : chart.series) {
    const std::string_view form = chart.form == ChartForm::kStackedBars ? "bar" : "line";
    fmt::format_to(std::back_inserter(html),
                   "<li><svg class=\"key\" viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"{} c{}{}\" "
                   "d=\"{}\"/></svg>{}</li>",
                   form, series.color, series.dashed ? " dashed" : "", form == "bar" ? "M4 0H18V10H4Z" : "M0 5H22",
                   EscapedXml(series.name));
  }
  html += "</ul>\n";
  return html + Drawing(chart).Svg() + "</figure>\n";
}

}  // namespace waystation::bench
