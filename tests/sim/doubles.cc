#include "tests/sim/doubles.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "boost/asio/awaitable.hpp"
#include "storage/block.h"
#include "storage/leg_codec.h"

namespace waystation::sim {

namespace asio = boost::asio;
using storage::RowBatch;
using storage::SealedBlock;
using storage::Table;

std::string_view Name(Fault fault) {
  switch (fault) {
    case Fault::kReleaseOnTimeout: return "release-on-timeout";
    case Fault::kCaptureTwice: return "capture-twice";
    case Fault::kAnswerBeforeCommit: return "answer-before-commit";
    case Fault::kIdForgotten: return "id-forgotten";
    case Fault::kReversalDropped: return "reversal-dropped";
    case Fault::kWrongColumn: return "wrong-column";
    case Fault::kSnapshotAhead: return "snapshot-ahead";
    case Fault::kResend: return "resend";
    case Fault::kFailedCommitIgnored: return "failed-commit-ignored";
    case Fault::kDenialBelieved: return "denial-believed";
    case Fault::kCancelDropped: return "cancel-dropped";
    case Fault::kAdviceDenialFrees: return "advice-denial-frees";
  }
  return "";
}

std::optional<Fault> FaultFromName(std::string_view name) {
  for (Fault fault : kAllFaults) {
    if (Name(fault) == name) return fault;
  }
  return std::nullopt;
}

namespace {

// --- stores ---
class StoreDouble : public Store {
 public:
  explicit StoreDouble(std::unique_ptr<Store> under) : under_(std::move(under)) {}

  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    under_->Append(block, rows, std::move(done));
  }
  absl::Status ReadBlocks(uint64_t from_sequence, VisitBlock visit) const override {
    return under_->ReadBlocks(from_sequence, visit);
  }
  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return under_->Get(table, key);
  }
  absl::Status Scan(Table table, std::string_view first, std::string_view past, Visit visit) const override {
    return under_->Scan(table, first, past, visit);
  }
  absl::Status ScanBackward(Table table, std::string_view first, std::string_view past, Visit visit) const override {
    return under_->ScanBackward(table, first, past, visit);
  }

 protected:
  const std::unique_ptr<Store> under_;
};

class AnswersBeforeCommit final : public StoreDouble {
 public:
  using StoreDouble::StoreDouble;
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    under_->Append(block, rows, [](const auto&) {});
    done({storage::CommitOutcome::kDurable, ""});
  }
};

class IgnoresFailedCommits final : public StoreDouble {
 public:
  using StoreDouble::StoreDouble;
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    under_->Append(block, rows, [done = std::move(done)](const auto&) mutable {
      done({storage::CommitOutcome::kDurable, ""});
    });
  }
};

class WritesRowsFirst final : public StoreDouble {
 public:
  using StoreDouble::StoreDouble;
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    if (block == nullptr) return under_->Append(block, rows, std::move(done));
    if (!rows.empty()) under_->Append(nullptr, rows, [](const auto&) {});
    under_->Append(block, RowBatch(), std::move(done));
  }
};

class ForgetsIds final : public StoreDouble {
 public:
  using StoreDouble::StoreDouble;
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    rows.ForEach([this](Table table, bool, std::string_view key, std::string_view) {
      if (table == Table::kRequests) known_.emplace(key);
    });
    under_->Append(block, rows, std::move(done));
  }
  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    if (table == Table::kRequests && !known_.contains(std::string(key))) return std::nullopt;
    return under_->Get(table, key);
  }

 private:
  std::set<std::string> known_;  // of this life
};

// Changes the accounts of a snapshot on their way to the disk.
class ForgesAccounts : public StoreDouble {
 public:
  using StoreDouble::StoreDouble;
  void Append(const SealedBlock* block, const RowBatch& rows, Done done) override {
    if (block != nullptr) Learn(*storage::OpenBlock(block->bytes));
    RowBatch forged;
    rows.ForEach([&](Table table, bool is_put, std::string_view key, std::string_view value) {
      constexpr char kAccountTag = 'a';
      if (!is_put) return forged.Delete(table, key);
      if (table != Table::kSnapshot || key.front() != kAccountTag) return forged.Put(table, key, value);
      storage::pb::AccountRecord record;
      record.ParseFromArray(value.data(), static_cast<int>(value.size()));
      core::Account account = *storage::DecodeAccount(record);
      Forge(&account);
      storage::WireWriter forgery;
      storage::EncodeAccount(account, &forgery);
      forged.Put(table, key, forgery.bytes());
    });
    under_->Append(block, forged, std::move(done));
  }

