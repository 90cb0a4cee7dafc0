#include "bench/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace waystation::bench {

namespace {

constexpr double kLeastNs = 1e3;
constexpr double kMostNs = 1e11;
constexpr double kBinGrowth = 1.01;

unsigned BinCount() {
  return static_cast<unsigned>(std::ceil(std::log(kMostNs / kLeastNs) / std::log(kBinGrowth)));
}

}  // namespace

LatencyHistogram::LatencyHistogram()
    : bins_(boost::histogram::make_histogram_with(std::vector<uint64_t>(), Axis(BinCount(), kLeastNs, kMostNs))) {}

void LatencyHistogram::Record(std::chrono::nanoseconds latency) {
  // The axis takes [least, most): an arrival's latency may be anything, even 0 where the clock did not move.
  const double ns = std::clamp(static_cast<double>(latency.count()), kLeastNs, kMostNs * 0.999);
  bins_(ns);
  ++count_;
  max_ = std::max(max_, latency);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  bins_ += other.bins_;
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds LatencyHistogram::Percentile(double percent) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100.0));
  uint64_t seen = 0;
  for (int bin = 0; bin < bins_.axis().size(); ++bin) {
    seen += bins_.at(bin);
    if (seen >= wanted && seen > 0) {
      const auto edge = std::chrono::nanoseconds(std::llround(bins_.axis().bin(bin).upper()));
      return std::min(edge, max_);
    }
  }
  return max_;
}

std::vector<std::pair<double, std::chrono::nanoseconds>> PercentileCurve(const LatencyHistogram& latency) {
  std::vector<std::pair<double, std::chrono::nanoseconds>> curve;
  const auto count = static_cast<double>(latency.count());
  for (int step = 0; count > 0; ++step) {
    const double beyond = std::pow(10, -step / 10.0);
    if (beyond * count < 1) break;
    const double percent = 100 * (1 - beyond);
    curve.emplace_back(percent, latency.Percentile(percent));
  }
  if (count > 0) curve.emplace_back(100, latency.max());
  return curve;
}

}  // namespace waystation::bench
