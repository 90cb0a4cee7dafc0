#include "bench/rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "bench/durable_ledger.h"
#include "bench/interruption.h"
#include "bench/latency_histogram.h"
#include "bench/observation_cost.h"
#include "bench/process_status.h"
#include "bench/report.h"
#include "bench/temporary_folder.h"
#include "bench/traffic.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "waystation/v1/account_service.grpc.pb.h"
#include "waystation/v1/payment_service.grpc.pb.h"

namespace waystation::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMegabyte = 1e6;
constexpr size_t kManyStations = 10'000;
constexpr size_t kOverloadStreams = 16;
// More than the switch takes at a time, so that some are refused; and no more a stream than it reads.
constexpr size_t kOverloadInFlight = 48'000;
constexpr size_t kSyncs = 2'000;
constexpr size_t kSyncBytes = 4'096;
constexpr uint64_t kMillion = 1'000'000;

// Rows that take long.
constexpr char kMillionStations[] = "million_stations/many_stations";
constexpr char kMillionStationsMemory[] = "million_stations_resident_mb";
constexpr char kMillion20[] = "million_20/million_1";
constexpr char kDiskBytes[] = "disk_bytes_a_payment";

double Ms(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

double MedianRate(const CompareResult& result, std::string_view name) {
  for (const CompareResult::Contestant& contestant : result.contestants) {
    if (contestant.name != name) continue;
    std::vector<double> rates;
    for (const LoadResult& round : contestant.rounds) rates.push_back(round.per_second());
    return SpreadOf(std::move(rates)).median;
  }
  return 0;
}

// What is written lies at the end of a file, or where zeros were written before.
enum class Syncs { kOfGrowth, kOfWritingOver };

// Writes 4 KiB and syncs them, again and again.
absl::StatusOr<LatencyHistogram> TimeSyncs(const std::string& work_folder, Syncs syncs) {
  absl::StatusOr<std::unique_ptr<TemporaryFolder>> folder = TemporaryFolder::Make(work_folder);
  if (!folder.ok()) return folder.status();
  const std::string path = (*folder)->path() + "/syncs";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
  const auto write_at = [&](const std::string& bytes, size_t at) {
    return pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(bytes.size()) &&
           fdatasync(file) == 0;
  };
  LatencyHistogram times;
  bool written = syncs == Syncs::kOfGrowth || write_at(std::string(kSyncs * kSyncBytes, '\0'), 0);
  const std::string bytes(kSyncBytes, 'x');
  for (size_t i = 0; written && i < kSyncs; ++i) {
    const auto start = Clock::now();
    written = write_at(bytes, i * kSyncBytes);
    times.Record(Clock::now() - start);
  }
  const int error = errno;
  close(file);
  if (!written) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(error)));
  return times;
}

// Asks a switch for an inquiry and an account, in turn, from when it is made to when it goes.
class Asking {
 public:
  Asking(std::shared_ptr<grpc::Channel> channel, uint64_t station)
      : payments_(v1::PaymentService::NewStub(channel)),
        accounts_(v1::AccountService::NewStub(channel)),
        station_(fmt::format("{:012}", station)),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            AskOnce();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}

  // Of what was answered since the last time; and how many of the two were asked, refused ones among them.
  struct Times {
    LatencyHistogram inquire;
    LatencyHistogram get_account;
    uint64_t asked = 0;

    uint64_t refused() const { return asked - inquire.count() - get_account.count(); }
  };
  Times Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(times_, {});
  }

 private:
  void AskOnce() {
    v1::InquireRequest inquiry;
    inquiry.set_station_id(station_);
    inquiry.set_operator_id("9900000001");
    inquiry.set_biller_id("mobile");
    inquiry.set_customer_number("13900000000");
    v1::InquireResponse answer;
    grpc::ClientContext first;
    const auto start = Clock::now();
    const bool inquired = payments_->Inquire(&first, inquiry, &answer).ok();
    const auto inquiry_took = Clock::now() - start;
    v1::GetAccountRequest request;
    request.set_station_id(station_);
    v1::Account account;
    grpc::ClientContext second;
    const auto again = Clock::now();
    const bool got = accounts_->GetAccount(&second, request, &account).ok();
    const auto account_took = Clock::now() - again;
    const std::lock_guard lock(mutex_);
    times_.asked += 2;
    if (inquired) times_.inquire.Record(inquiry_took);
    if (got) times_.get_account.Record(account_took);
  }

  const std::unique_ptr<v1::PaymentService::Stub> payments_;
  const std::unique_ptr<v1::AccountService::Stub> accounts_;
  const std::string station_;
  std::mutex mutex_;
  Times times_;  // guarded by mutex_
  std::jthread thread_;
};

