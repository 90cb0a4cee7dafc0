#include "storage/sequencer.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "fmt/format.h"
#include "storage/snapshot.h"
#include "switch/core/check.h"
#include "switch/core/limits.h"

namespace waystation::storage {
namespace {

template <typename T, typename... Ts>
constexpr bool kIsOneOf = (std::is_same_v<T, Ts> || ...);

bool OnlyReads(const core::Command& command) {
  return std::visit(
      []<typename T>(const T&) {
        return kIsOneOf<T, core::AdmitInquiry, core::ReadAccount, core::ReadPayment, core::ReadPaymentByRequest,
                        core::ReadOpenPayments, core::ReadUnsettled, core::ReadStations, core::ReadBillers,
                        core::ReadBusinessDay>;
      },
      command);
}

// The request that the command makes, which may have been made before; null where it makes none.
std::optional<core::RequestName> RequestOf(const core::Command& command) {
  if (const auto* accept = std::get_if<core::AcceptPayment>(&command)) {
    return core::RequestName{accept->station, accept->request_id};
  }
  if (const auto* purchase = std::get_if<core::RecordCounterPurchase>(&command)) {
    return core::RequestName{purchase->station, purchase->request_id};
  }
  return std::nullopt;
}

absl::Status CannotLookUp(const absl::Status& cause) {
  constexpr std::string_view kNotTaken = "what became of this request before can't be told, so it was not taken";
  const std::string what(cause.message());
  if (absl::IsUnavailable(cause)) {
    return absl::UnavailableError(fmt::format("{}: {}; send the same request again", kNotTaken, what));
  }
  return absl::DataLossError(
      fmt::format("{}: the index is damaged ({}); operations must stop switchd and run switchctl journal rebuild-index "
                  "--data its data folder",
                  kNotTaken, what));
}

}  // namespace

Sequencer::Sequencer(const ChainPosition& position, core::Ledger* ledger, CommitLog* log, const Index* index,
                     const core::Clock* clock, PaymentObserver* observer, Options options)
    : ledger_(ledger),
      log_(log),
      index_(index),
      clock_(clock),
      observer_(observer),
      options_(std::move(options)),
      durable_sequence_(position.last_sequence),
      position_(position),
      snapshot_sequence_(options_.snapshot_sequence.value_or(position.last_sequence)),
      snapshot_at_(clock->Steady()) {
  WS_CHECK(position.last_sequence == ledger->last_sequence(), "ledger and journal stand at different places");
  ledger->ForEachOpen([this](const core::Payment& payment) { tally_.open.Add(payment); });
}

Sequencer::~Sequencer() {
  WS_CHECK(!thread_.joinable(), "Stop comes before the end");
}

void Sequencer::Abandon() {
  // A ticket may live in the frame that its on_reply holds, so letting go of on_reply lets go of both.
  std::vector<Ticket*> unanswered(taken_.begin() + static_cast<std::ptrdiff_t>(next_), taken_.end());
  unanswered.insert(unanswered.end(), queue_.begin(), queue_.end());
  unanswered.insert(unanswered.end(), reads_.begin(), reads_.end());
  unanswered.insert(unanswered.end(), reads_taken_.begin(), reads_taken_.end());
  for (const PendingBlock& block : in_flight_) {
    unanswered.insert(unanswered.end(), block.reads.begin(), block.reads.end());
    unanswered.insert(unanswered.end(), block.tickets.begin(), block.tickets.end());
  }
  for (Ticket* ticket : unanswered) absl::AnyInvocable<void()> abandoned = std::move(ticket->on_reply);
}

void Sequencer::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "sequencer");
}

void Sequencer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Sequencer::TrySubmit(Ticket* ticket) {
  std::vector<Ticket*>& queue = OnlyReads(ticket->command) ? reads_ : queue_;
  std::unique_lock lock(mutex_);
  if (queue.size() >= core::kMaxSequencerQueue) return false;
  Enqueue(ticket, &queue, std::move(lock));
  return true;
}

void Sequencer::Submit(Ticket* ticket) {
  Enqueue(ticket, &queue_, std::unique_lock(mutex_));
}

