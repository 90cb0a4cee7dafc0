#include "switch/rpc/pay_order.h"

#include <utility>

#include "fmt/format.h"
#include "switch/rpc/validation.h"

namespace waystation::rpc {

using WaitUntil = flow::WaitBoard::TimePoint;

absl::StatusOr<flow::PayOrder> CheckPayOrder(const Backend& backend, v1::PayRequest& request,
                                             std::chrono::system_clock::time_point deadline) {
  flow::PayOrder order;
  absl::StatusOr<WaitUntil> answer_by = CheckWait(request.has_wait_ms(), request.wait_ms(), deadline);
  if (!answer_by.ok() && !absl::IsInvalidArgument(answer_by.status())) return answer_by.status();
  absl::StatusOr<core::StationId> station = CheckStation("station_id", request.station_id());
  if (!station.ok()) return station.status();
  if (absl::Status status = CheckOperator("operator_id", request.operator_id()); !status.ok()) return status;
  if (absl::Status status = CheckRequestId(request.request_id()); !status.ok()) return status;
  if (absl::Status status = CheckBillerId(request.biller_id()); !status.ok()) return status;
  if (absl::Status status = CheckCustomerNumber(request.customer_number()); !status.ok()) return status;
  absl::StatusOr<core::Money> amount = CheckAmount("amount_fen", request.amount_fen(), core::Money::Fen(1));
  if (!amount.ok()) return amount.status();
  absl::StatusOr<flow::InquiryProof> inquiry =
      OpenInquiry(*backend.seal, request.inquiry_token(), *station, request.biller_id(), request.customer_number(),
                  backend.clock->Now());
  if (!inquiry.ok()) {
    return absl::InvalidArgumentError(fmt::format("inquiry_token: {}", std::string(inquiry.status().message())));
  }
  if (!answer_by.ok()) return answer_by.status();
  if (absl::Status status = backend.patterns->Check(request.biller_id(), request.customer_number()); !status.ok()) {
    return status;
  }
  order.station = *station;
  order.operator_id = std::move(*request.mutable_operator_id());
  order.request_id = std::move(*request.mutable_request_id());
  order.biller_id = std::move(*request.mutable_biller_id());
  order.customer_number = std::move(*request.mutable_customer_number());
  order.amount = *amount;
  order.inquiry = *std::move(inquiry);
  order.answer_by = *answer_by;
  order.refuse_new = backend.admission->CheckNewWork();
  return order;
}

}  // namespace waystation::rpc
