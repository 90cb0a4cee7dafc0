#include "bench/wire.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <utility>

#include "bench/interruption.h"
#include "bench/process_status.h"
#include "bench/report.h"
#include "bench/traffic.h"
#include "bench/wire_billers.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "waystation/v1/admin_service.grpc.pb.h"

namespace waystation::bench {

namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr double kMebibyte = 1 << 20;

const std::vector<std::string>& AllBillers() {
  static const std::vector<std::string> all = {"mobile", "electricity", "gas"};
  return all;
}

// Watches a switchd from a thread of its own, from Start to Finish.
class FootprintWatch {
 public:
  FootprintWatch(pid_t pid, std::shared_ptr<grpc::Channel> channel)
      : pid_(pid), stub_(v1::AdminService::NewStub(channel)) {}

  void Start() {
    Look();
    seen_.idle_bytes = seen_.most_bytes;
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        Look();
        std::this_thread::sleep_for(kLookEvery);
      }
    });
  }

  Footprint Finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return std::move(seen_);
  }

 private:
  void Look() {
    if (const absl::StatusOr<ProcessStatus> status = StatusOf(pid_); status.ok()) {
      seen_.most_bytes = std::max(seen_.most_bytes, status->resident_bytes);
      for (const auto& [name, count] : status->threads) seen_.threads[name] = std::max(seen_.threads[name], count);
    }
    uint64_t in_flight = 0;
    for (const std::string& id : AllBillers()) {
      grpc::ClientContext context;
      v1::GetBillerRequest request;
      request.set_biller_id(id);
      v1::Biller biller;
      if (stub_->GetBiller(&context, request, &biller).ok()) in_flight += biller.lane().in_flight();
    }
    seen_.most_in_flight = std::max(seen_.most_in_flight, in_flight);
  }

  const pid_t pid_;
  const std::unique_ptr<v1::AdminService::Stub> stub_;
  Footprint seen_;
  std::jthread thread_;
};

absl::StatusOr<LoadResult> MeasureEcho(const WireOptions& options) {
  absl::StatusOr<Server> server = StartServer(options.places, "echo_server", "");
  if (!server.ok()) return server.status();
  LoadOptions load = options.pay.load;
  load.address = server->address;
  absl::StatusOr<LoadResult> echo = RunEcho(load);
  if (!echo.ok()) return echo.status();
  if (absl::Status status = StopServer(*server); !status.ok()) return status;
  return echo;
}

absl::StatusOr<LoadResult> MeasurePay(const WireOptions& options, const std::vector<std::string>& biller_ids) {
  absl::StatusOr<WireBillers> billers = StartWireBillers(options.places, /*latency_ms=*/0);
  if (!billers.ok()) return billers.status();
  absl::StatusOr<Server> server =
      StartServer(options.places, "switchd", ConfigurationFor(*billers, options.pay.load.in_flight));
  if (!server.ok()) return server.status();
  PayOptions pay = options.pay;
  pay.load.address = server->address;
  pay.biller_ids = biller_ids;
  absl::StatusOr<LoadResult> paid = RunPay(pay);
  if (!paid.ok()) return paid.status();
  absl::Status status = StopServer(*server);
  status.Update(StopWireBillers(*billers));
  if (!status.ok()) return status;
  return paid;
}

absl::StatusOr<Footprint> MeasureFootprint(const WireOptions& options) {
  absl::StatusOr<WireBillers> billers = StartWireBillers(options.places, options.latency_ms);
  if (!billers.ok()) return billers.status();
  absl::StatusOr<Server> server = StartServer(options.places, "switchd", ConfigurationFor(*billers, options.waiting));
  if (!server.ok()) return server.status();
  PayOptions pay = options.pay;
  pay.load.address = server->address;
  pay.load.in_flight = options.waiting;
  pay.biller_ids = AllBillers();
  absl::StatusOr<Channels> channel = Connect(server->address, 1);
  if (!channel.ok()) return channel.status();
  FootprintWatch watch(server->process->pid(), channel->front());
  absl::StatusOr<LoadResult> paid = RunPay(pay, [&watch] { watch.Start(); });
  Footprint footprint = watch.Finish();
  if (!paid.ok()) return paid.status();
  footprint.payments = *std::move(paid);
  absl::Status status = StopServer(*server);
  status.Update(StopWireBillers(*billers));
  if (!status.ok()) return status;
  return footprint;
}

