#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace waystation::rpc {

// Every call of the API.
enum class Method : size_t {
  kInquire,
  kPay,
  kPayStream,  // each of its payments, as one of Pay
  kCancel,
  kGetPayment,
  kListPayments,
  kWatchPayments,
  kGetAccount,
  kRegisterStation,
  kListStations,
  kSetStationStatus,
  kGrantCredit,
  kRecordCounterPurchase,
  kListBillers,
  kGetBiller,
  kSetBillerStatus,
  kGetBusinessDay,
  kCloseBusinessDay,
  kListExceptions,
  kProposeResolution,
  kConfirmResolution,
  kStreamJournal,
  kGetStatus,
  kGetStatistics,
  kSetLogLevel,
  kCreateBackup,
  kConfirmOldSwitchDead,
};
inline constexpr size_t kMethods = static_cast<size_t>(Method::kConfirmOldSwitchDead) + 1;

// "PaymentService/Pay".
std::string_view Name(Method method);

// gRPC's status codes, which absl's are too: 0 (OK) to 16.
inline constexpr size_t kCodes = 17;
// "OK", "RESOURCE_EXHAUSTED".
std::string_view CodeName(size_t code);

// How many calls were answered with which code since the start. A stream of answers counts once, by the shape of its
// request; of a stream of payments each payment counts, and a message that is refused as a whole. Any thread.
class CallTally {
 public:
  // Of one method.
  class Row {
   public:
    void Add(int code) {
      const auto index = static_cast<size_t>(code);
      answered_[index < kCodes ? index : kUnknownCode].fetch_add(1, std::memory_order_relaxed);
    }
    uint64_t count(size_t code) const { return answered_[code].load(std::memory_order_relaxed); }

   private:
    static constexpr size_t kUnknownCode = 2;
    // On cache lines of its own: several threads add to the rows.
    alignas(64) std::array<std::atomic<uint64_t>, kCodes> answered_{};
  };

  Row* Of(Method method) { return &rows_[static_cast<size_t>(method)]; }
  const Row& Of(Method method) const { return rows_[static_cast<size_t>(method)]; }

 private:
  std::array<Row, kMethods> rows_;
};

}  // namespace waystation::rpc
