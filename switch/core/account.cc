#include "switch/core/account.h"

namespace waystation::core {

bool CanFollow(StationStatus from, StationStatus to) {
  switch (from) {
    case StationStatus::kApplied: return to == StationStatus::kApproved || to == StationStatus::kClosed;
    case StationStatus::kApproved: return to == StationStatus::kActive || to == StationStatus::kClosed;
    case StationStatus::kActive: return to == StationStatus::kSuspended || to == StationStatus::kClosed;
    case StationStatus::kSuspended: return to == StationStatus::kActive || to == StationStatus::kClosed;
    case StationStatus::kClosed: return false;
  }
  return false;
}

std::string_view Name(StationStatus status) {
  switch (status) {
    case StationStatus::kApplied: return "APPLIED";
    case StationStatus::kApproved: return "APPROVED";
    case StationStatus::kActive: return "ACTIVE";
    case StationStatus::kSuspended: return "SUSPENDED";
    case StationStatus::kClosed: return "CLOSED";
  }
  return "?";
}

std::string_view Name(AccountKind kind) {
  switch (kind) {
    case AccountKind::kStation: return "station";
    case AccountKind::kBillerPayable: return "biller payable";
    case AccountKind::kBankClearing: return "bank clearing";
    case AccountKind::kCounterClearing: return "counter clearing";
    case AccountKind::kCommission: return "commission";
    case AccountKind::kSuspense: return "suspense";
  }
  return "?";
}

std::optional<StationStatus> StationStatusFromNumber(uint32_t number) {
  if (number < 1 || number > static_cast<uint32_t>(StationStatus::kClosed)) return std::nullopt;
  return static_cast<StationStatus>(number);
}

std::optional<AccountKind> AccountKindFromNumber(uint32_t number) {
  if (number < 1 || number > static_cast<uint32_t>(AccountKind::kSuspense)) return std::nullopt;
  return static_cast<AccountKind>(number);
}

}  // namespace waystation::core