absl::Status MeasureRound(const WireOptions& options, bool echo_first, WireResult& result) {
  const auto measure_echo = [&] {
    absl::StatusOr<LoadResult> echo = MeasureEcho(options);
    if (echo.ok()) result.echo.push_back(*echo);
    return echo.status();
  };
  if (echo_first) {
    if (absl::Status status = measure_echo(); !status.ok()) return status;
  }
  absl::StatusOr<LoadResult> pay = MeasurePay(options, AllBillers());
  if (!pay.ok()) return pay.status();
  result.pay.push_back(*std::move(pay));
  if (!echo_first) {
    if (absl::Status status = measure_echo(); !status.ok()) return status;
  }
  if (!options.each) return absl::OkStatus();
  for (const std::string& biller : AllBillers()) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    absl::StatusOr<LoadResult> alone = MeasurePay(options, {biller});
    if (!alone.ok()) return alone.status();
    result.alone[biller].push_back(*std::move(alone));
  }
  return absl::OkStatus();
}

std::vector<double> Rates(const std::vector<LoadResult>& results) {
  std::vector<double> rates;
  for (const LoadResult& result : results) rates.push_back(result.per_second());
  return rates;
}

double Ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

std::vector<double> RoundRatios(const std::vector<LoadResult>& part, const std::vector<LoadResult>& whole) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(part.size(), whole.size()); ++i) {
    ratios.push_back(Ratio(part[i].per_second(), whole[i].per_second()));
  }
  return ratios;
}

// All that was measured beside the echo, with its name.
std::vector<std::pair<std::string, const std::vector<LoadResult>*>> Payments(const WireResult& result) {
  std::vector<std::pair<std::string, const std::vector<LoadResult>*>> all = {{"wire", &result.pay}};
  for (const auto& [biller, rounds] : result.alone) all.emplace_back(biller, &rounds);
  return all;
}

LoadResult Together(const std::vector<LoadResult>& rounds) {
  LoadResult all;
  for (const LoadResult& round : rounds) {
    all.seconds += round.seconds;
    all.completed += round.completed;
    all.latency.Merge(round.latency);
    all.results.Merge(round.results);
  }
  return all;
}

std::string FootprintText(const Footprint& footprint) {
  std::string text = "\npayments to billers that take their time:\n" + LoadText("payments", footprint.payments);
  auto out = std::back_inserter(text);
  fmt::format_to(out, "with billers at once, at most: {}\n", footprint.most_in_flight);
  fmt::format_to(out, "switchd's memory, MB:          idle {:.1f}, at most {:.1f}, above idle {:.1f}\n",
                 static_cast<double>(footprint.idle_bytes) / kMebibyte,
                 static_cast<double>(footprint.most_bytes) / kMebibyte,
                 static_cast<double>(footprint.most_bytes - footprint.idle_bytes) / kMebibyte);
  fmt::format_to(out, "switchd's threads:             {} of ours, {} of gRPC and RocksDB:", footprint.threads_of_ours(),
                 footprint.threads_of_libraries());
  for (const auto& [name, count] : footprint.threads) fmt::format_to(out, " {} {},", count, name);
  text.back() = '\n';
  return text;
}

boost::json::object FootprintJson(const Footprint& footprint) {
  boost::json::object threads;
  for (const auto& [name, count] : footprint.threads) threads[name] = count;
  return {{"payments", LoadJson(footprint.payments)},
          {"most_in_flight", footprint.most_in_flight},
          {"idle_bytes", footprint.idle_bytes},
          {"most_bytes", footprint.most_bytes},
          {"above_idle_bytes", footprint.most_bytes - footprint.idle_bytes},
          {"threads_of_ours", footprint.threads_of_ours()},
          {"threads_of_libraries", footprint.threads_of_libraries()},
          {"threads", std::move(threads)}};
}

}  // namespace

int Footprint::threads_of_libraries() const {
  int sum = 0;
  // Ours have names but for the first one; RocksDB has one without, which is then named after the program.
  for (const auto& [name, count] : threads) sum += IsOfALibrary(name) ? count : name == "switchd" ? count - 1 : 0;
  return sum;
}

