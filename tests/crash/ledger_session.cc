#include "tests/crash/ledger_session.h"

#include <deque>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "storage/block.h"
#include "switch/core/check.h"
#include "tests/storage/patience.h"
#include "tests/storage/running_ledger.h"

namespace waystation::crash {
namespace {

// Shorter than switchd's, so that the mark is never far behind.
constexpr std::chrono::milliseconds kMarkInterval{2};

// One block behind what it says. See LedgerSession::Options::answers_before_commit.
class LateCommitLog final : public storage::CommitLog {
 public:
  explicit LateCommitLog(storage::CommitLog* under) : under_(under) {}

  void Append(const storage::SealedBlock* block, const storage::RowBatch& rows, Done done) override {
    if (waiting_) under_->Append(has_block_ ? &block_ : nullptr, rows_, [](const storage::CommitResult&) {});
    waiting_ = true;
    has_block_ = block != nullptr;
    if (has_block_) block_ = *block;
    rows_ = rows;
    done({storage::CommitOutcome::kDurable, ""});
  }
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override {
    return under_->ReadBlocks(from_sequence, visit);
  }

 private:
  storage::CommitLog* const under_;
  bool waiting_ = false;
  bool has_block_ = false;
  storage::SealedBlock block_;
  storage::RowBatch rows_;
};

absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> OpenLog(const LedgerSession::Options& options) {
  return storage::RocksCommitLog::Open(
      options.folder, {.file_system = options.files, .journal_memtable_bytes = options.journal_memtable_bytes});
}

absl::Status CheckRequestIds(const storage::CommitLog& log) {
  std::set<std::string> seen;
  absl::Status status;
  const absl::Status read = log.ReadBlocks(0, [&](uint64_t, std::string_view bytes) {
    const absl::StatusOr<storage::OpenedBlock> block = storage::OpenBlock(bytes);
    if (!block.ok()) status = block.status();
    if (!status.ok()) return false;
    for (const core::Leg& leg : block->legs) {
      std::string key;
      if (const auto* paid = std::get_if<core::PaymentAccepted>(&leg.fact)) {
        key = core::RequestKey(paid->station, paid->request_id);
      } else if (const auto* bought = std::get_if<core::CounterPurchased>(&leg.fact)) {
        key = core::RequestKey(bought->station, bought->request_id);
      }
      if (key.empty() || seen.insert(key).second) continue;
      status = absl::DataLossError(fmt::format("leg {}: its request was accepted before", leg.sequence));
    }
    return status.ok();
  });
  return status.ok() ? read : status;
}

}  // namespace

// Waits until all replies are there, or none can come any more.
class LedgerSession::Port final : public storage::ReplyPort {
 public:
  void Deliver(std::vector<storage::Ticket*> tickets) override {
    const std::lock_guard lock(mutex_);
    for (storage::Ticket* ticket : tickets) ticket->on_reply();
    left_ -= tickets.size();
    changed_.notify_all();
  }
  void Fail(const std::string& cause) {
    const std::lock_guard lock(mutex_);
    if (fatal_.empty()) fatal_ = cause;
    changed_.notify_all();
  }
  void Expect(size_t replies) {
    const std::lock_guard lock(mutex_);
    left_ = replies;
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, storage::kPatience, [&] { return left_ == 0 || !fatal_.empty(); });
    WS_CHECK(came, fmt::format("{} replies did not come, and no commit failed", left_));
  }
  std::string fatal() const {
    const std::lock_guard lock(mutex_);
    return fatal_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  size_t left_ = 0;    // guarded by mutex_
  std::string fatal_;  // guarded by mutex_
};

LedgerSession::LedgerSession() : port_(std::make_unique<Port>()) {}

LedgerSession::~LedgerSession() {
  Stop();
}

absl::StatusOr<std::unique_ptr<LedgerSession>> LedgerSession::Start(const Options& options, const core::Clock* clock) {
  std::unique_ptr<LedgerSession> session(new LedgerSession());
  if (absl::Status status = session->Open(options, clock); !status.ok()) return status;
  session->sequencer_->Start();
  return session;
}

absl::StatusOr<storage::Recovered> LedgerSession::RecoverTo(storage::HighWater* high_water,
                                                            const std::optional<storage::HighWaterMark>& mark) {
  absl::StatusOr<storage::Recovered> recovered = storage::Recover(*log_, *log_, ledger_.get());
  if (!recovered.ok() || high_water == nullptr) return recovered;
  const absl::Status held = storage::HoldToHighWater(high_water, *log_, recovered->position, mark);
  if (!held.ok()) return held;
  mark_keeper_ = std::make_unique<storage::HighWaterKeeper>(high_water, kMarkInterval,
                                                            [this](const std::string& cause) { port_->Fail(cause); });
  if (recovered->position.last_sequence > 0) mark_keeper_->Note(recovered->position);
  mark_keeper_->Start();
  return recovered;
}

absl::Status LedgerSession::Open(const Options& options, const core::Clock* clock) {
  absl::StatusOr<std::optional<storage::HighWaterMark>> mark = std::nullopt;
  if (options.high_water != nullptr) mark = options.high_water->Read();
  if (!mark.ok()) return mark.status();
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log = OpenLog(options);
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  if (options.answers_before_commit) late_ = std::make_unique<LateCommitLog>(log_.get());
  index_ = std::make_unique<storage::Index>(log_.get(), log_.get());
  ledger_ = std::make_unique<core::Ledger>(storage::ShopDate());
  absl::StatusOr<storage::Recovered> recovered = RecoverTo(options.high_water, *mark);
  if (!recovered.ok()) return recovered.status();
  storage::Sequencer::Options to_run{.snapshot_interval = options.snapshot_interval,
                                     .on_fatal = [this](const std::string& cause) { port_->Fail(cause); },
                                     .snapshot_sequence = recovered->snapshot_sequence};
  if (mark_keeper_ != nullptr) {
    to_run.on_durable = [this](const storage::ChainPosition& end) { mark_keeper_->Note(end); };
  }
  sequencer_ = std::make_unique<storage::Sequencer>(recovered->position, ledger_.get(),
                                                    late_ != nullptr ? late_.get() : log_.get(), index_.get(), clock,
                                                    nullptr, std::move(to_run));
  return absl::OkStatus();
}

std::vector<std::optional<core::Reply>> LedgerSession::Do(std::vector<core::Command> commands) {
  std::vector<std::optional<core::Reply>> replies(commands.size());
  if (!goes_on()) return replies;
  std::deque<storage::Ticket> tickets;
  port_->Expect(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    storage::Ticket& ticket = tickets.emplace_back();
    ticket.command = std::move(commands[i]);
    ticket.port = port_.get();
    // Under the port's mutex; where no reply comes, the slot stays null.
    ticket.on_reply = [&replies, &ticket, i] { replies[i] = std::move(ticket.reply); };
  }
  for (storage::Ticket& ticket : tickets) sequencer_->Submit(&ticket);
  port_->Wait();
  // After a failure the sequencer may still look at the tickets.
  if (!goes_on()) sequencer_->Stop();
  return replies;
}

void LedgerSession::Stop() {
  if (sequencer_ != nullptr) sequencer_->Stop();
  if (mark_keeper_ != nullptr) mark_keeper_->Stop();
}

std::string LedgerSession::fatal() const {
  return port_->fatal();
}

absl::Status CheckStore(const LedgerSession::Options& options) {
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log = OpenLog(options);
  if (!log.ok()) return log.status();
  core::Ledger ledger(storage::ShopDate());
  absl::StatusOr<storage::Recovered> recovered = storage::Recover(**log, **log, &ledger);
  if (!recovered.ok()) return recovered.status();
  if (ledger.SumOfBalances() != core::Money()) {
    return absl::DataLossError(fmt::format("the sum over all accounts is {} fen", ledger.SumOfBalances().fen()));
  }
  absl::StatusOr<storage::VerifyReport> report = storage::Verify(**log, **log);
  if (!report.ok()) return report.status();
  if (!report->clean()) {
    return absl::DataLossError(fmt::format("verify: {} faults; {}", report->fault_count, report->faults.front()));
  }
  return CheckRequestIds(**log);
}

}  // namespace waystation::crash
