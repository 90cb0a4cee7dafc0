#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waystation::adapters::sim {

// What goes wrong with one request. Unless it says otherwise the request has its effect.
enum class FaultKind {
  kNone,
  kDecline,         // declined by the biller; no effect
  kLose,            // no effect, no answer
  kSilent,          // no answer
  kLate,            // the answer comes `delay` later than it would
  kOutOfOrder,      // the same, just long enough for others to overtake it
  kHeldUp,          // taken up only `delay` after it came, and answered then: until then the books know nothing of it
  kCutUnheard,      // the connection is cut, no effect
  kCutBefore,       // cut before the first byte of the answer
  kCutMiddle,       // half of the answer, then cut
  kCutAfter,        // the whole answer, then cut
  kDouble,          // the answer twice
  kWrongReference,  // the answer says that it belongs to another request (STAN, nonce, order number)
  kGarbage,         // bytes that are no answer, of the answer's length
  kBadMac,          // MAC or signature wrong
  kDrip,            // a byte at a time, `delay` between two
};

// "decline", "cut_middle" ...: the words of configuration and control.
std::string_view ToText(FaultKind kind);
// All of them but kNone.
const std::vector<FaultKind>& AllFaults();

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::chrono::milliseconds delay{0};
};

// Whether the request has its effect.
bool HasEffect(FaultKind kind);

// Which requests go wrong, and how.
struct FaultRule {
  std::string operation;  // inquire, pay, query, reverse, cancel, probe, or * for any
  std::string ending;     // of the customer number; empty for any
  Fault fault;
  uint64_t times = std::numeric_limits<uint64_t>::max();  // then the rule is used up
};

// "OPERATION ENDING KIND [delay_ms=N] [times=N]", ENDING * for any: "pay 96 silent", "* * late delay_ms=300 times=2".
// The delay when it is not given: late 2000, out_of_order 50, drip 5.
absl::StatusOr<FaultRule> ParseFaultRule(std::string_view text);

// How long a biller takes to answer, in ms: "fixed 200", "uniform 10 50", "exponential 200" (mean), "lognormal 80 900"
// (median and 99th percentile).
class Latency {
 public:
  static absl::StatusOr<Latency> Parse(std::string_view text);
  std::chrono::microseconds Draw(std::mt19937_64& random) const;

 private:
  enum class Shape { kFixed, kUniform, kExponential, kLognormal };
  Shape shape_ = Shape::kFixed;
  double first_ = 0;
  double second_ = 0;
};

// The faults and the latency of one host. Threads: one.
class Faults {
 public:
  // `seed` drives latency and garbage.
  explicit Faults(uint64_t seed) : random_(seed) {}

  // The newest rule that fits wins.
  void Add(FaultRule rule) { rules_.push_back(std::move(rule)); }
  void Clear() { rules_.clear(); }
  void SetLatency(Latency latency) { latency_ = latency; }

  // Uses a rule up by one.
  Fault Next(std::string_view operation, std::string_view customer_number);
  std::chrono::microseconds NextLatency() { return latency_.Draw(random_); }
  std::mt19937_64& random() { return random_; }

 private:
  std::vector<FaultRule> rules_;
  Latency latency_;
  std::mt19937_64 random_;
};

// How an answer goes out over a stream: pieces, each after a wait, and whether the connection is cut in the end.
// kBadMac and kWrongReference are for the host to put into the answer before; kHeldUp has been waited for by then.
struct Delivery {
  struct Piece {
    std::chrono::microseconds wait{0};
    std::string bytes;
  };
  std::vector<Piece> pieces;
  bool cut = false;
};
// `latency` is how long the host takes with all else well.
Delivery Deliver(const Fault& fault, std::chrono::microseconds latency, std::string answer, std::mt19937_64& random);

}  // namespace waystation::adapters::sim
