#include "bench/hanging.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <thread>
#include <utility>

#include "bench/interruption.h"
#include "bench/report.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

// The third is the same but for how long it takes: it answers at once, or later than its deadline.
constexpr char kConfiguration[] = R"(listen:
  address: "127.0.0.1:0"
storage:
  data_dir: "{{}}/data"
log:
  level: error
billers:
  - id: mobile
    name: Mobile top-up (sandbox)
    adapter: sandbox
    settings:
      profile: mobile
  - id: electricity
    name: Electricity (sandbox)
    adapter: sandbox
    settings:
      profile: electricity
  - id: third
    name: The one that hangs (sandbox)
    adapter: sandbox
    settings:
      profile: electricity
      latency_ms: {}
)";
constexpr std::array kBillers = {"mobile", "electricity", "third"};
constexpr int kHangsMs = 60'000;

void Merge(const LoadResult& from, LoadResult* into) {
  into->seconds = std::max(into->seconds, from.seconds);
  into->completed += from.completed;
  into->latency.Merge(from.latency);
  into->send_lag.Merge(from.send_lag);
  into->never_sent += from.never_sent;
  into->results.Merge(from.results);
}

absl::StatusOr<ThreeBillers> Measure(const HangingOptions& options, bool hangs) {
  absl::StatusOr<Server> server =
      StartServer(options.places, "switchd", fmt::format(kConfiguration, hangs ? kHangsMs : 0));
  if (!server.ok()) return server.status();
  std::array<absl::StatusOr<LoadResult>, kBillers.size()> results;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kBillers.size(); ++i) {
      threads.emplace_back([&, i] {
        PayOptions pay = options.pay;
        pay.load.address = server->address;
        pay.load.rate = options.rate_each;
        pay.load.quiet = true;  // three lines at once would be none
        pay.biller_ids = {kBillers[i]};
        // Stations of its own, so that none runs out of money for another's sake.
        pay.first_station += i * pay.stations;
        pay.seed += i;
        results[i] = RunPay(pay);
      });
    }
  }
  ThreeBillers three;
  for (size_t i = 0; i < kBillers.size(); ++i) {
    if (!results[i].ok()) return results[i].status();
    Merge(*results[i], i + 1 < kBillers.size() ? &three.working : &three.third);
  }
  if (absl::Status status = StopServer(*server); !status.ok()) return status;
  return three;
}

double Microseconds(const LatencyHistogram& latency, double percent) {
  return std::chrono::duration<double, std::micro>(latency.Percentile(percent)).count();
}

std::vector<double> Percentiles(const std::vector<ThreeBillers>& rounds, double percent) {
  std::vector<double> values;
  for (const ThreeBillers& round : rounds) values.push_back(Microseconds(round.working.latency, percent));
  return values;
}

double RatioAt(const HangingResult& result, double percent) {
  const double usual = SpreadOf(Percentiles(result.all_work, percent)).median;
  return usual > 0 ? SpreadOf(Percentiles(result.one_hangs, percent)).median / usual : 0;
}

boost::json::object ToJson(const ThreeBillers& three) {
  return {{"working", LoadJson(three.working)}, {"third", LoadJson(three.third)}};
}

}  // namespace

absl::StatusOr<HangingResult> MeasureHanging(const HangingOptions& options) {
  constexpr double kP99 = 99;
  HangingResult result;
  for (size_t round = 0; round < options.rounds; ++round) {
    for (const bool hangs : {round % 2 != 0, round % 2 == 0}) {
      absl::StatusOr<ThreeBillers> three = Measure(options, hangs);
      if (!three.ok()) return three.status();
      if (Interrupted()) return absl::CancelledError("interrupted");
      (hangs ? result.one_hangs : result.all_work).push_back(*std::move(three));
    }
    fmt::print(options.progress,
               "round {}: p99 of the two that work: {:.0f} us with the third at work, {:.0f} us while it hangs\n",
               round + 1, Microseconds(result.all_work.back().working.latency, kP99),
               Microseconds(result.one_hangs.back().working.latency, kP99));
    std::fflush(options.progress);
  }
  return result;
}

std::string HangingText(const HangingResult& result) {
  std::string text =
      fmt::format("\n{:<34}{:>12}{:>12}{:>12}\n", "the two that work, us", "all work", "one hangs", "ratio");
  auto out = std::back_inserter(text);
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    fmt::format_to(out, "{:<34}{:>12.0f}{:>12.0f}{:>12.2f}\n", fmt::format("p{} (median of the rounds)", percent),
                   SpreadOf(Percentiles(result.all_work, percent)).median,
                   SpreadOf(Percentiles(result.one_hangs, percent)).median, RatioAt(result, percent));
  }
  ThreeBillers all;
  for (const ThreeBillers& round : result.one_hangs) {
    Merge(round.working, &all.working);
    Merge(round.third, &all.third);
  }
  text += "\nwhile the third hangs, all rounds:\n";
  text +=
      LoadText("payments to the two that work", all.working) + LoadText("payments to the one that hangs", all.third);
  return text;
}

uint64_t UnexpectedResults(const HangingResult& result) {
  const auto unexpected = [](const LoadResult& load) {
    return load.results.Unexpected(/*expect_declines=*/false) + load.never_sent;
  };
  uint64_t all = 0;
  for (const ThreeBillers& round : result.all_work) all += unexpected(round.working) + unexpected(round.third);
  for (const ThreeBillers& round : result.one_hangs) all += unexpected(round.working);
  return all;
}

boost::json::object HangingJson(const HangingResult& result) {
  boost::json::array rounds;
  for (size_t round = 0; round < std::min(result.all_work.size(), result.one_hangs.size()); ++round) {
    rounds.push_back(boost::json::object{{"all_work", ToJson(result.all_work[round])},
                                         {"one_hangs", ToJson(result.one_hangs[round])}});
  }
  return {{"ratios", boost::json::object{{"p99_one_hangs/p99_all_work", RatioAt(result, 99)}}},
          {"rounds", std::move(rounds)}};
}

}  // namespace waystation::bench
