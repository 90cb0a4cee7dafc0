#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workload.h"
#include "waystation/v1/account_service.pb.h"
#include "waystation/v1/payment_service.pb.h"

// What a counter does all day: inquiries, payments, cancels, looks at the account, mixed.
namespace waystation::bench {

enum class CallKind { kInquire, kPay, kCancel, kGetAccount };
inline constexpr size_t kCallKinds = 4;

// As in profiles and results: "inquire", "pay", "cancel", "get_account".
std::string_view CallKindName(CallKind kind);

struct CallMix {
  PaymentMix payments = {};
  // How many parts of all calls are of each kind; not all 0.
  std::array<uint32_t, kCallKinds> parts = {};
};

// Makes the calls of one place in flight, one after another: first Next, then the Fill of the kind that it named.
//
// Threads: one at a time.
class CallMaker {
 public:
  // `mix` must outlive the maker. `slot` tells the makers of one run apart.
  CallMaker(const CallMix& mix, size_t slot);

  // By the mix, but a cancel becomes a payment where there is nothing to cancel.
  CallKind Next();

  // Each fills `request`, which is used again and again.
  void Fill(v1::InquireRequest& request);
  void Fill(v1::PayRequest& request);
  void Fill(v1::CancelRequest& request);
  void Fill(v1::GetAccountRequest& request);

  // A payment of this place that may be cancelled from now on. The last few are kept.
  void NotePaid(const v1::Payment& payment);

  // What Next named, by kind.
  const std::array<uint64_t, kCallKinds>& made() const { return made_; }
  // How many payments were made for customer numbers with each ending.
  const std::array<uint64_t, 100>& endings() const { return endings_; }

 private:
  struct Paid {
    std::string station_id;
    std::string payment_id;
  };

  const CallMix& mix_;
  Random random_;
  PaymentMaker payments_;
  uint64_t all_parts_ = 0;
  std::vector<Paid> paid_;
  std::array<uint64_t, kCallKinds> made_ = {};
  std::array<uint64_t, 100> endings_ = {};
};

}  // namespace waystation::bench
