#include "switch/rpc/payment_lookup.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::rpc {

namespace asio = boost::asio;

namespace {

using PaymentOr = absl::StatusOr<core::Payment>;

template <typename T>
bool IsOneOf(const std::vector<T>& wanted, T value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool Selected(const Backend& backend, const ListQuery& query, const core::Payment& payment) {
  if (!IsOneOf(query.states, payment.state)) return false;
  if (query.owners.empty() && query.next_actions.empty() && !query.overdue_only) return true;
  const flow::NextStep next = backend.NextStepOf(payment);
  return IsOneOf(query.owners, next.owner) && IsOneOf(query.next_actions, next.action) &&
         (!query.overdue_only || flow::IsOverdue(next, backend.clock->Now()));
}

}  // namespace

asio::awaitable<PaymentOr> FindPayment(const Backend& backend, core::PaymentId id) {
  core::ReadPayment read{id};
  core::Reply reply = co_await TryCommit(*backend.sequencer, *backend.reader, std::move(read));
  if (reply.status.ok()) co_return std::get<core::Payment>(std::move(reply.value));
  if (!absl::IsNotFound(reply.status)) co_return reply.status;
  // Not open when the ledger was asked, so whatever the index has is later still.
  absl::StatusOr<std::optional<core::Payment>> at_rest = backend.index->FindPayment(id);
  if (!at_rest.ok()) co_return at_rest.status();
  if (at_rest->has_value()) co_return **std::move(at_rest);
  co_return absl::NotFoundError(
      fmt::format("payment_id: there is no payment {}; expected an id that Pay answered with", id.ToString()));
}

asio::awaitable<PaymentOr> FindPayment(const Backend& backend, core::StationId station, std::string request_id) {
  core::ReadPaymentByRequest read{station, request_id};
  core::Reply reply = co_await TryCommit(*backend.sequencer, *backend.reader, std::move(read));
  if (reply.status.ok()) co_return std::get<core::Payment>(std::move(reply.value));
  if (!absl::IsNotFound(reply.status)) co_return reply.status;
  absl::StatusOr<core::Prior> prior = backend.index->FindRequest(core::RequestKey(station, request_id));
  if (!prior.ok()) co_return prior.status();
  if (auto* payment = std::get_if<core::Payment>(&*prior)) co_return std::move(*payment);
  co_return absl::NotFoundError(fmt::format(
      "request_id: station {} has no payment under \"{}\"; the switch has not accepted it. A Pay without an "
      "answer may be on its way yet: send the same one again",
      station.ToString(), request_id));
}

asio::awaitable<absl::StatusOr<ListPage>> ListPayments(const Backend& backend, ListQuery query) {
  if (!query.from.has_value()) {
    core::Command read_day = core::ReadBusinessDay{};
    core::Reply day = co_await TryCommit(*backend.sequencer, *backend.reader, std::move(read_day));
    if (!day.status.ok()) co_return day.status;
    query.from = query.to = std::get<core::BusinessDay>(day.value).date;
  }
  core::Command read_open = core::ReadOpenPayments{query.station};
  core::Reply open = co_await TryCommit(*backend.sequencer, *backend.reader, std::move(read_open));
  if (!open.status.ok()) co_return open.status;

  // Newest first. What is in memory stands above the index, which may hold an older form of it.
  using Key = std::pair<core::BusinessDate, core::PaymentId>;
  std::map<Key, core::Payment, std::greater<>> found;
  const Key end = query.before ? Key{query.before->date, query.before->id} : Key{query.to.NextDay(), core::PaymentId()};
  for (core::Payment& payment : std::get<std::vector<core::Payment>>(open.value)) {
    const Key key{payment.business_date, payment.id};
    if (payment.business_date >= query.from && key < end) found.emplace(key, std::move(payment));
  }
  size_t rows = 0;
  std::optional<Key> stopped_at;
  size_t selected = 0;
  absl::Status status = backend.index->ForEachAccepted(
      query.station, query.from, query.to, query.before, [&](const core::Payment& payment) {
        const Key key{payment.business_date, payment.id};
        if (selected > query.page_size || rows++ >= core::kMaxRowsPerPage) {
          stopped_at = key;
          return false;
        }
        if (Selected(backend, query, payment)) {
          ++selected;
          found.emplace(key, payment);
        }
        return true;
      });
  if (!status.ok()) co_return status;

  ListPage page;
  for (auto& [key, payment] : found) {
    if (stopped_at.has_value() && key <= *stopped_at) break;  // what stands before it in the index was not read
    if (!Selected(backend, query, payment)) continue;
    if (page.payments.size() == query.page_size) {
      const core::Payment& last = page.payments.back();
      page.next = storage::Index::Place{last.business_date, last.id};
      co_return page;
    }
    page.payments.push_back(std::move(payment));
  }
  if (stopped_at.has_value()) {
    // The place after which to go on: just before the row that was not taken.
    page.next = storage::Index::Place{stopped_at->first, core::PaymentId::FromNumber(stopped_at->second.number() + 1)};
  }
  co_return page;
}

}  // namespace waystation::rpc
