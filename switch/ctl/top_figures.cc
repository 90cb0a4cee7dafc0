#include "switch/ctl/top_figures.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "switch/ctl/table.h"
#include "switch/ctl/text_forms.h"

namespace waystation::ctl {

std::string Grouped(uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string Rate(double per_second) {
  if (per_second > 0 && per_second < 9.95) return fmt::format("{:.1f}", per_second);
  return Grouped(static_cast<uint64_t>(std::llround(per_second)));
}

std::string Milliseconds(double us) {
  const double ms = us / 1'000;
  if (ms < 9.995) return fmt::format("{:.2f}", ms);
  return ms < 99.95 ? fmt::format("{:.1f}", ms) : Grouped(static_cast<uint64_t>(std::llround(ms)));
}

std::string Megabytes(uint64_t bytes) {
  return Grouped(bytes >> 20) + " MB";
}

std::string Length(uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3'600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3'600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3'600 % 24);
}

uint64_t Grown(uint64_t before, uint64_t now) {
  return now >= before ? now - before : now;
}

Values::Values(const v1::Histogram& before, const v1::Histogram& now,
               const google::protobuf::RepeatedField<uint64_t>& bounds)
    : bounds_(bounds) {
  for (int i = 0; i < now.counts_size(); ++i) {
    counts_.push_back(Grown(i < before.counts_size() ? before.counts(i) : 0, now.counts(i)));
    total_ += counts_.back();
  }
}

std::optional<Values::Bound> Values::Percentile(uint64_t percent) const {
  if (total_ == 0 || bounds_.empty()) return std::nullopt;
  const uint64_t wanted = (total_ * percent + 99) / 100;
  uint64_t seen = 0;
  for (int i = 0; i < bounds_.size() && i < static_cast<int>(counts_.size()); ++i) {
    seen += counts_[static_cast<size_t>(i)];
    if (seen >= wanted) return Bound{static_cast<double>(bounds_.Get(i)), false};
  }
  return Bound{static_cast<double>(bounds_.Get(bounds_.size() - 1)), true};
}

void Columns::AddLabels(const std::string& title, const std::vector<std::string>& cells, size_t width) {
  used_ += width;
  titles_ += fmt::format("{:<{}}", title, width);
  rows_.resize(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = Shortened(cells[i], width - 1);
    rows_[i] = cell + std::string(width - DisplayWidth(cell), ' ');
  }
}

void Columns::Add(const std::string& title, const std::vector<std::string>& cells, size_t width) {
  used_ += width;
  if (used_ > room_) return;
  titles_ += fmt::format("{:>{}}", title, width);
  rows_.resize(std::max(rows_.size(), cells.size()));
  for (size_t i = 0; i < cells.size(); ++i) rows_[i] += fmt::format("{:>{}}", cells[i], width);
}

}  // namespace waystation::ctl