class Rows {
 public:
  explicit Rows(const RowsOptions& options) : options_(options) {}

  absl::StatusOr<RowsResult> Measure() {
    if (options_.quick_ones) {
      absl::StatusOr<CompareResult> compare = Compare(options_.compare);
      if (!compare.ok()) return compare.status();
      result_.compare = *std::move(compare);
      result_.unexpected = UnexpectedResults(result_.compare);
      const absl::Status status = Measure({&Rows::OneAtATime, &Rows::OneStation, &Rows::OneBiller, &Rows::HalfTheRate,
                                           &Rows::Overload, &Rows::Observation});
      if (!status.ok()) return status;
    }
    if (!options_.slow_ones) {
      result_.not_measured = {kMillionStations, kMillionStationsMemory, kMillion20, kDiskBytes};
    } else if (absl::Status status = Measure({&Rows::ManyStations, &Rows::ManyPayments}); !status.ok()) {
      return status;
    }
    return std::move(result_);
  }

 private:
  using Row = absl::Status (Rows::*)();

  absl::Status Measure(std::initializer_list<Row> rows) {
    for (const Row row : rows) {
      absl::Status status = (this->*row)();
      if (Interrupted()) return absl::CancelledError("interrupted");
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void Add(std::string name, std::string text, double value, double bound, bool at_most) {
    result_.promises.push_back({std::move(name), std::move(text), value, bound, at_most});
    const Promise& promise = result_.promises.back();
    fmt::print(options_.compare.progress, "{}: {:.3f}\n", promise.text, promise.value);
    std::fflush(options_.compare.progress);
  }

  // Against a fresh switch.
  absl::StatusOr<LoadResult> Pay(const PayOptions& pay) {
    absl::StatusOr<Server> server = StartSandboxSwitch(options_.compare.places);
    if (!server.ok()) return server.status();
    absl::StatusOr<LoadResult> paid = PayAt(*server, pay);
    if (!paid.ok()) return paid;
    if (absl::Status status = StopServer(*server); !status.ok()) return status;
    return paid;
  }

  absl::StatusOr<LoadResult> PayAt(const Server& server, PayOptions pay) {
    pay.load.address = server.address;
    absl::StatusOr<LoadResult> paid = RunPay(pay);
    if (!paid.ok()) return paid;
    for (const ResultCounts::Line& line : paid->results.Lines()) {
      if (line.succeeded) continue;
      // After a stall more may be due at once than the switch takes. What is refused is in no latency, so it is told.
      if (pay.load.rate > 0 && line.name == "RESOURCE_EXHAUSTED") {
        result_.notes.push_back(fmt::format("at {:.0f}/s: {} {}", pay.load.rate, line.count, line.name));
      } else {
        result_.unexpected += line.count;
      }
    }
    return paid;
  }

  absl::Status OneAtATime() {
    PayOptions pay = options_.compare.pay;
    pay.load.in_flight = pay.load.channels = pay.load.threads = 1;
    absl::StatusOr<Server> server = StartServer(options_.compare.places, "echo_server", "");
    if (!server.ok()) return server.status();
    LoadOptions load = pay.load;
    load.address = server->address;
    const absl::StatusOr<LoadResult> echo = RunEcho(load);
    if (!echo.ok()) return echo.status();
    if (absl::Status status = StopServer(*server); !status.ok()) return status;
    const absl::StatusOr<LatencyHistogram> sync = TimeSyncs(options_.compare.places.work_folder, Syncs::kOfGrowth);
    if (!sync.ok()) return sync.status();
    const absl::StatusOr<LatencyHistogram> over = TimeSyncs(options_.compare.places.work_folder, Syncs::kOfWritingOver);
    if (!over.ok()) return over.status();
    const absl::StatusOr<LoadResult> paid = Pay(pay);
    if (!paid.ok()) return paid.status();
    const double payment_ms = Ms(paid->latency.Percentile(50));
    const double sync_ms = Ms(sync->Percentile(50));
    const double echo_ms = Ms(echo->latency.Percentile(50));
    const double over_ms = Ms(over->Percentile(50));
    result_.notes.push_back(fmt::format(
        "one at a time, p50: payment {:.3f} ms, echo {:.3f} ms, fdatasync {:.3f} ms, and of what is written over, as "
        "switchd's log is, {:.3f} ms: {:.3f} of a floor with those",
        payment_ms, echo_ms, sync_ms, over_ms, payment_ms / (2 * over_ms + echo_ms)));
    Add("one_payment/floor", "one payment, nothing else: p50 / (2 fdatasync + echo)",
        payment_ms / (2 * sync_ms + echo_ms), 1.6, /*at_most=*/true);
    return absl::OkStatus();
  }

  // `one` against `spread`, largest rates of unary calls.
  absl::Status AddRatio(std::string name, std::string text, const PayOptions& one, const PayOptions& spread) {
    const absl::StatusOr<LoadResult> of_one = Pay(one);
    if (!of_one.ok()) return of_one.status();
    const absl::StatusOr<LoadResult> of_spread = Pay(spread);
    if (!of_spread.ok()) return of_spread.status();
    result_.notes.push_back(
        fmt::format("{}: {:.0f} / {:.0f} a second", text, of_one->per_second(), of_spread->per_second()));
    Add(std::move(name), std::move(text), of_one->per_second() / of_spread->per_second(), 0.9, /*at_most=*/false);
    return absl::OkStatus();
  }

  absl::Status OneStation() {
    PayOptions one = options_.compare.pay;
    one.stations = 1;
    PayOptions spread = options_.compare.pay;
    spread.stations = kManyStations;
    return AddRatio("one_station/many_stations", "all on one station / over 10,000", one, spread);
  }

  absl::Status OneBiller() {
    PayOptions spread = options_.compare.pay;
    spread.biller_ids = {"mobile", "electricity", "water"};
    return AddRatio("one_biller/three_billers", "all on one biller / over three", options_.compare.pay, spread);
  }

  absl::Status HalfTheRate() {
    PayOptions pay = options_.compare.pay;
    pay.load.rate = std::max(1.0, MedianRate(result_.compare, "pay_unary") / 2);
    pay.load.in_flight = 9'000;
    const absl::StatusOr<LoadResult> paid = Pay(pay);
    if (!paid.ok()) return paid.status();
    Add("half_rate_p99_ms", fmt::format("p99 at {:.0f}/s, half of the largest unary rate, ms", pay.load.rate),
        Ms(paid->latency.Percentile(99)), 10, /*at_most=*/true);
    return absl::OkStatus();
  }

  absl::Status Overload() {
    absl::StatusOr<Server> server = StartSandboxSwitch(options_.compare.places);
    if (!server.ok()) return server.status();
    PayOptions pay = options_.compare.pay;
    pay.load.channels = kOverloadStreams;
    pay.load.threads = 1;
    pay.load.in_flight = kOverloadInFlight;
    pay.load.a_message = options_.compare.a_message;
    absl::StatusOr<Channels> channels = Connect(server->address, 1);
    if (!channels.ok()) return channels.status();

    // The machine's pace changes by the minute, so the largest rate is measured here too, before and after.
    PayOptions closed = options_.compare.pay;
    closed.load = StreamedLoad(options_.compare);
    const absl::StatusOr<LoadResult> first = PayAt(*server, closed);
    if (!first.ok()) return first.status();
    const double median = MedianRate(result_.compare, "pay_stream");
    const double largest = std::max(first->per_second(), median);

    // Half of it: what the recovery is held against.
    pay.load.rate = std::max(1.0, largest / 2);
    absl::StatusOr<LoadResult> half = PayAt(*server, pay);
    if (!half.ok()) return half.status();
    std::optional<Asking> asking(std::in_place, channels->front(), pay.first_station);
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(5.0, pay.load.seconds)));
    const Asking::Times unloaded = asking->Take();
    const absl::StatusOr<ProcessStatus> before = StatusOf(server->process->pid());
    if (!before.ok()) return before.status();

    PayOptions twice = pay;
    twice.load.rate = std::max(1.0, 2 * largest);
    twice.load.seconds = options_.overload_seconds;
    // As those that the largest rate was measured with.
    twice.load.full_messages = true;
    absl::StatusOr<LoadResult> over = absl::InternalError("not measured");
    {
      PayOptions options = twice;
      options.load.address = server->address;
      over = RunPay(options, [&asking] { asking->Take(); });
    }
    if (!over.ok()) return over.status();
    const Asking::Times loaded = asking->Take();
    asking.reset();
    const absl::StatusOr<ProcessStatus> after = StatusOf(server->process->pid());
    if (!after.ok()) return after.status();

    // Its warm-up is the recovery.
    pay.load.warm_up_seconds = 2;
    absl::StatusOr<LoadResult> again = PayAt(*server, pay);
    if (!again.ok()) return again.status();
    const absl::StatusOr<LoadResult> last = PayAt(*server, closed);
    if (!last.ok()) return last.status();
    if (absl::Status status = StopServer(*server); !status.ok()) return status;

    for (const ResultCounts::Line& line : over->results.Lines()) {
      result_.notes.push_back(fmt::format("offered {:.0f}/s: {} {}", twice.load.rate, line.count, line.name));
      if (!line.succeeded && line.name != "RESOURCE_EXHAUSTED") result_.unexpected += line.count;
    }
    result_.notes.push_back(fmt::format(
        "offered {:.0f}/s: {} never sent for want of room in flight; of those paid and those never sent p50 "
        "{:.0f} ms, p99 {:.0f} ms",
        twice.load.rate, over->never_sent, Ms(over->latency.Percentile(50)), Ms(over->latency.Percentile(99))));
    result_.notes.push_back(
        fmt::format("offered over {} streams, {} a message", kOverloadStreams, twice.load.a_message));
    result_.notes.push_back(fmt::format("switchd's memory, MB: {:.0f} before, at most {:.0f}",
                                        static_cast<double>(before->resident_bytes) / kMegabyte,
                                        static_cast<double>(after->most_resident_bytes) / kMegabyte));
    result_.notes.push_back(fmt::format("asked meanwhile: {} of {} refused", loaded.refused(), loaded.asked));
    result_.notes.push_back(fmt::format(
        "paid of it: {:.0f} a second; largest rate before {:.0f}, after {:.0f}, median of the rounds of compare {:.0f}",
        over->per_second(), first->per_second(), last->per_second(), median));
    Add("overload_goodput", "twice the largest streamed rate offered: goodput / largest around it",
        over->per_second() / std::max(first->per_second(), last->per_second()), 0.8, /*at_most=*/false);
    Add("recovered_p99_ms", "p99 at half the largest after it, first 2 s left out, ms",
        Ms(again->latency.Percentile(99)), std::max(10.0, 2 * Ms(half->latency.Percentile(99))), /*at_most=*/true);
    // Where none was answered, all of that time was not enough.
    const auto p99 = [&twice](const LatencyHistogram& times) {
      return times.count() == 0 ? twice.load.seconds * 1e3 : Ms(times.Percentile(99));
    };
    Add("overload_inquire_p99_ms", "p99 of Inquire during it, ms", p99(loaded.inquire),
        2 * Ms(unloaded.inquire.Percentile(99)) + 10, /*at_most=*/true);
    Add("overload_get_account_p99_ms", "p99 of GetAccount during it, ms", p99(loaded.get_account),
        2 * Ms(unloaded.get_account.Percentile(99)) + 10, /*at_most=*/true);
    return absl::OkStatus();
  }