 private:
  virtual void Learn(const storage::OpenedBlock& block) = 0;
  virtual void Forge(core::Account* account) = 0;
};

class CapturesTwice final : public ForgesAccounts {
 public:
  using ForgesAccounts::ForgesAccounts;

 private:
  void Learn(const storage::OpenedBlock& block) override {
    station_.reset();
    for (const core::Leg& leg : block.legs) {
      if (const auto* accepted = std::get_if<core::PaymentAccepted>(&leg.fact)) held_.emplace(leg.sequence, *accepted);
      const auto* moved = std::get_if<core::PaymentMoved>(&leg.fact);
      if (moved == nullptr || moved->event != core::PaymentEvent::kApproved) continue;
      auto it = held_.find(moved->payment_id.number());
      if (it == held_.end()) continue;
      station_ = it->second.station;
      biller_ = it->second.biller_id;
      amount_ = it->second.amount;
    }
  }
  void Forge(core::Account* account) override {
    if (!station_.has_value()) return;
    // Both sides, so that the sum is zero as it should be.
    if (account->kind == core::AccountKind::kStation && account->station == *station_) account->balance -= amount_;
    if (account->kind == core::AccountKind::kBillerPayable && account->biller_id == biller_)
      account->balance += amount_;
  }

  std::map<uint64_t, core::PaymentAccepted> held_;
  std::optional<core::StationId> station_;
  std::string biller_;
  core::Money amount_;
};

class MixesColumns final : public ForgesAccounts {
 public:
  using ForgesAccounts::ForgesAccounts;

 private:
  void Learn(const storage::OpenedBlock&) override {}
  void Forge(core::Account* account) override { account->forwarded += std::exchange(account->reserved, core::Money()); }
};

// --- adapters ---
class AdapterDouble : public adapters::BillerAdapter {
 public:
  explicit AdapterDouble(std::unique_ptr<adapters::BillerAdapter> under)
      : under_(std::move(under)), card_(under_->card()) {}

  const adapters::CapabilityCard& card() const override { return card_; }
  void ReportLateApprovalsTo(adapters::LateApprovals* late) override { under_->ReportLateApprovalsTo(late); }
  asio::awaitable<adapters::InquiryOutcome> Inquire(adapters::InquiryRequest request,
                                                    adapters::Deadline deadline) override {
    return under_->Inquire(std::move(request), deadline);
  }
  asio::awaitable<adapters::PayOutcome> Pay(adapters::PaymentRequest request, adapters::Deadline deadline) override {
    return under_->Pay(std::move(request), deadline);
  }
  asio::awaitable<adapters::QueryOutcome> Query(adapters::PaymentRequest request,
                                                adapters::Deadline deadline) override {
    return under_->Query(std::move(request), deadline);
  }
  asio::awaitable<adapters::ReverseOutcome> Reverse(adapters::PaymentRequest request,
                                                    adapters::Deadline deadline) override {
    return under_->Reverse(std::move(request), deadline);
  }
  asio::awaitable<adapters::CancelOutcome> Cancel(adapters::PaymentRequest request,
                                                  adapters::Deadline deadline) override {
    return under_->Cancel(std::move(request), deadline);
  }
  asio::awaitable<bool> Probe(adapters::Deadline deadline) override { return under_->Probe(deadline); }

 protected:
  const std::unique_ptr<adapters::BillerAdapter> under_;
  adapters::CapabilityCard card_;
};

