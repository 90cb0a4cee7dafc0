#include "switch/rpc/call_tally.h"

namespace waystation::rpc {

std::string_view Name(Method method) {
  switch (method) {
    case Method::kInquire: return "PaymentService/Inquire";
    case Method::kPay: return "PaymentService/Pay";
    case Method::kPayStream: return "PaymentService/PayStream";
    case Method::kCancel: return "PaymentService/Cancel";
    case Method::kGetPayment: return "PaymentService/GetPayment";
    case Method::kListPayments: return "PaymentService/ListPayments";
    case Method::kWatchPayments: return "PaymentService/WatchPayments";
    case Method::kGetAccount: return "AccountService/GetAccount";
    case Method::kRegisterStation: return "AdminService/RegisterStation";
    case Method::kListStations: return "AdminService/ListStations";
    case Method::kSetStationStatus: return "AdminService/SetStationStatus";
    case Method::kGrantCredit: return "AdminService/GrantCredit";
    case Method::kRecordCounterPurchase: return "AdminService/RecordCounterPurchase";
    case Method::kListBillers: return "AdminService/ListBillers";
    case Method::kGetBiller: return "AdminService/GetBiller";
    case Method::kSetBillerStatus: return "AdminService/SetBillerStatus";
    case Method::kGetBusinessDay: return "AdminService/GetBusinessDay";
    case Method::kCloseBusinessDay: return "AdminService/CloseBusinessDay";
    case Method::kListExceptions: return "ExceptionService/ListExceptions";
    case Method::kProposeResolution: return "ExceptionService/ProposeResolution";
    case Method::kConfirmResolution: return "ExceptionService/ConfirmResolution";
    case Method::kStreamJournal: return "JournalService/Stream";
    case Method::kGetStatus: return "OperationsService/GetStatus";
    case Method::kGetStatistics: return "OperationsService/GetStatistics";
    case Method::kSetLogLevel: return "OperationsService/SetLogLevel";
    case Method::kCreateBackup: return "OperationsService/CreateBackup";
    case Method::kConfirmOldSwitchDead: return "OperationsService/ConfirmOldSwitchDead";
  }
  return "";
}

std::string_view CodeName(size_t code) {
  static constexpr std::array<std::string_view, kCodes> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[code];
}

}  // namespace waystation::rpc
