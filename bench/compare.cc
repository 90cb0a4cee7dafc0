#include "bench/compare.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "bench/baselines/baseline.h"
#include "bench/durable_ledger.h"
#include "bench/interruption.h"
#include "bench/report.h"
#include "bench/temporary_folder.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr char kEcho[] = "echo_unary";
constexpr char kEchoStream[] = "echo_stream";
constexpr char kPay[] = "pay_unary";
constexpr char kPayStream[] = "pay_stream";
constexpr char kLedger[] = "ledger";
constexpr char kPostgres[] = "postgres";
constexpr char kRedis[] = "redis";
constexpr char kRedisPipelined[] = "redis_pipelined";

// What of it the switch is to be worth.
struct Comparison {
  const char* part;
  const char* whole;  // null: the rate itself
  double at_least;

  std::string name() const { return whole == nullptr ? part : fmt::format("{}/{}", part, whole); }
};
constexpr Comparison kComparisons[] = {
    {kPay, kEcho, 0.60}, {kPayStream, kEcho, 1.5},    {kLedger, nullptr, 150'000},      {kPay, kPostgres, 4},
    {kPay, kRedis, 1.5}, {kPayStream, kPostgres, 12}, {kPayStream, kRedisPipelined, 2},
};

constexpr size_t kPipelined = 32;
// Payments of the ledger alone: at a time, and between two looks at the clock.
constexpr size_t kLedgerUnderWay = 1'024;
constexpr uint64_t kLedgerStep = 20'000;

absl::StatusOr<LoadResult> MeasureEcho(const CompareOptions& options, LoadOptions load) {
  absl::StatusOr<Server> server = StartServer(options.places, "echo_server", "");
  if (!server.ok()) return server.status();
  load.address = server->address;
  absl::StatusOr<LoadResult> echo = RunEcho(load);
  if (!echo.ok()) return echo;
  if (absl::Status status = StopServer(*server); !status.ok()) return status;
  return echo;
}

absl::StatusOr<LoadResult> MeasurePay(const CompareOptions& options, const LoadOptions& load) {
  absl::StatusOr<Server> server = StartSandboxSwitch(options.places);
  if (!server.ok()) return server.status();
  PayOptions pay = options.pay;
  pay.load = load;
  pay.load.address = server->address;
  absl::StatusOr<LoadResult> paid = RunPay(pay);
  if (!paid.ok()) return paid;
  if (absl::Status status = StopServer(*server); !status.ok()) return status;
  return paid;
}

absl::StatusOr<LoadResult> MeasureLedger(const CompareOptions& options) {
  using Clock = std::chrono::steady_clock;
  auto ledger = DurableLedger::Open(options.places.work_folder, options.pay.stations);
  if (!ledger.ok()) return ledger.status();
  const auto pay_for = [&ledger](double seconds) {
    LoadResult result;
    const auto start = Clock::now();
    do {
      (*ledger)->Pay(kLedgerStep, kLedgerUnderWay);
      result.completed += kLedgerStep;
      result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    } while (result.seconds < seconds && !Interrupted());
    return result;
  };
  pay_for(options.pay.load.warm_up_seconds);
  LoadResult result = pay_for(options.pay.load.seconds);
  (*ledger)->Close();
  return result;
}

BaselineOptions ForBaselines(const CompareOptions& options) {
  return {.work_folder = options.places.work_folder,
          .stations = options.pay.stations,
          .warm_up_seconds = options.pay.load.warm_up_seconds,
          .seconds = options.pay.load.seconds};
}

struct Entry {
  const char* name;
  const char* text;
  std::function<absl::StatusOr<LoadResult>()> measure;
  bool may_be_missing = false;  // not ours
};

std::vector<Entry> Entries(const CompareOptions& options) {
  std::vector<Entry> entries = {
      {kEcho, "echoes, unary", [&options] { return MeasureEcho(options, options.pay.load); }},
      {kPay, "payments, unary", [&options] { return MeasurePay(options, options.pay.load); }}};
  if (options.unary_only) return entries;
  entries.push_back(
      {kEchoStream, "echoes, streamed", [&options] { return MeasureEcho(options, StreamedLoad(options)); }});
  entries.push_back(
      {kPayStream, "payments, streamed", [&options] { return MeasurePay(options, StreamedLoad(options)); }});
  entries.push_back({kLedger, "ledger alone", [&options] { return MeasureLedger(options); }});
  entries.push_back({kPostgres, "PostgreSQL", [&options] { return MeasurePostgres(ForBaselines(options)); }, true});
  entries.push_back({kRedis, "Redis", [&options] { return MeasureRedis(ForBaselines(options), 1); }, true});
  entries.push_back({kRedisPipelined, "Redis, pipelined",
                     [&options] { return MeasureRedis(ForBaselines(options), kPipelined); }, true});
  return entries;
}

// Of each round; empty where it was not measured.
std::vector<double> Rates(const CompareResult& result, std::string_view name) {
  std::vector<double> rates;
  for (const CompareResult::Contestant& contestant : result.contestants) {
    if (contestant.name != name) continue;
    for (const LoadResult& round : contestant.rounds) rates.push_back(round.per_second());
  }
  return rates;
}

// The ratio of the medians, and the least and most of those within a round; null where one of the two was not measured.
std::optional<Spread> SpreadOfComparison(const CompareResult& result, const Comparison& comparison) {
  const std::vector<double> part = Rates(result, comparison.part);
  if (part.empty()) return std::nullopt;
  if (comparison.whole == nullptr) return SpreadOf(part);
  const std::vector<double> whole = Rates(result, comparison.whole);
  std::vector<double> ratios;
  for (size_t round = 0; round < std::min(part.size(), whole.size()); ++round) {
    if (whole[round] <= 0) return std::nullopt;
    ratios.push_back(part[round] / whole[round]);
  }
  if (ratios.empty()) return std::nullopt;
  Spread spread = SpreadOf(ratios);
  spread.median = SpreadOf(part).median / SpreadOf(whole).median;
  return spread;
}

std::string Row(std::string_view text, const Spread& spread, int decimals) {
  return fmt::format("{:<34}{:>12.{}f}{:>12.{}f}{:>12.{}f}", text, spread.median, decimals, spread.least, decimals,
                     spread.most, decimals);
}

}  // namespace

