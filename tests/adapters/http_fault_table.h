#pragma once

#include <ostream>
#include <string>
#include <vector>

// What a host does wrong, and what the payment must come to, for billers that are reached by HTTP.
namespace waystation::adapters {

struct FaultRow {
  std::string fault;   // as billersim is told
  bool in_time;        // whether an answer that can be used comes before the deadline
  std::string effect;  // of a payment, in the host's books: "applied", "declined", "none"
};

inline std::ostream& operator<<(std::ostream& out, const FaultRow& row) {
  return out << row.fault;
}

inline const std::vector<FaultRow>& FaultTable() {
  static const std::vector<FaultRow> rows = {
      {"none", true, "applied"},
      {"decline", true, "declined"},
      {"lose", false, "none"},
      {"silent", false, "applied"},
      {"late delay_ms=30", true, "applied"},
      {"late delay_ms=60000", false, "applied"},
      {"out_of_order", true, "applied"},
      {"held_up delay_ms=30", true, "applied"},
      {"cut_unheard", false, "none"},
      {"cut_before", false, "applied"},
      {"cut_middle", false, "applied"},
      {"cut_after", true, "applied"},
      {"double", true, "applied"},
      {"wrong_reference", false, "applied"},
      {"garbage", false, "applied"},
      {"drip delay_ms=0", true, "applied"},
      {"drip delay_ms=1000", false, "applied"},
  };
  return rows;
}

// Whether nothing comes for as long as one waits.
inline bool IsSilent(const FaultRow& row) {
  return !row.in_time && (row.fault == "lose" || row.fault == "silent" || row.fault.find("000") != std::string::npos);
}

}  // namespace waystation::adapters
