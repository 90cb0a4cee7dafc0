#include "tests/storage/running_ledger.h"

#include <algorithm>
#include <future>
#include <utility>

#include "switch/core/check.h"
#include "tests/storage/patience.h"

namespace waystation::storage {
namespace {

const std::string kPastAllKeys(64, '\xff');

}  // namespace

void RecordingPort::Deliver(std::vector<Ticket*> tickets) {
  std::lock_guard lock(mutex_);
  delivered_.insert(delivered_.end(), tickets.begin(), tickets.end());
  ++deliveries_;
  changed_.notify_all();
}

void RecordingPort::WaitFor(const Ticket* ticket) {
  std::unique_lock lock(mutex_);
  // From the end: it is mostly the newest.
  const bool came = changed_.wait_for(
      lock, kPatience, [&] { return std::find(delivered_.rbegin(), delivered_.rend(), ticket) != delivered_.rend(); });
  WS_CHECK(came, "a reply did not come");
}

std::vector<Ticket*> RecordingPort::delivered() const {
  std::lock_guard lock(mutex_);
  return delivered_;
}

size_t RecordingPort::deliveries() const {
  std::lock_guard lock(mutex_);
  return deliveries_;
}

RunningLedger::RunningLedger(MemoryCommitLog* store, const core::Clock* clock, const Options& options)
    : ledger_(ShopDate()), index_(store, store) {
  absl::StatusOr<Recovered> recovered = Recover(*store, *store, &ledger_);
  WS_CHECK(recovered.ok(), std::string(recovered.status().message()));
  recovered_ = *recovered;
  sequencer_ = std::make_unique<Sequencer>(
      recovered_.position, &ledger_, options.log == nullptr ? store : options.log, &index_, clock, options.observer,
      Sequencer::Options{.snapshot_interval = options.snapshot_interval,
                         .on_fatal = [this](const std::string& cause) { OnFatal(cause); },
                         .snapshot_sequence = std::nullopt,
                         .on_durable = options.on_durable});
}

RunningLedger::~RunningLedger() {
  Stop();
}

void RunningLedger::Stop() {
  sequencer_->Stop();
}

Ticket* RunningLedger::Submit(core::Command command) {
  tickets_.push_back({.command = std::move(command), .port = &port_, .on_reply = {}, .reply = {}});
  sequencer_->Submit(&tickets_.back());
  return &tickets_.back();
}

Ticket* RunningLedger::TrySubmit(core::Command command) {
  tickets_.push_back({.command = std::move(command), .port = &port_, .on_reply = {}, .reply = {}});
  return sequencer_->TrySubmit(&tickets_.back()) ? &tickets_.back() : nullptr;
}

core::Reply RunningLedger::Do(core::Command command) {
  const Ticket* ticket = Submit(std::move(command));
  port_.WaitFor(ticket);
  return ticket->reply;
}

core::Payment RunningLedger::Pay(core::AcceptPayment command) {
  const core::Reply reply = Do(std::move(command));
  WS_CHECK(reply.status.ok(), std::string(reply.status.message()));
  return std::get<core::Payment>(reply.value);
}

void RunningLedger::OnFatal(const std::string& cause) {
  std::lock_guard lock(mutex_);
  WS_CHECK(fatal_.empty(), "on_fatal is called once");
  fatal_ = cause;
  changed_.notify_all();
}

std::string RunningLedger::WaitForFatal() {
  std::unique_lock lock(mutex_);
  WS_CHECK(changed_.wait_for(lock, kPatience, [&] { return !fatal_.empty(); }), "on_fatal was not called");
  return fatal_;
}

core::StationId ShopStation() {
  return core::StationId::FromNumber(440'106'000'017);
}

core::BusinessDate ShopDate() {
  return *core::BusinessDate::FromNumber(20261121);
}

std::vector<core::Command> ShopOpening() {
  using core::StationStatus;
  const core::StationId station = ShopStation();
  return {core::RegisterBiller{kShopBiller}, core::RegisterStation{station, "Corner shop", {}},
          core::SetStationStatus{station, StationStatus::kApproved, ""},
          core::SetStationStatus{station, StationStatus::kActive, ""},
          core::RecordCounterPurchase{station, "opening", core::Money::Fen(100'000), "clerk"}};
}

core::AcceptPayment ShopPayment(const std::string& request_id) {
  return {.station = ShopStation(),
          .operator_id = "0000000001",
          .request_id = request_id,
          .biller_id = kShopBiller,
          .customer_number = "13800000000",
          .customer_name = {},
          .amount = core::Money::Fen(5'000),
          .presented = std::nullopt};
}

core::RecordOutcome ShopOutcome(core::PaymentId id, core::PaymentEvent event) {
  core::RecordOutcome outcome;
  outcome.payment_id = id;
  outcome.event = event;
  return outcome;
}

void OpenShop(RunningLedger& running) {
  for (const core::Command& command : ShopOpening()) {
    const core::Reply reply = running.Do(command);
    WS_CHECK(reply.status.ok(), std::string(reply.status.message()));
  }
}

CommitResult AppendAndWait(CommitLog& log, const SealedBlock* block, const RowBatch& rows) {
  std::promise<CommitResult> result;
  std::future<CommitResult> future = result.get_future();
  log.Append(block, rows, [result = std::move(result)](CommitResult r) mutable { result.set_value(std::move(r)); });
  WS_CHECK(future.wait_for(kPatience) == std::future_status::ready, "the log did not answer");
  return future.get();
}

std::unique_ptr<MemoryCommitLog> CopyOf(const MemoryCommitLog& from) {
  auto copy = std::make_unique<MemoryCommitLog>();
  absl::Status status = from.ReadBlocks(0, [&](uint64_t first_sequence, std::string_view bytes) {
    const std::string block(bytes);
    copy->TamperBlock(first_sequence, &block);
    return true;
  });
  for (int table = 0; table < kTables && status.ok(); ++table) {
    status = from.Scan(static_cast<Table>(table), "", kPastAllKeys, [&](std::string_view key, std::string_view value) {
      const std::string row(value);
      copy->Tamper(static_cast<Table>(table), std::string(key), &row);
      return true;
    });
  }
  WS_CHECK(status.ok(), std::string(status.message()));
  return copy;
}

void DropTable(MemoryCommitLog& store, Table table) {
  for (const std::string& key : KeysOf(store, table)) store.Tamper(table, key, nullptr);
}

std::vector<std::string> KeysOf(const RowReader& rows, Table table) {
  std::vector<std::string> keys;
  const absl::Status status = rows.Scan(table, "", kPastAllKeys, [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  WS_CHECK(status.ok(), std::string(status.message()));
  return keys;
}

std::vector<OpenedBlock> BlocksOf(const CommitLog& log) {
  std::vector<OpenedBlock> blocks;
  ChainPosition position;
  const absl::Status status = log.ReadBlocks(0, [&](uint64_t, std::string_view bytes) {
    absl::StatusOr<OpenedBlock> block = OpenNextBlock(bytes, &position);
    WS_CHECK(block.ok(), std::string(block.status().message()));
    blocks.push_back(*std::move(block));
    return true;
  });
  WS_CHECK(status.ok(), std::string(status.message()));
  return blocks;
}

}  // namespace waystation::storage