  absl::Status Observation() {
    const absl::StatusOr<ObservationCost> cost = MeasureObservationCost(options_.compare);
    if (!cost.ok()) return cost.status();
    result_.unexpected += cost->unexpected;
    result_.notes.push_back(fmt::format(
        "metrics and logs on / off: two switchds in turn, streamed, {} slices of {:.1f} s each; on: {:.0f} a second "
        "({:.0f} to {:.0f}), metrics read {} times, log info as JSON; off: {:.0f} a second ({:.0f} to {:.0f}), log "
        "warn; switchd's CPU a payment {:.2f} / {:.2f} us",
        cost->slices, options_.compare.pay.load.seconds / 4, cost->on.per_second.median, cost->on.per_second.least,
        cost->on.per_second.most, cost->scrapes, cost->off.per_second.median, cost->off.per_second.least,
        cost->off.per_second.most, cost->on.cpu_us.median, cost->off.cpu_us.median));
    Add("observed/unobserved", "metrics and logs on / off, streamed", cost->ratio(), 0.97, /*at_most=*/false);
    return absl::OkStatus();
  }

  absl::Status ManyStations() {
    double rates[2] = {};
    double resident = 0;
    for (const bool million : {false, true}) {
      absl::StatusOr<Server> server = StartSandboxSwitch(options_.compare.places);
      if (!server.ok()) return server.status();
      PayOptions pay = options_.compare.pay;
      pay.stations = million ? kMillion : kManyStations;
      const absl::StatusOr<LoadResult> paid = PayAt(*server, pay);
      if (!paid.ok()) return paid.status();
      const absl::StatusOr<ProcessStatus> status = StatusOf(server->process->pid());
      if (!status.ok()) return status.status();
      rates[million ? 1 : 0] = paid->per_second();
      resident = static_cast<double>(status->resident_bytes) / kMegabyte;
      if (absl::Status stopped = StopServer(*server); !stopped.ok()) return stopped;
    }
    result_.notes.push_back(
        fmt::format("over 1,000,000 stations / over 10,000: {:.0f} / {:.0f} a second", rates[1], rates[0]));
    Add(kMillionStations, "over 1,000,000 stations / over 10,000", rates[1] / rates[0], 0.9,
        /*at_most=*/false);
    Add(kMillionStationsMemory, "resident memory with 1,000,000 stations, MB", resident, 700,
        /*at_most=*/true);
    return absl::OkStatus();
  }

