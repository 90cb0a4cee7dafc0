#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "waystation/v1/operations_service.pb.h"

// What the screen of `switchctl top` is put together from.
namespace waystation::ctl {

// "1,234,567".
std::string Grouped(uint64_t number);
// "0.4", "12", "1,234".
std::string Rate(double per_second);
// Microseconds as milliseconds: "0.06", "12.3", "1,049".
std::string Milliseconds(double us);
std::string Megabytes(uint64_t bytes);
// "42s", "2m10s", "3h12m", "5d03h".
std::string Length(uint64_t seconds);

// By how much a count has grown; one that has shrunk began anew.
uint64_t Grown(uint64_t before, uint64_t now);

// The values of a histogram that came between two looks at it.
class Values {
 public:
  // `bounds`, of its buckets, outlive it.
  Values(const v1::Histogram& before, const v1::Histogram& now,
         const google::protobuf::RepeatedField<uint64_t>& bounds);

  // A bound of the buckets; `above`: the value is larger than the largest of them.
  struct Bound {
    double value = 0;
    bool above = false;
  };
  // What so many of a hundred values are not above; null where there are no values.
  std::optional<Bound> Percentile(uint64_t percent) const;
  uint64_t total() const { return total_; }

 private:
  const google::protobuf::RepeatedField<uint64_t>& bounds_;
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
};

// Right-aligned cells under their titles, as many columns as fit into so many of the terminal's.
class Columns {
 public:
  explicit Columns(size_t room) : room_(room) {}

  // Left-aligned, and cut where too long; as the first.
  void AddLabels(const std::string& title, const std::vector<std::string>& cells, size_t width);
  // Nothing from the first column on for which there is no room.
  void Add(const std::string& title, const std::vector<std::string>& cells, size_t width);

  const std::string& titles() const { return titles_; }
  const std::vector<std::string>& rows() const { return rows_; }

 private:
  const size_t room_;
  size_t used_ = 0;
  std::string titles_;
  std::vector<std::string> rows_;
};

}  // namespace waystation::ctl