void Sequencer::Enqueue(Ticket* ticket, std::vector<Ticket*>* queue, std::unique_lock<std::mutex> lock) {
  WS_CHECK(!stopping_, "a command was submitted after Stop");
  queue->push_back(ticket);
  // A thread that is at work looks at the queue by itself, and one that waits for room can do nothing with what is
  // no read: waking it would only cost.
  const bool wake = waits_ && (has_room_ || (takes_reads_ && queue == &reads_));
  if (wake) waits_ = false;
  lock.unlock();
  if (wake) wake_.notify_one();
}

void Sequencer::Run() {
  while (!failed_) {
    const Wake wake = WaitForWork();
    if (wake == Wake::kStop) return;
    Do(wake);
  }
}

bool Sequencer::RunReady() {
  for (bool did_something = false;; did_something = true) {
    if (failed_) return did_something;
    std::unique_lock lock(mutex_);
    const std::optional<Wake> wake = NextWork(&lock);
    lock.unlock();
    if (!wake.has_value() || *wake == Wake::kStop) return did_something;
    Do(*wake);
  }
}

void Sequencer::Do(Wake wake) {
  switch (wake) {
    case Wake::kWork:
      FinishDurable();
      if (!failed_) AnswerReads();
      if (!failed_ && next_ < taken_.size() && in_flight_.size() < core::kMaxBlocksInFlight) DecideBatch();
      return;
    case Wake::kSnapshot: AppendRows(); return;
    case Wake::kStop: return;
  }
}

std::optional<Sequencer::Wake> Sequencer::NextWork(std::unique_lock<std::mutex>* lock) {
  // Taken only when a block can be made of it: what comes meanwhile joins that block.
  const bool room = in_flight_.size() < core::kMaxBlocksInFlight;
  if (room && next_ == taken_.size()) {
    taken_.clear();
    next_ = 0;
    Gather(lock);
    taken_.swap(queue_);
  }
  if (!reads_.empty() && reads_held_ < core::kMaxReadsHeld) {
    const auto end = reads_.begin() + static_cast<std::ptrdiff_t>(std::min(reads_.size(), core::kMaxReadsAtATime));
    reads_taken_.assign(reads_.begin(), end);
    reads_.erase(reads_.begin(), end);
  }
  if (appended_ > 0 || !append_failure_.empty() || !reads_taken_.empty() || (next_ < taken_.size() && room)) {
    return Wake::kWork;
  }
  // While blocks are on their way, no snapshot is written by itself: the next result is what is waited for.
  if (!in_flight_.empty()) return std::nullopt;
  if (position_.last_sequence != snapshot_sequence_ && (stopping_ || SnapshotDue(clock_->Steady()))) {
    return Wake::kSnapshot;
  }
  if (stopping_) return Wake::kStop;
  return std::nullopt;
}

Sequencer::Wake Sequencer::WaitForWork() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (const std::optional<Wake> wake = NextWork(&lock); wake.has_value()) return *wake;
    waits_ = true;
    has_room_ = in_flight_.size() < core::kMaxBlocksInFlight;
    takes_reads_ = reads_held_ < core::kMaxReadsHeld;
    if (in_flight_.empty() && position_.last_sequence != snapshot_sequence_) {
      wake_.wait_until(lock, snapshot_at_ + options_.snapshot_interval);
    } else {
      wake_.wait(lock);
    }
    waits_ = false;
  }
}

void Sequencer::Gather(std::unique_lock<std::mutex>* lock) {
  // A commit costs the same for one command as for a hundred. Where other threads wait for a core, they are let run
  // first for as long as that brings more commands; where none does, yielding returns at once.
  for (size_t before = 0; queue_.size() > before && queue_.size() < core::kMaxCommandsPerBlock;) {
    before = queue_.size();
    lock->unlock();
    std::this_thread::yield();
    lock->lock();
  }
}

bool Sequencer::SnapshotDue(core::SteadyTime now) const {
  return position_.last_sequence != snapshot_sequence_ && now - snapshot_at_ >= options_.snapshot_interval;
}