LoadOptions StreamedLoad(const CompareOptions& options) {
  LoadOptions load = options.pay.load;
  load.a_message = options.a_message;
  load.in_flight = options.stream_in_flight;
  return load;
}

absl::StatusOr<CompareResult> Compare(const CompareOptions& options) {
  CompareResult result;
  result.work_folder_in_memory = IsInMemory(options.places.work_folder);
  const std::vector<Entry> entries = Entries(options);
  for (const Entry& entry : entries) result.contestants.push_back({entry.name, entry.text, {}});
  for (size_t round = 0; round < options.rounds; ++round) {
    fmt::print(options.progress, "round {}:\n", round + 1);
    for (size_t i = 0; i < entries.size(); ++i) {
      const size_t at = round % 2 == 0 ? i : entries.size() - 1 - i;
      const Entry& entry = entries[at];
      if (result.skipped.contains(entry.name)) continue;
      absl::StatusOr<LoadResult> measured = entry.measure();
      if (Interrupted()) return absl::CancelledError("interrupted");
      if (entry.may_be_missing && round == 0 && absl::IsNotFound(measured.status())) {
        result.skipped[entry.name] = std::string(measured.status().message());
        fmt::print(options.progress, "  {:<20} skipped: {}\n", entry.text, result.skipped[entry.name]);
        continue;
      }
      if (!measured.ok()) return measured.status();
      fmt::print(options.progress, "  {:<20}{:>12.0f} a second\n", entry.text, measured->per_second());
      std::fflush(options.progress);
      result.contestants[at].rounds.push_back(*std::move(measured));
    }
  }
  std::erase_if(result.contestants,
                [](const CompareResult::Contestant& contestant) { return contestant.rounds.empty(); });
  return result;
}

