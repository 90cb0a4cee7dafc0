#pragma once

#include <string>
#include <string_view>
#include <vector>

// Plots as SVG, to stand in a page of HTML. Colours and fonts are the page's: classes c0 .. c5 of the style sheet.
namespace waystation::bench {

struct ChartPoint {
  double x = 0;
  double y = 0;  // not a number: a gap
};

struct ChartSeries {
  std::string name;
  int color = 0;  // 0 .. 5
  bool dashed = false;
  std::vector<ChartPoint> points = {};
};

// A stretch of the x axis with a name; a line where both ends are the same.
struct ChartMark {
  double from = 0;
  double until = 0;
  std::string label;
};

struct ChartTick {
  double at = 0;
  std::string label;
};

enum class ChartForm {
  kLines,
  kStackedBars,  // the points of all series have the same x: the left edges of bars
};

enum class ChartUnit {
  kCount,         // linear from 0: 0, 2,000, 4,000
  kMilliseconds,  // logarithmic: 100 µs, 1 ms, 10 ms, 1 s
};

struct Chart {
  std::string title;
  std::string x_label = {};
  std::string y_label = {};
  ChartForm form = ChartForm::kLines;
  ChartUnit y_unit = ChartUnit::kCount;
  double x_from = 0;
  double x_until = 1;
  std::vector<ChartTick> x_ticks = {};
  // kStackedBars: how wide a bar is.
  double bar_width = 1;
  std::vector<ChartSeries> series = {};
  std::vector<ChartMark> marks = {};
};

// With &, <, > and " as entities.
std::string EscapedXml(std::string_view text);

// 0, 10, 20 ... of seconds, at most about ten, as 0:10 or, up to two minutes in all, 10.
std::vector<ChartTick> TimeTicks(double seconds);

// 1,234,567; with one decimal below 10 where it has one.
std::string CountText(double count);
// 120 µs, 1.25 ms, 2.5 s.
std::string MillisecondsText(double ms);

// A figure: title, legend and plot. What there is no point for is told in words.
std::string ChartFigure(const Chart& chart);

}  // namespace waystation::bench