void Sequencer::AnswerReads() {
  if (reads_taken_.empty()) return;
  const uint64_t durable = durable_sequence();
  std::vector<Ticket*> answered;
  for (Ticket* ticket : reads_taken_) {
    core::Reply& reply = ticket->reply;
    Decide(ticket, std::nullopt, core::BlockStamp(), nullptr);
    // The leg up to which it reflects the journal, once it leaves.
    uint64_t seen = durable;
    if (reply.rests_on <= durable) {
      answered.push_back(ticket);
    } else {
      const auto block =
          std::lower_bound(in_flight_.begin(), in_flight_.end(), reply.rests_on,
                           [](const PendingBlock& one, uint64_t sequence) { return one.end.last_sequence < sequence; });
      WS_CHECK(block != in_flight_.end(), "what a read saw is durable, or on its way to be");
      seen = block->end.last_sequence;
      block->reads.push_back(ticket);
      ++reads_held_;
    }
    reply.sequence = std::min(reply.sequence, seen);
  }
  reads_taken_.clear();
  Deliver(answered, &ReplyPort::DeliverReads);
}

void Sequencer::DecideBatch() {
  // Time never goes back in the journal, whatever the clock does.
  const core::BlockStamp stamp{std::max(clock_->Now(), position_.time), ledger_->business_day().date};
  builder_.Start(position_, stamp);
  rows_.Clear();
  PendingBlock pending;
  const size_t end = std::min(taken_.size(), next_ + core::kMaxCommandsPerBlock);
  pending.tickets.reserve(end - next_);
  std::vector<Found> found = LookUpRequests(end);
  const size_t begin = next_;
  // A day cut is the last leg of its block.
  while (next_ < end && !failed_ && ledger_->business_day().date == stamp.business_date) {
    Ticket* ticket = taken_[next_];
    // Its leg is the first of a block.
    if (!builder_.empty() && std::holds_alternative<core::ResumeJournal>(ticket->command)) break;
    Decide(ticket, std::move(found[next_++ - begin]), stamp, &pending);
    pending.tickets.push_back(ticket);
  }
  if (failed_) return;
  if (!builder_.empty()) {
    AppendBlock(std::move(pending));
  } else if (!in_flight_.empty()) {
    // Nothing new, but what was read may not be durable yet.
    auto& tickets = in_flight_.back().tickets;
    tickets.insert(tickets.end(), pending.tickets.begin(), pending.tickets.end());
  } else {
    Deliver(pending.tickets, &ReplyPort::Deliver);
  }
}

void Sequencer::Decide(Ticket* ticket, Found found, const core::BlockStamp& stamp, PendingBlock* pending) {
  const absl::StatusOr<core::Prior> prior = found.has_value() ? *std::move(found) : LookUp(ticket->command);
  if (!prior.ok()) {
    ticket->reply.status = CannotLookUp(prior.status());
    return;
  }
  core::Decision decision = ledger_->Decide(ticket->command, *prior);
  if (!decision.leg.has_value()) {
    ticket->reply = std::move(decision.reply);
    return;
  }
  const core::Leg& leg = *decision.leg;
  WS_CHECK(pending != nullptr, "what only reads makes no leg");
  const absl::Status applied = ledger_->Apply(leg, stamp);
  WS_CHECK(applied.ok(), std::string(applied.message()));
  builder_.Add(leg);
  AddIndexRows(leg, pending);
  ledger_->MakeReply(leg, &ticket->reply);
}

std::vector<Sequencer::Found> Sequencer::LookUpRequests(size_t end) const {
  std::vector<std::string> keys;
  std::vector<size_t> places;
  for (size_t i = next_; i < end; ++i) {
    const std::optional<core::RequestName> request = RequestOf(taken_[i]->command);
    if (!request.has_value() || ledger_->HasRequest(*request)) continue;
    keys.push_back(core::RequestKey(request->station, request->request_id));
    places.push_back(i - next_);
  }
  std::vector<Found> found(end - next_);
  if (keys.empty()) return found;
  std::vector<absl::StatusOr<core::Prior>> of_keys = index_->FindRequests(keys);
  for (size_t i = 0; i < keys.size(); ++i) found[places[i]] = std::move(of_keys[i]);
  return found;
}

absl::StatusOr<core::Prior> Sequencer::LookUp(const core::Command& command) const {
  // A request that was not looked up is in memory, where it stays until its block is durable.
  const std::optional<core::PaymentId> id = core::PaymentLookedUp(command);
  if (!id.has_value() || ledger_->FindPayment(*id) != nullptr) return std::monostate();
  absl::StatusOr<std::optional<core::Payment>> payment = index_->FindPayment(*id);
  if (!payment.ok()) return payment.status();
  if (!payment->has_value()) return std::monostate();
  return **std::move(payment);
}

