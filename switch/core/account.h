#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "switch/core/business_date.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"

namespace waystation::core {

// Kinds of account. A posting moves an amount from one account to another; the sum over all accounts is always zero.
// Numbers as in the journal.
enum class AccountKind : uint8_t {
  kStation = 1,          // the station's prepaid account
  kBillerPayable = 2,    // what the operator owes a biller
  kBankClearing = 3,     // top-ups from cards
  kCounterClearing = 4,  // money paid in at post-office counters
  kCommission = 5,
  kSuspense = 6,
};

// Station life: applied -> approved -> active <-> suspended -> closed. Numbers as in the journal and the API.
enum class StationStatus : uint8_t { kApplied = 1, kApproved = 2, kActive = 3, kSuspended = 4, kClosed = 5 };

bool CanFollow(StationStatus from, StationStatus to);
std::string_view Name(StationStatus status);
std::string_view Name(AccountKind kind);
std::optional<StationStatus> StationStatusFromNumber(uint32_t number);
std::optional<AccountKind> AccountKindFromNumber(uint32_t number);

struct Account {
  // Not part of what it is: its place in the ledger's memory; the last leg that changed it; the last one that set its
  // status, of a payable the biller's. 0: none since the ledger was made or restored.
  uint32_t index = 0;
  uint64_t changed_by = 0;
  uint64_t status_set_by = 0;
  AccountKind kind = AccountKind::kStation;
  Money balance;

  // --- station accounts only ---
  StationId station;
  Money reserved;
  Money forwarded;
  Money credit_limit;
  StationStatus status = StationStatus::kApplied;
  std::string status_reason;
  std::string name;
  std::vector<StationId> signing_institutions;
  BusinessDate opened;

  // --- biller payable accounts only; status_reason is used too ---
  std::string biller_id;
  bool biller_enabled = true;

  Money available() const { return balance + credit_limit - reserved - forwarded; }
};

// The three figures of a station's account that stand in every leg that touches it.
struct AccountAfter {
  Money balance;
  Money reserved;
  Money forwarded;
  bool operator==(const AccountAfter&) const = default;
};

}  // namespace waystation::core
