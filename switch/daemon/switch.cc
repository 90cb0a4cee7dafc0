#include "switch/daemon/switch.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "adapters/alarm.h"
#include "adapters/registry.h"
#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "storage/snapshot.h"
#include "switch/core/limits.h"
#include "switch/core/log.h"
#include "switch/core/service_hours.h"
#include "switch/daemon/configuration.h"
#include "switch/rpc/account_service.h"
#include "switch/rpc/admin_service.h"
#include "switch/rpc/exception_service.h"
#include "switch/rpc/journal_service.h"
#include "switch/rpc/operations_service.h"
#include "switch/rpc/payment_service.h"

namespace waystation::daemon {

using core::Log;
using core::LogLevel;

namespace {

constexpr std::string_view kComponent = "switchd";

constexpr uint64_t kMegabyte = 1 << 20;
// What opening a ledger takes of the disk beside what is in RocksDB's log: a new log, a manifest, options.
constexpr uint64_t kRoomBesideLog = 8 * kMegabyte;

core::BusinessDate FirstBusinessDate(const config::v1::Config& config, const core::Clock& clock) {
  if (!config.first_business_date().empty()) return *core::BusinessDate::Parse(config.first_business_date());
  return core::BusinessDate::FromDays(std::chrono::floor<std::chrono::days>(clock.Now() + core::kChinaOffset));
}

absl::Status CannotRecover(const DataFolder& folder, const absl::Status& cause) {
  const std::string fault =
      fmt::format("the ledger in {} can't be recovered: {}", folder.ledger_path(), std::string(cause.message()));
  if (absl::IsUnavailable(cause)) {
    return absl::UnavailableError(
        fmt::format("{}. No leg was changed, and nothing is known to be damaged: look at the kernel's log (dmesg) for "
                    "errors of the disk that {} is on, mend that, then start switchd again",
                    fault, folder.path()));
  }
  return absl::Status(
      cause.code(),
      fmt::format(
          "{}. No leg was changed. Keep a copy of {} as it is (RocksDB's log from before this start is in {}, if "
          "there was one), run switchctl journal verify --data {}, and do what it says; restore the newest "
          "backup where legs are missing or damaged. Only to go on without legs that are lost for good, or "
          "where it can't be told whether any are: switchctl journal accept-end --data {} --last-seq N",
          fault, folder.path(), folder.kept_log_path(), folder.path(), folder.path()));
}

// Whether a batch whose commit failed is on disk is not known, and RocksDB 7.8 can't be trusted to go on: the process
// ends, and the next start reads what is there.
// How long a connection may be silent before its other end is asked whether it is there, and may take to say so.
constexpr int kKeepAliveMs = 60'000;
constexpr int kKeepAliveTimeoutMs = 20'000;

[[noreturn]] void StopOnFailedWrite(const AsyncLog* log, const std::string& data_folder, const std::string& cause) {
  const std::string text = fmt::format(
      "{}. Stopping: answers that were given are safe in {}, those in progress will be found out after a "
      "restart. Check its disk (space, errors), then start switchd again",
      cause, data_folder);
  Log(LogLevel::kCritical, kComponent, text);
  core::FlushLog();
  // A log in a file may lie on that very disk.
  if (log != nullptr && log->file() != STDERR_FILENO) fmt::print(stderr, "switchd: {}\n", text);
  std::_Exit(EXIT_FAILURE);
}

flow::LaneOptions LaneOptionsFor(const config::v1::Biller& biller) {
  const config::v1::Breaker& breaker = biller.breaker();
  return {.breaker = {.consecutive_failures = breaker.consecutive_failures(),
                      .failure_percent = breaker.failure_percent(),
                      .least_requests = breaker.least_requests(),
                      .window = std::chrono::seconds(breaker.window_s()),
                      .probe_after = std::chrono::milliseconds(breaker.probe_after_ms()),
                      .longest_probe_interval = std::chrono::milliseconds(breaker.longest_probe_interval_ms())},
          .on_news = [id = biller.id()](bool is_out, const std::string& news) {
            Log(is_out ? LogLevel::kError : LogLevel::kInfo, "lane", fmt::format("biller {}: {}", id, news),
                {{"biller", id}});
          }};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Switch>> Switch::Start(const config::v1::Config& config, const AsyncLog* log) {
  absl::StatusOr<DataFolder> folder = DataFolder::Open(config.storage().data_dir());
  if (!folder.ok()) return folder.status();
  std::unique_ptr<Switch> self(new Switch(*std::move(folder), config, log));
  if (absl::Status status = self->CheckRestored(); !status.ok()) return status;
  if (absl::Status status = self->LookAtDisk(); !status.ok()) return status;
  if (absl::Status status = self->OpenLedger(); !status.ok()) return status;
  if (absl::Status status = self->AddBillers(); !status.ok()) return status;
  if (absl::Status status = self->StartWorkers(); !status.ok()) return status;
  if (absl::Status status = self->ServeMetrics(); !status.ok()) return status;
  if (absl::Status status = self->Listen(); !status.ok()) return status;
  return self;
}

Switch::Switch(DataFolder folder, const config::v1::Config& config, const AsyncLog* log)
    : config_(config),
      process_log_(log),
      folder_(std::move(folder)),
      high_water_(folder_.high_water_path()),
      mark_keeper_(&high_water_, core::kHighWaterInterval,
                   [this](const std::string& cause) { StopOnFailedWrite(process_log_, folder_.path(), cause); }) {}

Switch::~Switch() {
  Stop();
}

// A restored ledger lacks what was answered after its backup, and the switch that answered may be alive: until a person
// says that it is not, two switches must not spend the same accounts.
absl::Status Switch::CheckRestored() {
  absl::StatusOr<std::optional<storage::RestoredMarker>> marker =
      storage::ReadRestoredMarker(config_.storage().data_dir());
  if (!marker.ok()) return marker.status();
  restored_ = *std::move(marker);
  if (!restored_.has_value()) return absl::OkStatus();
  if (!restored_->complete) {
    return absl::FailedPreconditionError(fmt::format(
        "storage.data_dir: {} has a restore in it that did not come to its end, of backup {}; expected a whole ledger. "
        "Empty the folder, and run `switchctl backup restore` again",
        config_.storage().data_dir(), restored_->backup_id));
  }
  admission_.SetRestored(true);
  Log(LogLevel::kError, kComponent,
      fmt::format("{} and ends at leg {}: only reads are answered and nothing is sent, until `switchctl backup "
                  "confirm-old-switch-dead` says that no other switch works on these accounts",
                  restored_->backup_id == 0
                      ? "the end of this ledger was given up (switchctl journal accept-end), it"
                      : fmt::format("this ledger was restored from backup {}", restored_->backup_id),
                  restored_->last_sequence),
      {{"last_sequence", restored_->last_sequence}});
  return absl::OkStatus();
}

// Before the ledger is opened, so that on a full disk it finds the room that the ballast gives back.
absl::Status Switch::LookAtDisk() {
  const config::v1::Storage& wanted = config_.storage();
  disk_ = std::make_unique<DataDisk>(wanted.data_dir());
  const DiskLimits limits{.low_below = wanted.low_disk_mb() * kMegabyte,
                          .enough_from = wanted.enough_disk_mb() * kMegabyte,
                          .ballast = wanted.ballast_mb() * kMegabyte};
  disk_watch_ = std::make_unique<DiskWatch>(disk_.get(), limits, [this](bool low) { OnDiskChanged(low); });
  uint64_t free = disk_watch_->Look().free_bytes;
  // RocksDB 7.8 does not take a full disk for an error there, it aborts.
  const uint64_t needed = storage::RocksCommitLog::LogBytes(folder_.ledger_path()) + kRoomBesideLog;
  if (free < needed && disk_->ReleaseBallast().ok()) free = disk_->FreeBytes().value_or(free);
  if (free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(fmt::format(
      "storage.data_dir: the disk of {} has {} MB free, the ballast given back; expected {} MB at least, to "
      "open the ledger. Free disk space, or make the disk larger, then start switchd again; nothing is lost",
      folder_.path(), free / kMegabyte, needed / kMegabyte + 1));
}

void Switch::OnDiskChanged(bool low) {
  admission_.SetLowDisk(low);
  if (log_ == nullptr) return;
  if (absl::Status set = log_->SetCompacting(!low); !set.ok()) {
    Log(LogLevel::kWarn, kComponent,
        fmt::format("the ledger's files are {} merged: {}", low ? "still" : "not yet", std::string(set.message())));
  }
}

absl::Status Switch::OpenLedger() {
  const auto started = std::chrono::steady_clock::now();
  // Read before the journal is opened, kept apart from it.
  const absl::StatusOr<std::optional<storage::HighWaterMark>> mark = high_water_.Read();
  if (!mark.ok()) return CannotRecover(folder_, mark.status());
  if (absl::Status kept = storage::RocksCommitLog::KeepLog(folder_.ledger_path(), folder_.kept_log_path());
      !kept.ok()) {
    Log(LogLevel::kWarn, kComponent, fmt::format("{}; the start goes on without a copy", std::string(kept.message())));
  }
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log = storage::RocksCommitLog::Open(folder_.ledger_path());
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  if (disk_watch_->state().low) OnDiskChanged(true);
  index_ = std::make_unique<storage::Index>(log_.get(), log_.get());
  ledger_ = std::make_unique<core::Ledger>(FirstBusinessDate(config_, clock_));
  absl::StatusOr<storage::Recovered> recovered = storage::Recover(*log_, *log_, ledger_.get());
  if (!recovered.ok()) return CannotRecover(folder_, recovered.status());
  const absl::Status held = storage::HoldToHighWater(&high_water_, *log_, recovered->position, *mark);
  if (!held.ok()) return CannotRecover(folder_, held);
  NoteHighWaterAtStart(*mark, recovered->position);
  folder_.DropKeptLog();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
  Log(LogLevel::kInfo, kComponent,
      fmt::format("recovered: snapshot at leg {}, replayed {} legs to {}, business date {}, {} open payments, {} ms",
                  recovered->snapshot_sequence, recovered->legs_replayed, recovered->position.last_sequence,
                  ledger_->business_day().date.ToString(), ledger_->payments_in_memory(), took.count()),
      {{"last_sequence", recovered->position.last_sequence},
       {"legs_replayed", recovered->legs_replayed},
       {"open_payments", ledger_->payments_in_memory()},
       {"took_ms", took.count()}});
  sequencer_ = std::make_unique<storage::Sequencer>(
      recovered->position, ledger_.get(), log_.get(), index_.get(), &clock_, &watchers_,
      storage::Sequencer::Options{
          std::chrono::milliseconds(config_.storage().snapshot_interval_ms()),
          [this](const std::string& cause) { StopOnFailedWrite(process_log_, folder_.path(), cause); },
          recovered->snapshot_sequence, [this](const storage::ChainPosition& end) { mark_keeper_.Note(end); }});
  mark_keeper_.Start();
  return absl::OkStatus();
}

void Switch::WatchDisk() {
  disk_watch_->Look();
}

void Switch::NoteHighWaterAtStart(const std::optional<storage::HighWaterMark>& mark,
                                  const storage::ChainPosition& end) {
  if (!mark.has_value() && end.last_sequence > 0) {
    Log(LogLevel::kWarn, kComponent,
        fmt::format("{} was not there, as with ledgers from before it was kept: whether legs after {} were lost can't "
                    "be told. It is made now",
                    folder_.high_water_path(), end.last_sequence));
  }
  if (mark.has_value() && mark->slot_damaged) {
    Log(LogLevel::kWarn, kComponent,
        fmt::format("{}: one of its two slots was damaged; the other, at leg {}, was used", folder_.high_water_path(),
                    mark->position.last_sequence));
  }
  // All that was recovered is durable: opening wrote it into tables.
  if (end.last_sequence > 0) mark_keeper_.Note(end);
}

absl::Status Switch::AddBillers() {
  adapters::SendAlarmsTo([](std::string_view biller, std::string_view text) {
    Log(LogLevel::kError, "alarm", fmt::format("alarm: the biller at {}: {}", biller, core::MaskNumbers(text)),
        {{"address", biller}});
  });
  for (const config::v1::Biller& biller : config_.billers()) {
    absl::StatusOr<std::unique_ptr<adapters::BillerAdapter>> adapter =
        adapters::Create(biller.adapter(), SettingsOf(biller), CardOverridesOf(biller));
    if (!adapter.ok()) return adapter.status();
    auto lane = std::make_unique<flow::BillerLane>(biller.id(), biller.name(), *std::move(adapter), &clock_,
                                                   LaneOptionsFor(biller));
    lane->ReportLateApprovalsTo(&late_approvals_.emplace_back(&backend_, biller.id()));
    router_.Add(std::move(lane));
  }
  patterns_ = std::make_unique<rpc::CustomerNumberPatterns>(router_);
  seal_ = std::make_unique<rpc::TokenSeal>(folder_.token_key());
  return absl::OkStatus();
}

absl::Status Switch::StartWorkers() {
  backend_.schedule = {.first_query_after = std::chrono::milliseconds(config_.resolver().first_query_after_ms()),
                       .longest_interval = std::chrono::milliseconds(config_.resolver().longest_interval_ms()),
                       .review_after = std::chrono::milliseconds(config_.resolver().review_after_ms())};
  for (uint32_t i = 0; i < config_.workers().threads(); ++i) {
    auto worker = std::make_unique<flow::Worker>(&clock_, fmt::format("worker {}", i));
    auto flow = std::make_unique<flow::PaymentFlow>(worker.get(), sequencer_.get(), &router_, backend_.schedule,
                                                    config_.workers().max_in_progress());
    backend_.flows.push_back(flow.get());
    lanes_.push_back({std::move(worker), std::move(flow)});
  }
  backend_.sequencer = sequencer_.get();
  backend_.index = index_.get();
  backend_.router = &router_;
  backend_.reader = &reader_;
  backend_.watchers = &watchers_;
  feed_ = std::make_unique<rpc::JournalFeed>(sequencer_.get(), log_.get(), &feeder_);
  backend_.feed = feed_.get();
  backend_.pay_streams = &pay_streams_;
  backend_.seal = seal_.get();
  backend_.patterns = patterns_.get();
  backend_.clock = &clock_;
  backend_.admission = &admission_;
  backend_.calls = &calls_;
  backend_.started_at = clock_.Now();
  backend_.started = clock_.Steady();

  ledger_->ForEachOpen([this](const core::Payment& payment) {
    if (flow::HasSettled(payment.state)) return;
    if (router_.Find(payment.biller_id) == nullptr) {
      Log(LogLevel::kError, kComponent,
          fmt::format("payment {} is open and its biller {} is not in the configuration: it can't be asked, and goes "
                      "to REVIEW in time; put the biller's stanza back",
                      payment.id.ToString(), payment.biller_id),
          {{"payment_id", payment.id.ToString()},
           {"station_id", payment.station.ToString()},
           {"biller", payment.biller_id}});
    }
    open_at_start_.push_back(payment);
  });
  sequencer_->Start();
  reader_.Start();
  feeder_.Start();
  for (Lane& lane : lanes_) lane.worker->Start();
  if (!restored_.has_value()) BeginWork();
  return absl::OkStatus();
}

// What writes legs of itself: not while another switch may be alive.
void Switch::BeginWork() {
  for (const auto& [biller_id, lane] : router_.lanes()) {
    core::Command command = core::RegisterBiller{biller_id};
    storage::Ticket ticket{
        .command = std::move(command), .port = lanes_.front().worker.get(), .on_reply = {}, .reply = {}};
    std::atomic<bool> done{false};
    ticket.on_reply = [&done] {
      done = true;
      done.notify_one();
    };
    sequencer_->Submit(&ticket);
    done.wait(false);
  }
  for (core::Payment& payment : std::exchange(open_at_start_, {})) {
    Lane& lane = lanes_[payment.station.number() % lanes_.size()];
    lane.worker->Post([&lane, payment = std::move(payment)]() mutable { lane.flow->Adopt(std::move(payment)); });
  }
  // Last: a late approval may settle a payment that the resolver has by now.
  for (LateApprovalPost& post : late_approvals_) post.Open();
}

absl::Status Switch::ServeMetrics() {
  if (!config_.has_metrics()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<MetricsEndpoint>> endpoint =
      MetricsEndpoint::Listen(config_.metrics().address(), {&backend_, log_.get(), disk_watch_.get()});
  if (!endpoint.ok()) return endpoint.status();
  metrics_ = *std::move(endpoint);
  return absl::OkStatus();
}

absl::Status Switch::Listen() {
  operations_ = std::make_unique<Operations>(config_.storage(), log_.get(), disk_watch_.get(), process_log_,
                                             &admission_, &clock_, restored_, [this] { BeginWork(); });
  services_.push_back(rpc::MakePaymentService(backend_));
  services_.push_back(rpc::MakeAccountService(backend_));
  services_.push_back(rpc::MakeAdminService(backend_));
  services_.push_back(rpc::MakeExceptionService(backend_));
  services_.push_back(rpc::MakeJournalService(backend_));
  services_.push_back(rpc::MakeOperationsService(backend_, operations_.get()));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  // The configuration refuses plain text off loopback unless told so in so many words.
  builder.AddListeningPort(config_.listen().address(), grpc::InsecureServerCredentials(), &port);
  // Without this a second switchd would share the port, and get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A caller that is gone without a word would keep its streams open for hours.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.SetMaxReceiveMessageSize(static_cast<int>(core::kMaxRequestMessageBytes));
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  const std::string& wanted = config_.listen().address();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(fmt::format(
        "listen.address: {} can't be listened on; another program may have the port (ss -ltnp shows which), "
        "or the address is not of this machine",
        wanted));
  }
  address_ = fmt::format("{}:{}", wanted.substr(0, wanted.rfind(':')), port);
  return absl::OkStatus();
}

size_t Switch::InProgress() const {
  size_t count = 0;
  for (const Lane& lane : lanes_) count += lane.flow->in_progress();
  return count;
}

void Switch::Stop() {
  if (std::exchange(stopped_, true)) return;
  admission_.SetDraining();
  if (operations_ != nullptr) operations_->Stop();
  if (server_ != nullptr) {
    if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(false);
    feed_->Drain();
    pay_streams_.Drain();
    const auto began = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(core::kRefuseAtLeast);
    while (InProgress() > 0 && std::chrono::steady_clock::now() < began + core::kDrainLimit) {
      WatchDisk();
      std::this_thread::sleep_for(core::kDrainPoll);
    }
    if (const size_t left = InProgress(); left > 0) {
      Log(LogLevel::kWarn, kComponent,
          fmt::format("{} requests are still in progress; their callers are told the state reached, and the resolver "
                      "takes them up at the next start",
                      left),
          {{"in_progress", left}});
    }
    for (Lane& lane : lanes_) lane.worker->Post([&lane] { lane.flow->AnswerWaiting(); });
    watchers_.Drain();
    server_->Shutdown(std::chrono::system_clock::now() + core::kShutdownLimit);
  }
  metrics_.reset();
  // From here on nothing submits to the sequencer; what it still has is decided and made durable.
  for (Lane& lane : lanes_) lane.worker->Stop();
  for (LateApprovalPost& post : late_approvals_) post.Close();
  reader_.Stop();
  feeder_.Stop();
  if (sequencer_ != nullptr) sequencer_->Stop();
  mark_keeper_.Stop();
  const uint64_t last = ledger_ == nullptr ? 0 : ledger_->last_sequence();
  Log(LogLevel::kInfo, kComponent, fmt::format("stopped at leg {}", last), {{"last_sequence", last}});
}

}  // namespace waystation::daemon