  absl::Status ManyPayments() {
    constexpr uint64_t kAll = 20;
    constexpr uint64_t kStep = 20'000;
    constexpr size_t kUnderWay = 1'024;
    auto ledger = DurableLedger::Open(options_.compare.places.work_folder, options_.compare.pay.stations);
    if (!ledger.ok()) return ledger.status();
    double seconds[kAll] = {};
    for (double& of_million : seconds) {
      const auto start = Clock::now();
      for (uint64_t paid = 0; paid < kMillion; paid += kStep) {
        if (Interrupted()) return absl::CancelledError("interrupted");
        (*ledger)->Pay(kStep, kUnderWay);
      }
      of_million = std::chrono::duration<double>(Clock::now() - start).count();
      fmt::print(options_.compare.progress, "a million payments: {:.1f} s\n", of_million);
      std::fflush(options_.compare.progress);
    }
    (*ledger)->Close();
    const double bytes = static_cast<double>((*ledger)->DiskBytes()) / static_cast<double>(kAll * kMillion);
    result_.notes.push_back(fmt::format("ledger: {:.0f} payments a second in the first million, {:.0f} in the 20th",
                                        static_cast<double>(kMillion) / seconds[0],
                                        static_cast<double>(kMillion) / seconds[kAll - 1]));
    Add(kMillion20, "ledger's rate in the 20th million / in the first", seconds[0] / seconds[kAll - 1], 0.85,
        /*at_most=*/false);
    Add(kDiskBytes, "disk a payment after 20 million, bytes", bytes, 600, /*at_most=*/true);
    return absl::OkStatus();
  }

