#include "switch/flow/wait_board.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace waystation::flow {

bool HasSettled(core::PaymentState state) {
  // REVIEW waits for a person, which is longer than a caller does.
  return core::IsAtRest(state) || state == core::PaymentState::kReview;
}

WaitBoard::WaitBoard(Worker* worker)
    : clock_(worker->clock()), alarm_(worker, [this] {
        Expire(clock_.Steady());
        SetAlarm();
      }) {}

void WaitBoard::Wait(const core::Payment& payment, TimePoint deadline, Answer answer) {
  if (closed_ || HasSettled(payment.state) || deadline <= clock_.Steady()) {
    answer(core::Payment(payment));
    return;
  }
  const core::PaymentId id = payment.id;
  Entry& entry = entries_[id];
  entry.payment = payment;
  entry.waiters.push_back({deadline, std::move(answer)});
  deadlines_.emplace(deadline, id);
  SetAlarm();
}

void WaitBoard::Publish(core::Payment&& payment) {
  auto it = entries_.find(payment.id);
  if (it == entries_.end()) return;
  if (!HasSettled(payment.state)) {
    it->second.payment = std::move(payment);
    return;
  }
  // An answer may come back with a new wait, so the entry is taken out first.
  Waiters waiters = std::move(it->second.waiters);
  entries_.erase(it);
  for (const Waiter& waiter : waiters) deadlines_.erase({waiter.deadline, payment.id});
  // Mostly there is one who waits, and nothing is copied.
  Waiter last = std::move(waiters.back());
  waiters.pop_back();
  for (Waiter& waiter : waiters) waiter.answer(core::Payment(payment));
  last.answer(std::move(payment));
}

void WaitBoard::AnswerAll() {
  closed_ = true;
  Expire(TimePoint::max());
}

void WaitBoard::Expire(TimePoint now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const core::PaymentId id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    auto it = entries_.find(id);
    if (it == entries_.end()) continue;
    Entry& entry = it->second;
    auto late = std::stable_partition(entry.waiters.begin(), entry.waiters.end(),
                                      [&](const Waiter& waiter) { return waiter.deadline > now; });
    std::vector<Waiter> expired(std::make_move_iterator(late), std::make_move_iterator(entry.waiters.end()));
    entry.waiters.erase(late, entry.waiters.end());
    const core::Payment payment = entry.payment;
    if (entry.waiters.empty()) entries_.erase(it);
    for (Waiter& waiter : expired) waiter.answer(core::Payment(payment));
  }
}

void WaitBoard::SetAlarm() {
  // Callers mostly settle long before their deadlines, so an alarm that is set is left alone unless it is too late.
  if (deadlines_.empty() || (alarm_.at().has_value() && *alarm_.at() <= deadlines_.begin()->first)) return;
  alarm_.Set(deadlines_.begin()->first);
}

}  // namespace waystation::flow