int Footprint::threads_of_ours() const {
  int sum = 0;
  for (const auto& [name, count] : threads) sum += count;
  return sum - threads_of_libraries();
}

absl::StatusOr<WireResult> MeasureWire(const WireOptions& options) {
  WireResult result;
  for (size_t round = 0; round < options.rounds; ++round) {
    if (absl::Status status = MeasureRound(options, round % 2 == 0, result); !status.ok()) return status;
    if (Interrupted()) return absl::CancelledError("interrupted");
    fmt::print(options.progress, "round {}: {:8.0f} echoes/s   {:8.0f} payments/s   ratio {:.3f}", round + 1,
               result.echo.back().per_second(), result.pay.back().per_second(),
               Ratio(result.pay.back().per_second(), result.echo.back().per_second()));
    for (const auto& [biller, rounds] : result.alone) {
      fmt::print(options.progress, "   {} {:.0f}/s", biller, rounds.back().per_second());
    }
    fmt::print(options.progress, "\n");
    std::fflush(options.progress);
  }
  if (options.waiting == 0) return result;
  absl::StatusOr<Footprint> footprint = MeasureFootprint(options);
  if (!footprint.ok()) return footprint.status();
  if (Interrupted()) return absl::CancelledError("interrupted");
  result.footprint = *std::move(footprint);
  return result;
}

std::string WireText(const WireResult& result) {
  const Spread echo = SpreadOf(Rates(result.echo));
  std::string text = fmt::format("\n{:<28}{:>12}{:>12}{:>12}\n", "", "median", "least", "most");
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<28}{:>12.0f}{:>12.0f}{:>12.0f}\n", "echoes/s", echo.median, echo.least, echo.most);
  for (const auto& [name, rounds] : Payments(result)) {
    const Spread pay = SpreadOf(Rates(*rounds));
    const Spread ratios = SpreadOf(RoundRatios(*rounds, result.echo));
    fmt::format_to(out, "{:<28}{:>12.0f}{:>12.0f}{:>12.0f}\n", fmt::format("payments/s, {}", name), pay.median,
                   pay.least, pay.most);
    fmt::format_to(out, "{:<28}{:>12.3f}{:>12.3f}{:>12.3f}\n", fmt::format("payments / echoes, {}", name),
                   Ratio(pay.median, echo.median), ratios.least, ratios.most);
  }
  text += "\nall rounds, warm-up left out:\n" + LoadText("echoes", Together(result.echo));
  text += LoadText("payments", Together(result.pay));
  if (result.footprint) text += FootprintText(*result.footprint);
  return text;
}

boost::json::object WireJson(const WireResult& result) {
  const double echo = SpreadOf(Rates(result.echo)).median;
  boost::json::object rates = {{"echo_unary", echo}};
  boost::json::object ratios;
  for (const auto& [name, rounds] : Payments(result)) {
    const double pay = SpreadOf(Rates(*rounds)).median;
    rates["pay_" + name] = pay;
    ratios["pay_" + name + "/echo_unary"] = Ratio(pay, echo);
  }
  boost::json::array rounds;
  for (size_t round = 0; round < result.echo.size(); ++round) {
    boost::json::object one = {{"echo_unary", LoadJson(result.echo[round])}};
    for (const auto& [name, of_all] : Payments(result)) one["pay_" + name] = LoadJson((*of_all)[round]);
    rounds.push_back(std::move(one));
  }
  boost::json::object json = {
      {"kind", kWireKind}, {"rates", std::move(rates)}, {"ratios", std::move(ratios)}, {"rounds", std::move(rounds)}};
  if (result.footprint) json["footprint"] = FootprintJson(*result.footprint);
  return json;
}

uint64_t UnexpectedResults(const WireResult& result) {
  uint64_t unexpected = Together(result.echo).results.Unexpected(/*expect_declines=*/false);
  for (const auto& [name, rounds] : Payments(result)) {
    unexpected += Together(*rounds).results.Unexpected(/*expect_declines=*/false);
  }
  if (result.footprint) unexpected += result.footprint->payments.results.Unexpected(/*expect_declines=*/false);
  return unexpected;
}

}  // namespace waystation::bench
