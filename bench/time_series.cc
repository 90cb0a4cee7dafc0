#include "bench/time_series.h"

#include <algorithm>

namespace waystation::bench {

TimeSeries::Interval* TimeSeries::At(TimePoint time) {
  if (time < start_) return nullptr;
  const auto index = static_cast<size_t>((time - start_) / length_);
  if (index >= count_) return nullptr;
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  return &intervals_[index];
}

void TimeSeries::Record(TimePoint due, TimePoint ended, const CallResult& result) {
  if (count_ == 0) return;
  const bool ok = result.code == grpc::StatusCode::OK;
  if (ok) {
    if (Interval* interval = At(ended)) ++interval->answered;
  }
  if (Interval* interval = At(due)) {
    if (ok) interval->latency.Record(ended - due);
    interval->results.Add(result);
  }
}

void TimeSeries::Merge(const TimeSeries& other) {
  intervals_.resize(std::max(intervals_.size(), other.intervals_.size()));
  for (size_t i = 0; i < other.intervals_.size(); ++i) {
    intervals_[i].answered += other.intervals_[i].answered;
    intervals_[i].latency.Merge(other.intervals_[i].latency);
    intervals_[i].results.Merge(other.intervals_[i].results);
  }
}

}  // namespace waystation::bench
