#include "bench/compare.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "bench/interruption.h"
#include "bench/report.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr char kConfiguration[] = R"(listen:
  address: "127.0.0.1:0"
storage:
  data_dir: "{}/data"
log:
  level: warn
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
  - id: gas
    name: Gas (sandbox)
    adapter: sandbox
    settings:
      profile: gas
)";

absl::Status MeasureEcho(const CompareOptions& options, CompareResult& result) {
  absl::StatusOr<Server> server = StartServer(options.places, "echo_server", "");
  if (!server.ok()) return server.status();
  LoadOptions load = options.pay.load;
  load.address = server->address;
  absl::StatusOr<LoadResult> echo = RunEcho(load);
  if (!echo.ok()) return echo.status();
  result.echo.push_back(*std::move(echo));
  return StopServer(*server);
}

absl::Status MeasurePay(const CompareOptions& options, CompareResult& result) {
  absl::StatusOr<Server> server = StartServer(options.places, "switchd", kConfiguration);
  if (!server.ok()) return server.status();
  PayOptions pay = options.pay;
  pay.load.address = server->address;
  absl::StatusOr<LoadResult> paid = RunPay(pay);
  if (!paid.ok()) return paid.status();
  result.pay.push_back(*std::move(paid));
  return StopServer(*server);
}

bool InMemory(const std::string& folder) {
  struct statfs about = {};
  return statfs(folder.c_str(), &about) == 0 && (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC);
}

std::vector<double> Rates(const std::vector<LoadResult>& results) {
  std::vector<double> rates;
  for (const LoadResult& result : results) rates.push_back(result.per_second());
  return rates;
}

double Ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

std::vector<double> RoundRatios(const CompareResult& result) {
  std::vector<double> ratios;
  for (size_t round = 0; round < std::min(result.echo.size(), result.pay.size()); ++round) {
    ratios.push_back(Ratio(result.pay[round].per_second(), result.echo[round].per_second()));
  }
  return ratios;
}

}  // namespace

absl::StatusOr<CompareResult> Compare(const CompareOptions& options) {
  CompareResult result;
  result.work_folder_in_memory = InMemory(options.places.work_folder);
  for (size_t round = 0; round < options.rounds; ++round) {
    const bool echo_first = round % 2 == 0;
    absl::Status status = echo_first ? MeasureEcho(options, result) : MeasurePay(options, result);
    if (status.ok() && Interrupted()) status = absl::CancelledError("interrupted");
    if (status.ok()) status = echo_first ? MeasurePay(options, result) : MeasureEcho(options, result);
    if (!status.ok()) return status;
    if (Interrupted()) return absl::CancelledError("interrupted");
    fmt::print(options.progress, "round {}: {:8.0f} echoes/s   {:8.0f} payments/s   ratio {:.3f}\n", round + 1,
               result.echo.back().per_second(), result.pay.back().per_second(), RoundRatios(result).back());
    std::fflush(options.progress);
  }
  return result;
}

std::string CompareText(const CompareResult& result) {
  const Spread echo = SpreadOf(Rates(result.echo));
  const Spread pay = SpreadOf(Rates(result.pay));
  const Spread ratios = SpreadOf(RoundRatios(result));
  std::string text = fmt::format("\n{:<22}{:>12}{:>12}{:>12}\n", "", "median", "least", "most");
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<22}{:>12.0f}{:>12.0f}{:>12.0f}\n", "echoes/s", echo.median, echo.least, echo.most);
  fmt::format_to(out, "{:<22}{:>12.0f}{:>12.0f}{:>12.0f}\n", "payments/s", pay.median, pay.least, pay.most);
  fmt::format_to(out, "{:<22}{:>12.3f}{:>12.3f}{:>12.3f}\n", "payments / echoes", Ratio(pay.median, echo.median),
                 ratios.least, ratios.most);
  text += "\nall rounds, warm-up left out:\n";
  LoadResult all_echo;
  LoadResult all_pay;
  for (const auto& [from, to] : {std::pair{&result.echo, &all_echo}, std::pair{&result.pay, &all_pay}}) {
    for (const LoadResult& round : *from) {
      to->seconds += round.seconds;
      to->completed += round.completed;
      to->latency.Merge(round.latency);
      to->results.Merge(round.results);
    }
  }
  text += LoadText("echoes", all_echo) + LoadText("payments", all_pay);
  if (result.work_folder_in_memory)
    text += "The data folder was in memory: the payments were not durable. Use --work-folder.\n";
  return text;
}

boost::json::object CompareJson(const CompareResult& result) {
  const double echo = SpreadOf(Rates(result.echo)).median;
  const double pay = SpreadOf(Rates(result.pay)).median;
  boost::json::array rounds;
  for (size_t round = 0; round < std::min(result.echo.size(), result.pay.size()); ++round) {
    rounds.push_back(
        boost::json::object{{"echo_unary", LoadJson(result.echo[round])}, {"pay_unary", LoadJson(result.pay[round])}});
  }
  return {{"rates", boost::json::object{{"echo_unary", echo}, {"pay_unary", pay}}},
          {"ratios", boost::json::object{{"pay_unary/echo_unary", Ratio(pay, echo)}}},
          {"rounds", std::move(rounds)},
          {"work_folder_in_memory", result.work_folder_in_memory}};
}

uint64_t UnexpectedResults(const CompareResult& result) {
  uint64_t unexpected = 0;
  for (const std::vector<LoadResult>* rounds : {&result.echo, &result.pay}) {
    for (const LoadResult& round : *rounds) unexpected += round.results.Unexpected(/*expect_declines=*/false);
  }
  return unexpected;
}

}  // namespace waystation::bench
