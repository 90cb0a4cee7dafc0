#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "switch/core/payment.h"
#include "switch/rpc/backend.h"

// Reads of payments, wherever they are: in the ledger's memory while they are open, in the index once they are at rest.
// Coroutines on the backend's reader.
namespace waystation::rpc {

boost::asio::awaitable<absl::StatusOr<core::Payment>> FindPayment(const Backend& backend, core::PaymentId id);
boost::asio::awaitable<absl::StatusOr<core::Payment>> FindPayment(const Backend& backend, core::StationId station,
                                                                  std::string request_id);

// Which payments of a station, newest first.
struct ListQuery {
  core::StationId station;
  core::BusinessDate from;  // both dates inclusive; no date: the current one
  core::BusinessDate to;
  std::vector<core::PaymentState> states;      // empty: all
  std::vector<flow::Owner> owners;             // empty: all
  std::vector<flow::NextAction> next_actions;  // empty: all
  bool overdue_only = false;
  uint32_t page_size;
  std::optional<storage::Index::Place> before;  // where the page before ended
};
struct ListPage {
  std::vector<core::Payment> payments;
  std::optional<storage::Index::Place> next;  // null on the last page
};
boost::asio::awaitable<absl::StatusOr<ListPage>> ListPayments(const Backend& backend, ListQuery query);

}  // namespace waystation::rpc