std::string CompareText(const CompareResult& result) {
  std::string text = fmt::format("\n{:<34}{:>12}{:>12}{:>12}\n", "a second", "median", "least", "most");
  auto out = std::back_inserter(text);
  for (const CompareResult::Contestant& contestant : result.contestants) {
    fmt::format_to(out, "{}\n", Row(contestant.text, SpreadOf(Rates(result, contestant.name)), 0));
  }
  fmt::format_to(out, "\n{:<34}{:>12}{:>12}{:>12}{:>12}\n", "", "median", "least", "most", "at least");
  for (const Comparison& comparison : kComparisons) {
    const std::optional<Spread> spread = SpreadOfComparison(result, comparison);
    if (!spread.has_value()) continue;
    const int decimals = comparison.whole == nullptr ? 0 : 3;
    fmt::format_to(out, "{}{:>12}{}\n", Row(comparison.name(), *spread, decimals), comparison.at_least,
                   spread->median < comparison.at_least ? "  missed" : "");
  }
  for (const auto& [name, why] : result.skipped) fmt::format_to(out, "{} was skipped: {}\n", name, why);
  text += "\nall rounds, warm-up left out:\n";
  for (const CompareResult::Contestant& contestant : result.contestants) {
    LoadResult all;
    for (const LoadResult& round : contestant.rounds) {
      all.seconds += round.seconds;
      all.completed += round.completed;
      all.latency.Merge(round.latency);
      all.results.Merge(round.results);
    }
    if (all.latency.count() > 0) fmt::format_to(out, "{}:\n{}", contestant.text, LoadText("", all));
  }
  if (result.work_folder_in_memory) {
    text += "The data folder was in memory: the payments were not durable. Use --work-folder.\n";
  }
  return text;
}

boost::json::object CompareJson(const CompareResult& result) {
  boost::json::object rates;
  boost::json::object ratios;
  boost::json::object spreads;
  boost::json::object targets;
  size_t rounds = 0;
  for (const CompareResult::Contestant& contestant : result.contestants) {
    const Spread spread = SpreadOf(Rates(result, contestant.name));
    rates[contestant.name] = spread.median;
    spreads[contestant.name] = {{"least", spread.least}, {"most", spread.most}};
    rounds = std::max(rounds, contestant.rounds.size());
  }
  for (const Comparison& comparison : kComparisons) {
    targets[comparison.name()] = comparison.at_least;
    const std::optional<Spread> spread = SpreadOfComparison(result, comparison);
    if (!spread.has_value() || comparison.whole == nullptr) continue;
    ratios[comparison.name()] = spread->median;
    spreads[comparison.name()] = {{"least", spread->least}, {"most", spread->most}};
  }
  boost::json::array each;
  for (size_t round = 0; round < rounds; ++round) {
    boost::json::object of_round;
    for (const CompareResult::Contestant& contestant : result.contestants) {
      of_round[contestant.name] = LoadJson(contestant.rounds[round]);
    }
    each.push_back(std::move(of_round));
  }
  boost::json::object skipped;
  for (const auto& [name, why] : result.skipped) skipped[name] = why;
  return {{"kind", kCompareKind},
          {"schema", kCompareSchema},
          {"rates", std::move(rates)},
          {"ratios", std::move(ratios)},
          {"spreads", std::move(spreads)},
          {"targets", std::move(targets)},
          {"rounds", std::move(each)},
          {"skipped", std::move(skipped)},
          {"work_folder_in_memory", result.work_folder_in_memory}};
}

uint64_t UnexpectedResults(const CompareResult& result) {
  uint64_t unexpected = 0;
  for (const CompareResult::Contestant& contestant : result.contestants) {
    for (const LoadResult& round : contestant.rounds) unexpected += round.results.Unexpected(/*expect_declines=*/false);
  }
  return unexpected;
}

}  // namespace waystation::bench
