#include "switch/daemon/metrics.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "switch/core/payment.h"
#include "switch/daemon/process_figures.h"
#include "switch/rpc/call_tally.h"
#include "switch/rpc/statistics.h"

namespace waystation::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using v1::Statistics;

// Which of the histogram's bounds are shown: 32 us and more of times, up to 256 of legs. What is smaller or larger is
// counted in the next bucket.
constexpr uint64_t kLeastTimeShown = 32;
constexpr uint64_t kMostLegsShown = 256;
constexpr double kMicrosecond = 1e-6;

// By the position of OpenPayments.by_age.
constexpr std::array<const char*, 5> kAges = {"1m", "10m", "1h", "1d", "older"};
static_assert(kAges.size() == storage::kAgeBounds.size() + 1);

// The families, in the order in which they are begun.
class Families {
 public:
  Families& Counter(const char* name, const char* help) { return Begin(name, help, MetricType::Counter); }
  Families& Gauge(const char* name, const char* help) { return Begin(name, help, MetricType::Gauge); }
  Families& Histogram(const char* name, const char* help) { return Begin(name, help, MetricType::Histogram); }

  // A value of the family that was begun last.
  Families& Add(double value, Labels labels = {}) {
    ClientMetric& metric = NewMetric(std::move(labels));
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    return *this;
  }
  Families& Add(uint64_t value, Labels labels = {}) { return Add(static_cast<double>(value), std::move(labels)); }

