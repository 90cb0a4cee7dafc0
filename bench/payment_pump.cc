#include "bench/payment_pump.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bench/ledger_load.h"
#include "switch/core/check.h"

namespace waystation::bench {
namespace {

// Waits for the answers to a list of commands.
class AnswerWait final : public storage::ReplyPort {
 public:
  void Deliver(std::vector<storage::Ticket*> tickets) override {
    for (const storage::Ticket* ticket : tickets) WS_CHECK(ticket->reply.status.ok(), "the opening commands stand");
    const std::lock_guard lock(mutex_);
    answered_ += tickets.size();
    changed_.notify_one();
  }

  void WaitFor(size_t answers) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return answered_ >= answers; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t answered_ = 0;
};

// Keeps so many payments under way, and turns each answer into the next command at once, on the sequencer's own thread:
// blocks are full but for the first and the last ones (legs/block shows it), and nothing but the storage is measured.
class PaymentPump final : public storage::ReplyPort {
 public:
  PaymentPump(storage::Sequencer* sequencer, size_t stations, uint64_t first, uint64_t payments, size_t under_way)
      : sequencer_(sequencer), stations_(stations), first_(first), payments_(payments), tickets_(under_way) {}

  // Before the sequencer has this pump's first ticket, or after the last one came back.
  void SubmitFirst() {
    for (storage::Ticket& ticket : tickets_) {
      ticket.port = this;
      ticket.command = NumberedPayment(first_ + started_++, stations_);
    }
    for (storage::Ticket& ticket : tickets_) sequencer_->Submit(&ticket);
  }

  void Deliver(std::vector<storage::Ticket*> tickets) override {
    for (storage::Ticket* ticket : tickets) {
      WS_CHECK(ticket->reply.status.ok(), std::string(ticket->reply.status.message()));
      const core::Payment& payment = std::get<core::Payment>(ticket->reply.value);
      if (payment.state == core::PaymentState::kHeld) {
        ticket->command = Approval(payment.id);
      } else {
        WS_CHECK(payment.state == core::PaymentState::kSucceeded, "each payment is approved");
        ++finished_;
        if (started_ == payments_) continue;
        ticket->command = NumberedPayment(first_ + started_++, stations_);
      }
      sequencer_->Submit(ticket);
    }
    if (finished_ < payments_) return;
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_one();
  }

  void WaitForAll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }

 private:
  storage::Sequencer* const sequencer_;
  const size_t stations_;
  const uint64_t first_;
  const uint64_t payments_;
  std::vector<storage::Ticket> tickets_;
  uint64_t started_ = 0;
  uint64_t finished_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

}  // namespace

void OpenStations(storage::Sequencer& sequencer, size_t stations) {
  AnswerWait answers;
  std::vector<core::Command> commands = OpeningCommands(stations);
  std::vector<storage::Ticket> tickets(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    tickets[i].command = std::move(commands[i]);
    tickets[i].port = &answers;
    sequencer.Submit(&tickets[i]);
  }
  answers.WaitFor(tickets.size());
}

void PumpPayments(storage::Sequencer& sequencer, size_t stations, uint64_t first, uint64_t payments, size_t under_way) {
  PaymentPump pump(&sequencer, stations, first, payments, under_way);
  pump.SubmitFirst();
  pump.WaitForAll();
}

}  // namespace waystation::bench
