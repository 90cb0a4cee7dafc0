#include "bench/workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "fmt/compile.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

constexpr std::array<int64_t, 4> kAmountsFen = {2'000, 3'000, 5'000, 10'000};
constexpr uint64_t kWellBehavedEndings = 88;
constexpr char kOperatorId[] = "9900000001";

}  // namespace

namespace {

void WriteWithEnding(CustomerShape shape, uint64_t ending, Random& random, std::string& text) {
  text.clear();
  switch (shape) {
    case CustomerShape::kMobile:
      fmt::format_to(std::back_inserter(text), FMT_COMPILE("1{}{:07}{:02}"), 3 + random.Below(7),
                     random.Below(10'000'000), ending);
      return;
    case CustomerShape::kMeter:
      fmt::format_to(std::back_inserter(text), FMT_COMPILE("{:08}{:02}"), random.Below(100'000'000), ending);
      return;
    case CustomerShape::kGas:
      fmt::format_to(std::back_inserter(text), FMT_COMPILE("{:06}{:02}"), random.Below(1'000'000), ending);
      return;
  }
}

// One draw decides whether and which, another one of the well-behaved ones.
uint64_t PickEnding(const BillerShare& biller, Random& random) {
  if (biller.forced_ending != nullptr) {
    const int forced = biller.forced_ending->load(std::memory_order_relaxed);
    if (forced >= 0) return static_cast<uint64_t>(forced);
  }
  if (!biller.endings.empty()) {
    double left = random.Unit();
    for (const EndingShare& share : biller.endings) {
      if (left < share.probability) return static_cast<uint64_t>(share.ending);
      left -= share.probability;
    }
  }
  return random.Below(kWellBehavedEndings);
}

}  // namespace

void WriteCustomerNumber(CustomerShape shape, Random& random, std::string& text) {
  WriteWithEnding(shape, random.Below(kWellBehavedEndings), random, text);
}

void WriteCustomerNumber(const BillerShare& biller, Random& random, std::string& text) {
  WriteWithEnding(biller.customers, PickEnding(biller, random), random, text);
}

const BillerShare& PickBiller(const std::vector<BillerShare>& billers, Random& random) {
  uint64_t all = 0;
  for (const BillerShare& biller : billers) all += biller.parts;
  uint64_t left = random.Below(all);
  for (const BillerShare& biller : billers) {
    if (left < biller.parts) return biller;
    left -= biller.parts;
  }
  return billers.back();
}

Random::result_type Random::operator()() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

uint64_t Random::Below(uint64_t bound) {
  return (((*this)() >> 32) * bound) >> 32;
}

double Random::Unit() {
  return static_cast<double>((*this)() >> 11) * 0x1p-53;
}

StationChoice StationChoice::Uniform(size_t count) {
  return StationChoice(count);
}

StationChoice StationChoice::Zipf(size_t count, double theta) {
  StationChoice choice(count);
  choice.cumulated_.reserve(count);
  double sum = 0;
  for (size_t rank = 0; rank < count; ++rank) {
    sum += std::pow(static_cast<double>(rank + 1), -theta);
    choice.cumulated_.push_back(sum);
  }
  for (double& value : choice.cumulated_) value /= sum;
  return choice;
}

size_t StationChoice::Pick(Random& random) const {
  if (cumulated_.empty()) return random.Below(count_);
  const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), random.Unit());
  return std::min(static_cast<size_t>(found - cumulated_.begin()), count_ - 1);
}

double StationChoice::Share(size_t rank) const {
  if (cumulated_.empty()) return 1.0 / static_cast<double>(count_);
  return rank == 0 ? cumulated_[0] : cumulated_[rank] - cumulated_[rank - 1];
}

std::string StationText(const PaymentMix& mix, size_t rank) {
  return fmt::format("{:012}", mix.first_station + rank);
}

PaymentMaker::PaymentMaker(const PaymentMix& mix, size_t slot)
    : mix_(mix), random_(Random(mix.seed + slot)()), request_id_prefix_(fmt::format("{}-{}-", mix.run_id, slot)) {}

void PaymentMaker::MakeNext(v1::PayRequest& request) {
  const BillerShare& biller = PickBiller(mix_.billers, random_);
  const Bill* bill = biller.bills.empty() ? nullptr : &biller.bills[random_.Below(biller.bills.size())];
  const size_t rank = bill == nullptr ? mix_.stations.Pick(random_) : bill->rank;
  std::string& station = *request.mutable_station_id();
  station.clear();
  fmt::format_to(std::back_inserter(station), FMT_COMPILE("{:012}"), mix_.first_station + rank);
  std::string& request_id = *request.mutable_request_id();
  request_id.assign(request_id_prefix_);
  fmt::format_to(std::back_inserter(request_id), FMT_COMPILE("{}"), ++made_);
  request.set_operator_id(kOperatorId);
  request.set_biller_id(biller.id);
  if (bill != nullptr) {
    request.set_customer_number(bill->customer_number);
    request.set_amount_fen(bill->amount_fen);
    request.set_inquiry_token(bill->inquiry_token);
    return;
  }
  WriteCustomerNumber(biller, random_, *request.mutable_customer_number());
  request.set_amount_fen(kAmountsFen[random_.Below(kAmountsFen.size())]);
  request.clear_inquiry_token();
}

}  // namespace waystation::bench