  const RowsOptions& options_;
  RowsResult result_;
};

}  // namespace

absl::StatusOr<RowsResult> MeasureRows(const RowsOptions& options) {
  return Rows(options).Measure();
}

std::string RowsText(const RowsResult& result) {
  std::string text = result.compare.contestants.empty() ? "" : CompareText(result.compare);
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{:<60}{:>12}{:>22}\n", "", "measured", "expected");
  for (const Promise& promise : result.promises) {
    fmt::format_to(out, "{:<60}{:>12.3f}{:>22}{}\n", promise.text, promise.value,
                   fmt::format("{} {:.4g}", promise.at_most ? "at most" : "at least", promise.bound),
                   promise.kept() ? "" : "  missed");
  }
  if (result.compare.contestants.empty()) text += "compare and the other rows were left out\n";
  if (!result.not_measured.empty()) {
    fmt::format_to(out, "not measured without --slow-ones: {}\n", fmt::join(result.not_measured, ", "));
  }
  for (const std::string& note : result.notes) fmt::format_to(out, "{}\n", note);
  return text;
}

boost::json::object RowsJson(const RowsResult& result) {
  boost::json::object json = CompareJson(result.compare);
  json["kind"] = kRowsKind;
  boost::json::object promises;
  for (const Promise& promise : result.promises) {
    promises[promise.name] = {
        {"value", promise.value}, {promise.at_most ? "at_most" : "at_least", promise.bound}, {"kept", promise.kept()}};
  }
  json["promises"] = std::move(promises);
  json["not_measured"] = boost::json::array(result.not_measured.begin(), result.not_measured.end());
  json["notes"] = boost::json::array(result.notes.begin(), result.notes.end());
  return json;
}

}  // namespace waystation::bench
