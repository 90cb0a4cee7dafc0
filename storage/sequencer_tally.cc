#include "storage/sequencer_tally.h"

#include <algorithm>

namespace waystation::storage {

bool OpenPayments::Counts(core::PaymentState state) {
  return state != core::PaymentState::kHeld && !core::IsAtRest(state);
}

void OpenPayments::Add(const core::Payment& payment) {
  if (Counts(payment.state)) Change(payment, payment.state, payment.entered_at(), +1);
}

void OpenPayments::OnChanged(const core::Payment& payment) {
  const auto& history = payment.history;
  const size_t entered = history.size() - 1;
  if (entered > 0) {
    const core::PaymentState before = history[entered - 1].state;
    if (before == payment.state) return;  // evidence that came later
    if (Counts(before)) {
      size_t since = entered - 1;
      while (since > 0 && history[since - 1].state == before) --since;
      Change(payment, before, history[since].time, -1);
    }
  }
  Add(payment);
}

void OpenPayments::Change(const core::Payment& payment, core::PaymentState state, core::TimePoint since, int by) {
  const std::lock_guard lock(mutex_);
  auto& seconds = groups_[{payment.biller_id, state}];
  const auto it = seconds.try_emplace(std::chrono::floor<std::chrono::seconds>(since), 0).first;
  it->second += by;
  if (it->second == 0) seconds.erase(it);
}

std::vector<OpenPayments::Group> OpenPayments::Read(core::TimePoint now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Group> groups;
  for (const auto& [key, seconds] : groups_) {
    Group& group = groups.emplace_back();
    group.biller_id = key.first;
    group.state = key.second;
    if (!seconds.empty()) group.oldest = seconds.begin()->first;
    for (const auto& [second, count] : seconds) {
      const auto age = now - second;
      const auto older =
          std::find_if(kAgeBounds.begin(), kAgeBounds.end(), [&](std::chrono::seconds bound) { return age <= bound; });
      group.by_age[static_cast<size_t>(older - kAgeBounds.begin())] += static_cast<uint64_t>(count);
    }
  }
  return groups;
}

void SequencerTally::OnChanged(const core::Payment& payment) {
  const auto& history = payment.history;
  if (history.size() > 1 && history[history.size() - 2].state == payment.state) return;
  entered[static_cast<size_t>(payment.state)].Add();
  if (payment.state == core::PaymentState::kDeclined && payment.decline.has_value()) {
    declined[static_cast<size_t>(payment.decline->reason)].Add();
  }
  open.OnChanged(payment);
}

}  // namespace waystation::storage