class ReleasesOnTimeout final : public AdapterDouble {
 public:
  using AdapterDouble::AdapterDouble;
  asio::awaitable<adapters::PayOutcome> Pay(adapters::PaymentRequest request, adapters::Deadline deadline) override {
    adapters::PayOutcome outcome = co_await under_->Pay(std::move(request), deadline);
    if (const auto* unknown = std::get_if<adapters::Unknown>(&outcome)) co_return adapters::NotSent{unknown->cause};
    co_return outcome;
  }
};

class SendsAgain final : public AdapterDouble {
 public:
  using AdapterDouble::AdapterDouble;
  asio::awaitable<adapters::QueryOutcome> Query(adapters::PaymentRequest request,
                                                adapters::Deadline deadline) override {
    adapters::PayOutcome outcome = co_await under_->Pay(std::move(request), deadline);
    if (auto* approved = std::get_if<adapters::Approved>(&outcome)) co_return std::move(*approved);
    if (auto* declined = std::get_if<adapters::Declined>(&outcome)) co_return std::move(*declined);
    co_return adapters::Unknown{"no answer"};
  }
};

class BelievesDenials final : public AdapterDouble {
 public:
  explicit BelievesDenials(std::unique_ptr<adapters::BillerAdapter> under) : AdapterDouble(std::move(under)) {
    card_.query_denial_is_final = true;
  }
};

class FreesOnAdviceDenied final : public AdapterDouble {
 public:
  using AdapterDouble::AdapterDouble;
  asio::awaitable<adapters::ReverseOutcome> Reverse(adapters::PaymentRequest request,
                                                    adapters::Deadline deadline) override {
    adapters::ReverseOutcome outcome = co_await under_->Reverse(std::move(request), deadline);
    if (std::holds_alternative<adapters::NeverReceived>(outcome)) co_return adapters::TakenBack{};
    co_return outcome;
  }
};

template <typename Double, typename Under>
std::function<std::unique_ptr<Under>(std::unique_ptr<Under>)> Wrap() {
  return [](std::unique_ptr<Under> under) { return std::make_unique<Double>(std::move(under)); };
}
template <typename Double>
auto WrapStore() {
  return Wrap<Double, Store>();
}
template <typename Double>
auto WrapAdapter() {
  return Wrap<Double, adapters::BillerAdapter>();
}

std::function<bool(const core::Payment&)> AllBut(core::PaymentState state) {
  return [state](const core::Payment& payment) { return payment.state != state; };
}

}  // namespace

Doubles DoublesFor(std::optional<Fault> fault) {
  Doubles doubles{.store = [](std::unique_ptr<Store> store) { return store; },
                  .adapter = [](std::unique_ptr<adapters::BillerAdapter> adapter) { return adapter; },
                  .adopts = [](const core::Payment&) { return true; }};
  if (!fault.has_value()) return doubles;
  switch (*fault) {
    case Fault::kReleaseOnTimeout: doubles.adapter = WrapAdapter<ReleasesOnTimeout>(); break;
    case Fault::kCaptureTwice: doubles.store = WrapStore<CapturesTwice>(); break;
    case Fault::kAnswerBeforeCommit: doubles.store = WrapStore<AnswersBeforeCommit>(); break;
    case Fault::kIdForgotten: doubles.store = WrapStore<ForgetsIds>(); break;
    case Fault::kReversalDropped: doubles.adopts = AllBut(core::PaymentState::kReversing); break;
    case Fault::kWrongColumn: doubles.store = WrapStore<MixesColumns>(); break;
    case Fault::kSnapshotAhead: doubles.store = WrapStore<WritesRowsFirst>(); break;
    case Fault::kResend: doubles.adapter = WrapAdapter<SendsAgain>(); break;
    case Fault::kFailedCommitIgnored: doubles.store = WrapStore<IgnoresFailedCommits>(); break;
    case Fault::kDenialBelieved: doubles.adapter = WrapAdapter<BelievesDenials>(); break;
    case Fault::kCancelDropped: doubles.adopts = AllBut(core::PaymentState::kCancelling); break;
    case Fault::kAdviceDenialFrees: doubles.adapter = WrapAdapter<FreesOnAdviceDenied>(); break;
  }
  return doubles;
}

}  // namespace waystation::sim
