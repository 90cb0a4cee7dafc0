#include "bench/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/svg_chart.h"
#include "pugixml.hpp"
#include "tests/bench/sample_run.h"

namespace waystation::bench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class HtmlReportTest : public ::testing::Test {
 protected:
  void Read(const RunResult& result) {
    html_ = HtmlReport(result);
    const pugi::xml_parse_result parsed = document_.load_string(html_.c_str());
    ASSERT_TRUE(parsed) << parsed.description() << " at " << html_.substr(static_cast<size_t>(parsed.offset), 80);
  }

  // The texts at an XPath, each with what stands within it.
  std::vector<std::string> Texts(const char* path) const {
    std::vector<std::string> texts;
    for (const pugi::xpath_node& node : document_.select_nodes(path)) {
      texts.push_back(pugi::xpath_query("string(.)").evaluate_string(node));
    }
    return texts;
  }

  std::string html_;
  pugi::xml_document document_;
};

TEST_F(HtmlReportTest, IsWellFormedAndHasEachPlot) {
  Read(SampleRun());
  EXPECT_THAT(
      Texts("//figcaption"),
      ElementsAre("Throughput: calls due and answered", "Latency of payments, by the second in which it was due",
                  "p99 of each kind of call", "Results other than success, by the second in which the call was due",
                  "Calls in flight", "Batch size: legs that share a commit",
                  "Latency distribution: how many calls took no longer"));
  // Each with axes that are named, and ticks with a unit where it has one.
  EXPECT_EQ(Texts("//figure/svg").size(), 7u);
  for (const pugi::xpath_node& svg : document_.select_nodes("//figure/svg")) {
    EXPECT_EQ(svg.node().select_nodes("text[@class='label']").size(), 2u);
    EXPECT_GE(svg.node().select_nodes("text[@class='tick']").size(), 5u);
    EXPECT_GE(svg.node().select_nodes("path[starts-with(@class, 'line') or starts-with(@class, 'bar')]").size(), 1u);
  }
  EXPECT_THAT(Texts("//svg[@aria-label='Latency of payments, by the second in which it was due']/text[@class='tick']"),
              Contains("10 ms"));
}

TEST_F(HtmlReportTest, HasTheFigures) {
  Read(SampleRun());
  EXPECT_THAT(Texts("//ul[@class='tiles']/li/b"), ElementsAre("150", "150", "2.02 ms", "40 ms", "0"));
  // call, sent, answered, a second, p50 .. max
  EXPECT_THAT(Texts("//tr[td[1]='payments' and count(td)=9]/td"),
              ElementsAre("payments", "1,000", "1,000", "100", "2.02 ms", "2.02 ms", "40 ms", "40 ms", "40 ms"));
  EXPECT_THAT(Texts("//tr[@class='sum']/td[position() < 4]"), ElementsAre("all", "1,500", "1,500"));
  EXPECT_THAT(Texts("//tr[td[2]='DECLINED NOT_SENT']/td"),
              ElementsAre("payments", "DECLINED NOT_SENT", "50", "5 %", "the outage"));
  EXPECT_THAT(html_, HasSubstr("A &lt;fine&gt; one, 2 cores, 8.0 GB, Linux 6.1"));
}

TEST_F(HtmlReportTest, TextIsEscapedAndNothingIsLoaded) {
  Read(SampleRun());
  EXPECT_THAT(Texts("//h1"), ElementsAre("sample <1>"));
  EXPECT_THAT(html_, HasSubstr("gas &amp; &quot;water&quot;"));
  EXPECT_THAT(Texts("//svg/text[@class='mark']"), Contains("outage: <mobile>"));
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script", "<link", "<img"}) {
    EXPECT_THAT(html_, Not(HasSubstr(outside)));
  }
}

TEST_F(HtmlReportTest, IsLightDarkAndFitForPaper) {
  Read(SampleRun());
  EXPECT_THAT(html_, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html_, HasSubstr("@media print"));
}