  // Of the bounds those from `least` to `most` are shown, each times `unit`.
  void AddHistogram(const Statistics& statistics, const v1::Histogram& counts, uint64_t least, uint64_t most,
                    double unit, Labels labels = {}) {
    ClientMetric::Histogram& histogram = NewMetric(std::move(labels)).histogram;
    uint64_t so_far = 0;
    for (int bucket = 0; bucket < counts.counts_size(); ++bucket) {
      so_far += counts.counts(bucket);
      if (bucket == statistics.bucket_bounds_size()) break;
      const uint64_t bound = statistics.bucket_bounds(bucket);
      if (bound >= least && bound <= most) histogram.bucket.push_back({so_far, static_cast<double>(bound) * unit});
    }
    histogram.sample_count = so_far;
    histogram.sample_sum = static_cast<double>(counts.sum()) * unit;
  }
  void AddTimes(const Statistics& statistics, const v1::Histogram& counts, Labels labels = {}) {
    AddHistogram(statistics, counts, kLeastTimeShown, UINT64_MAX, kMicrosecond, std::move(labels));
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  Families& Begin(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return *this;
  }
  ClientMetric& NewMetric(Labels labels) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<MetricFamily> families_;
};

std::string StateName(v1::PaymentState state) {
  return std::string(core::Name(static_cast<core::PaymentState>(state)));
}

void AddTraffic(const Statistics& statistics, Families* out) {
  out->Counter("waystation_calls_total", "Calls answered, by method and gRPC status; of PayStream each payment counts");
  for (const auto& call : statistics.calls()) {
    const std::string code(rpc::CodeName(static_cast<size_t>(call.code())));
    out->Add(call.count(), {{"method", call.method()}, {"code", code}});
  }
  out->Counter("waystation_payments_total", "Payments that came to a state; HELD counts the holds");
  for (const auto& payments : statistics.payments()) {
    out->Add(payments.count(), {{"state", StateName(payments.state())}});
  }
  // Also those that there were none of, so that the first is a step from 0.
  out->Counter("waystation_declines_total", "Payments that were declined, by reason");
  std::array<uint64_t, core::kLastDeclineReason + 1> declines{};
  for (const auto& decline : statistics.declines()) declines[static_cast<size_t>(decline.reason())] = decline.count();
  for (size_t reason = 1; reason < declines.size(); ++reason) {
    out->Add(declines[reason], {{"reason", std::string(core::Name(static_cast<core::DeclineReason>(reason)))}});
  }
  out->Gauge("waystation_in_progress", "Payments, cancels and inquiries that the switch has in hand")
      .Add(statistics.in_progress());
}

void AddLatency(const Statistics& statistics, Families* out) {
  static constexpr std::array<const char*, 4> kStages = {"queue", "commit", "biller", "total"};
  static_assert(kStages.size() == v1::PaymentStage_ARRAYSIZE - 1);
  out->Histogram("waystation_payment_stage_seconds",
                 "Where orders to pay spend their time; commit counts the hold and the outcome");
  for (const auto& stage : statistics.stages()) {
    out->AddTimes(statistics, stage.us(), {{"stage", kStages[static_cast<size_t>(stage.stage()) - 1]}});
  }
  out->Histogram("waystation_commit_seconds", "Each commit, until it was found durable");
  out->AddTimes(statistics, statistics.commit_us());
  out->Histogram("waystation_block_legs", "Legs of each block: how many commands share a commit");
  out->AddHistogram(statistics, statistics.block_legs(), 1, kMostLegsShown, 1);
}

template <typename Add>
void ForEachLane(const Statistics& statistics, Add add) {
  for (const v1::LaneStatistics& lane : statistics.lanes()) add(lane, Labels{{"biller", lane.biller_id()}});
}

Labels With(Labels labels, const char* name, std::string value) {
  labels.push_back({name, std::move(value)});
  return labels;
}

void AddBillers(const Statistics& statistics, Families* out) {
  using Lane = v1::LaneStatistics;
  out->Counter("waystation_biller_requests_total", "What became of stations' requests to a biller");
  ForEachLane(statistics, [&](const Lane& lane, const Labels& labels) {
    const v1::LaneTotals& totals = lane.totals();
    out->Add(totals.approved(), With(labels, "outcome", "approved"));
    out->Add(totals.declined(), With(labels, "outcome", "declined"));
    out->Add(totals.not_sent(), With(labels, "outcome", "not_sent"));
    out->Add(totals.unknown(), With(labels, "outcome", "unknown"));
    out->Add(totals.refused(), With(labels, "outcome", "refused"));
  });
  out->Histogram("waystation_biller_answer_seconds", "How long a biller takes to answer what stations ask");
  ForEachLane(statistics, [&](const Lane& lane, const Labels& labels) {
    out->AddTimes(statistics, lane.inquiry_us(), With(labels, "kind", "inquiry"));
    out->AddTimes(statistics, lane.payment_us(), With(labels, "kind", "payment"));
  });
  out->Gauge("waystation_biller_in_flight", "Requests that are with a biller: of stations, or of the resolver");
  ForEachLane(statistics, [&](const Lane& lane, const Labels& labels) {
    out->Add(uint64_t{lane.lane().in_flight()}, With(labels, "of", "stations"));
    out->Add(uint64_t{lane.lane().resolving()}, With(labels, "of", "resolver"));
  });
  out->Gauge("waystation_biller_waiting", "Requests of stations that wait for a place with a biller");
  ForEachLane(statistics,
              [&](const Lane& lane, Labels labels) { out->Add(uint64_t{lane.lane().waiting()}, std::move(labels)); });
  out->Gauge("waystation_biller_overdue", "Requests given up after their deadline that have not ended yet");
  ForEachLane(statistics,
              [&](const Lane& lane, Labels labels) { out->Add(uint64_t{lane.lane().overdue()}, std::move(labels)); });
  out->Gauge("waystation_biller_breaker", "1 for the state that a biller's circuit breaker is in");
  ForEachLane(statistics, [&](const Lane& lane, const Labels& labels) {
    const auto is = [&lane](v1::BreakerState state) { return lane.lane().breaker() == state ? 1.0 : 0.0; };
    out->Add(is(v1::BREAKER_STATE_CLOSED), With(labels, "state", "closed"));
    out->Add(is(v1::BREAKER_STATE_OPEN), With(labels, "state", "open"));
    out->Add(is(v1::BREAKER_STATE_HALF_OPEN), With(labels, "state", "half_open"));
  });
  out->Gauge("waystation_biller_in_service", "1 where new requests to a biller are not declined for its sake");
  ForEachLane(statistics, [&](const Lane& lane, Labels labels) {
    out->Add(lane.lane().out_of_service().empty() ? 1.0 : 0.0, std::move(labels));
  });
}

void AddOpenPayments(const Statistics& statistics, core::TimePoint now, Families* out) {
  out->Gauge(
      "waystation_open_payments",
      "Payments whose outcome is being found out or decided, by how long they have been in that state: up to age");
  for (const auto& open : statistics.open_payments()) {
    for (int age = 0; age < open.by_age_size(); ++age) {
      out->Add(
          open.by_age(age),
          {{"biller", open.biller_id()}, {"state", StateName(open.state())}, {"age", kAges[static_cast<size_t>(age)]}});
    }
  }
  out->Gauge("waystation_open_payments_oldest_seconds", "How long the oldest of them has been in its state");
  for (const auto& open : statistics.open_payments()) {
    const int64_t age_ms = open.oldest_since_ms() == 0 ? 0 : now.time_since_epoch().count() - open.oldest_since_ms();
    out->Add(static_cast<double>(age_ms) / 1e3, {{"biller", open.biller_id()}, {"state", StateName(open.state())}});
  }
}

void AddStore(const storage::StoreFigures& store, uint64_t last_sequence, Families* out) {
  out->Gauge("waystation_journal_last_sequence", "The last leg that is durable").Add(last_sequence);
  out->Gauge("waystation_table_bytes", "The ledger's tables, in files and in memory; journal is the journal");
  for (const auto& [table, bytes] : store.tables) out->Add(bytes, {{"table", table}});
  out->Gauge("waystation_rocksdb_wal_bytes", "RocksDB's log, which a start would replay").Add(store.wal_bytes);
  out->Gauge("waystation_rocksdb_write_stopped", "1 while RocksDB has stopped writes")
      .Add(store.write_stopped ? 1.0 : 0.0);
  out->Gauge("waystation_rocksdb_delayed_write_bytes_per_second", "What RocksDB slows writes down to; 0: it does not")
      .Add(store.delayed_write_rate);
  out->Counter("waystation_rocksdb_stall_seconds_total", "How long RocksDB has stopped or slowed down writes")
      .Add(static_cast<double>(store.stalled_us) * kMicrosecond);
  out->Gauge("waystation_rocksdb_running_flushes", "Flushes under way").Add(store.running_flushes);
  out->Gauge("waystation_rocksdb_running_compactions", "Compactions under way").Add(store.running_compactions);
  out->Gauge("waystation_rocksdb_pending_compaction_bytes", "What compactions have still to rewrite")
      .Add(store.pending_compaction_bytes);
  out->Gauge("waystation_rocksdb_immutable_memtables", "Memtables that are full and not flushed yet")
      .Add(store.immutable_memtables);
  out->Counter("waystation_rocksdb_background_errors_total", "Flushes and compactions that failed")
      .Add(store.background_errors);
}

void AddDisk(const DiskWatch& watch, bool takes_new_work, Families* out) {
  const DiskWatch::State disk = watch.state();
  out->Gauge("waystation_disk_free_bytes", "What the data folder's disk has free").Add(disk.free_bytes);
  out->Gauge("waystation_disk_low_below_bytes", "With less free new work is refused").Add(watch.limits().low_below);
  out->Gauge("waystation_disk_low", "1 while new work is refused since the disk is nearly full")
      .Add(disk.low ? 1.0 : 0.0);
  out->Gauge("waystation_disk_ballast_bytes", "Space kept back for outcomes; 0 while it is released")
      .Add(disk.ballast_bytes);
  out->Gauge("waystation_takes_new_work", "0 while new work is refused: stopping, restored and not confirmed, disk low")
      .Add(takes_new_work ? 1.0 : 0.0);
}

void AddProcess(const std::string& rocksdb_version, Families* out) {
  out->Gauge("waystation_build_info", "1; what switchd was built from")
      .Add(1.0, {{"version", WS_VERSION},
                 {"grpc", grpc::Version()},
                 {"rocksdb", rocksdb_version},
                 {"compiler", __VERSION__}});
  const ProcessFigures process = ReadProcessFigures();
  out->Counter("process_cpu_seconds_total", "CPU time of all threads").Add(process.cpu_seconds);
  out->Gauge("process_start_time_seconds", "When the process started, since 1970").Add(process.start_time_s);
  out->Gauge("process_resident_memory_bytes", "Memory that is resident").Add(process.resident_bytes);
  out->Gauge("process_virtual_memory_bytes", "Address space").Add(process.virtual_bytes);
  out->Gauge("process_threads", "Threads").Add(process.threads);
  out->Gauge("process_open_fds", "Open file descriptors").Add(process.open_files);
  out->Gauge("process_max_fds", "File descriptors that it may open").Add(process.most_files);
}

}  // namespace

std::vector<MetricFamily> CollectMetrics(const MetricsSources& sources) {
  const rpc::Backend& backend = *sources.backend;
  const Statistics statistics = rpc::ReadStatistics(backend);
  const storage::StoreFigures store = sources.log->Figures();
  Families out;
  AddTraffic(statistics, &out);
  AddLatency(statistics, &out);
  AddBillers(statistics, &out);
  AddOpenPayments(statistics, backend.clock->Now(), &out);
  AddStore(store, statistics.last_sequence(), &out);
  AddDisk(*sources.disk, backend.admission->CheckNewWork().ok(), &out);
  AddProcess(store.version, &out);
  return out.Take();
}

}  // namespace waystation::daemon
