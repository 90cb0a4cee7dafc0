#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "waystation/v1/payment_service.pb.h"

// Which station pays what: the content of the load, apart from how it is sent.
namespace waystation::bench {

// SplitMix64: 8 bytes of state, so that each call in flight can have a generator of its own.
class Random {
 public:
  using result_type = uint64_t;
  explicit Random(uint64_t seed) : state_(seed) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<uint64_t>::max(); }
  result_type operator()();

  // 0 .. bound - 1; `bound` below 2^32.
  uint64_t Below(uint64_t bound);
  // [0, 1).
  double Unit();

 private:
  uint64_t state_;
};

// Chooses a station by its rank, 0 .. count - 1: all alike, or after Zipf's law, where rank k is chosen in proportion
// to 1 / (k + 1)^theta. Constant once made, so any thread may pick.
class StationChoice {
 public:
  static StationChoice Uniform(size_t count);
  static StationChoice Zipf(size_t count, double theta);

  size_t Pick(Random& random) const;
  // The part of all payments that falls on `rank`.
  double Share(size_t rank) const;
  size_t count() const { return count_; }

 private:
  explicit StationChoice(size_t count) : count_(count) {}

  size_t count_;
  // Cumulated shares, the last one 1; empty where all are alike.
  std::vector<double> cumulated_;
};

// Shapes of customer numbers that switchbench can make up.
enum class CustomerShape {
  kMobile,  // 11 digits, 1[3-9]...
  kMeter,   // 10 digits
  kGas,     // 8 digits
};

// A bill that was inquired about: what a payment of it must say.
struct Bill {
  size_t rank = 0;  // of the station that asked
  std::string customer_number;
  int64_t amount_fen = 0;
  std::string inquiry_token;
};

// A part of customer numbers: the sandbox does by their last two digits what it is asked to.
struct EndingShare {
  int ending = 0;          // 0 .. 99
  double probability = 0;  // 0 .. 1; those of one biller together at most 1
};

// A biller that is paid.
struct BillerShare {
  std::string id;
  CustomerShape customers = CustomerShape::kMobile;
  bool needs_inquiry = false;
  bool can_cancel = true;
  // Where it needs an inquiry: what is paid, again and again. Else empty.
  std::vector<Bill> bills = {};
  // How many parts of all payments are its own.
  uint32_t parts = 1;
  // Two-digit endings of customer numbers that are to come with a probability of their own; all others end in 00 to 87.
  std::vector<EndingShare> endings = {};
  // Where it holds an ending (0 .. 99), all customer numbers end so: what a biller's outage is played with. Null or
  // below 0: not so. Not owned.
  const std::atomic<int>* forced_ending = nullptr;
};

// What all payments of a run have in common.
struct PaymentMix {
  // At least one.
  std::vector<BillerShare> billers;
  uint64_t first_station = 990'000'000'001;
  StationChoice stations = StationChoice::Uniform(1);
  // Begins each request id, so that two runs never share one. 1 to 20 of [A-Za-z0-9._:-].
  std::string run_id;
  uint64_t seed = 0;
};

// The largest amount of a made-up payment, and of a bill that the sandbox or billersim makes up.
inline constexpr int64_t kLargestAmountFen = 30'000;

// 12 digits.
std::string StationText(const PaymentMix& mix, size_t rank);

// Replaces `text` by a customer number whose last two digits are 00 .. 87 (the sandbox's well-behaved ones).
void WriteCustomerNumber(CustomerShape shape, Random& random, std::string& text);
// The same, with the last two digits that `biller` asks for.
void WriteCustomerNumber(const BillerShare& biller, Random& random, std::string& text);
// One of `billers`, each by its parts.
const BillerShare& PickBiller(const std::vector<BillerShare>& billers, Random& random);

// Makes payments, one after another, for one call in flight.
class PaymentMaker {
 public:
  // `mix` must outlive the maker. `slot` tells the makers of one run apart.
  PaymentMaker(const PaymentMix& mix, size_t slot);

  // Fills `request`, which is used again and again, with the next payment: another request id each time; a bill where
  // the biller needs an inquiry, else an amount of 20 to 100 yuan and a customer number made up.
  void MakeNext(v1::PayRequest& request);

 private:
  const PaymentMix& mix_;
  Random random_;
  std::string request_id_prefix_;
  uint64_t made_ = 0;
};

}  // namespace waystation::bench