TEST_F(HtmlReportTest, WhatWasNotAsExpectedStandsOut) {
  RunResult result = SampleRun();
  result.profile.expected.clear();
  result.load.never_sent = 7;
  Read(result);
  EXPECT_THAT(Texts("//b[@class='bad']"), ElementsAre("57"));
  EXPECT_THAT(Texts("//td[@class='text bad']"), ElementsAre("DECLINED NOT_SENT"));
  EXPECT_THAT(html_, HasSubstr("7 calls were due and never sent"));
  EXPECT_THAT(Texts("//tr[td[2]='DECLINED NOT_SENT']/td[5]"), ElementsAre("refused <it>"));
}

TEST_F(HtmlReportTest, ARunThatWasInterruptedAtOnceIsAPageToo) {
  RunResult result;
  result.profile.name = "nothing";
  result.profile.measured = std::chrono::seconds(10);
  result.interrupted = true;
  Read(result);
  EXPECT_THAT(html_, HasSubstr("Interrupted"));
  EXPECT_EQ(Texts("//p[@class='none']").size(), 7u);
}

TEST(SvgChart, ANumberIsDrawnWhereItBelongs) {
  Chart chart{.title = "t", .x_until = 10};
  // The plot is 748 wide from 78 on, and 228 high from 26 on; the axis reaches to 100.
  chart.series.push_back({.name = "s", .points = {{0, 0}, {5, 50}, {10, 100}}});
  EXPECT_THAT(ChartFigure(chart), HasSubstr("d=\"M78.0 254.0L452.0 140.0L826.0 26.0\""));
  chart.y_unit = ChartUnit::kMilliseconds;
  chart.series[0].points = {{0, 1}, {5, 10}, {10, 100}};
  EXPECT_THAT(ChartFigure(chart), HasSubstr("d=\"M78.0 254.0L452.0 140.0L826.0 26.0\""));
}

TEST(SvgChart, GapsAreLeftOpenAndALonePointIsSeen) {
  Chart chart{.title = "t", .x_until = 4};
  const double gap = std::numeric_limits<double>::quiet_NaN();
  chart.series.push_back({.name = "s", .points = {{0, 100}, {1, gap}, {2, 100}, {3, gap}, {4, 100}}});
  EXPECT_THAT(ChartFigure(chart), HasSubstr("d=\"M78.0 26.0h1.5M452.0 26.0h1.5M826.0 26.0h1.5\""));
}

TEST(SvgChart, BarsStandOnEachOther) {
  Chart chart{.title = "t", .form = ChartForm::kStackedBars, .x_until = 2};
  chart.series.push_back({.name = "a", .points = {{0, 50}, {1, 0}}});
  chart.series.push_back({.name = "b", .points = {{0, 50}, {1, 100}}});
  const std::string html = ChartFigure(chart);
  EXPECT_THAT(html, HasSubstr("d=\"M78.0 254.0V140.0H452.0V254.0Z\""));
  EXPECT_THAT(html, HasSubstr("d=\"M78.0 140.0V26.0H452.0V140.0ZM452.0 254.0V26.0H826.0V254.0Z\""));
}

TEST(SvgChart, FiguresAreWrittenForPeople) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(7.25), "7.2");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1'234.4), "1,234");
  EXPECT_EQ(CountText(1'234'567), "1,234,567");
  EXPECT_EQ(MillisecondsText(0.12), "120 µs");
  EXPECT_EQ(MillisecondsText(1.254), "1.25 ms");
  EXPECT_EQ(MillisecondsText(999.6), "1 s");
  EXPECT_EQ(MillisecondsText(100), "100 ms");
  EXPECT_EQ(MillisecondsText(2'500), "2.5 s");
}

TEST(SvgChart, TimeTicksAreFewAndRound) {
  EXPECT_EQ(TimeTicks(4).size(), 5u);
  EXPECT_EQ(TimeTicks(4).back().label, "4");
  EXPECT_EQ(TimeTicks(240).size(), 9u);
  EXPECT_EQ(TimeTicks(240)[1].label, "0:30");
  EXPECT_EQ(TimeTicks(240).back().label, "4:00");
}

}  // namespace
}  // namespace waystation::bench