void Sequencer::AddIndexRows(const core::Leg& leg, PendingBlock* pending) {
  const core::Payment* payment = AddRowsAfter(*ledger_, leg, &rows_);
  if (payment == nullptr) return;
  tally_.OnChanged(*payment);
  if (observer_ == nullptr) return;
  if (observer_->Wants(payment->station)) pending->changes.push_back(*payment);
}

void Sequencer::AppendBlock(PendingBlock pending) {
  builder_.Seal(&position_, &sealed_);
  pending.end = position_;
  pending.appended_at = clock_->Steady();
  tally_.block_legs.Add(sealed_.last_sequence - sealed_.first_sequence + 1);
  if (SnapshotDue(pending.appended_at)) {
    AddSnapshotRows(position_, ledger_, &rows_);
    snapshot_sequence_ = position_.last_sequence;
    snapshot_at_ = pending.appended_at;
    pending.appended_at = clock_->Steady();
  }
  in_flight_.push_back(std::move(pending));
  log_->Append(&sealed_, rows_, [this](const CommitResult& result) { OnAppended(result); });
  FinishDurable();
}

void Sequencer::AppendRows() {
  rows_.Clear();
  AddSnapshotRows(position_, ledger_, &rows_);
  snapshot_sequence_ = position_.last_sequence;
  snapshot_at_ = clock_->Steady();
  in_flight_.push_back({.end = position_, .appended_at = snapshot_at_, .tickets = {}, .reads = {}, .changes = {}});
  log_->Append(nullptr, rows_, [this](const CommitResult& result) { OnAppended(result); });
  FinishDurable();
}

void Sequencer::OnAppended(const CommitResult& result) {
  std::lock_guard lock(mutex_);
  // What comes after a failure is of a later block: it settles nothing about the one that failed.
  if (!append_failure_.empty()) return;
  switch (result.outcome) {
    case CommitOutcome::kDurable: ++appended_; break;
    case CommitOutcome::kConflict:
      append_failure_ = "another writer has taken over the journal: " + result.cause;
      break;
    case CommitOutcome::kUnknown: append_failure_ = "a commit failed: " + result.cause; break;
  }
  // Under the lock: the last result lets Stop return, and the sequencer may be gone right after.
  wake_.notify_one();
}

void Sequencer::FinishDurable() {
  size_t finished = 0;
  std::string failure;
  {
    std::lock_guard lock(mutex_);
    finished = std::exchange(appended_, 0);
    failure = append_failure_;
  }
  const core::SteadyTime now = finished > 0 ? clock_->Steady() : core::SteadyTime();
  for (; finished > 0; --finished) {
    PendingBlock block = std::move(in_flight_.front());
    in_flight_.pop_front();
    tally_.commit_us.AddTime(now - block.appended_at);
    durable_sequence_.store(block.end.last_sequence, std::memory_order_release);
    ledger_->ForgetAtRest(block.end.last_sequence);
    if (options_.on_durable) options_.on_durable(block.end);
    for (const core::Payment& payment : block.changes) observer_->OnChanged(payment);
    reads_held_ -= block.reads.size();
    Deliver(block.reads, &ReplyPort::DeliverReads);
    Deliver(block.tickets, &ReplyPort::Deliver);
  }
  if (!failure.empty()) Fail(failure);
}

void Sequencer::Deliver(const std::vector<Ticket*>& tickets, DeliverTo deliver) {
  // Few ports, so a list will do.
  std::vector<std::pair<ReplyPort*, std::vector<Ticket*>>> by_port;
  for (Ticket* ticket : tickets) {
    auto it = std::find_if(by_port.begin(), by_port.end(), [&](const auto& p) { return p.first == ticket->port; });
    if (it == by_port.end()) it = by_port.insert(it, {ticket->port, {}});
    it->second.push_back(ticket);
  }
  for (auto& [port, batch] : by_port) (port->*deliver)(std::move(batch));
}

void Sequencer::Fail(const std::string& cause) {
  if (std::exchange(failed_, true)) return;
  options_.on_fatal(cause);
}

}  // namespace waystation::storage
