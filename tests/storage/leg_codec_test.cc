#include "storage/leg_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <string>

#include "fmt/format.h"
#include "switch/core/limits.h"
#include "tests/storage/stored_forms.h"

namespace waystation::storage {
namespace {

using ::testing::HasSubstr;

// Through bytes, as a store would do it. They are written by hand: they must be the ones that protobuf would write.
template <typename Record, typename Value>
Record Stored(void (*encode)(const Value&, WireWriter*), const Value& value) {
  WireWriter form;
  encode(value, &form);
  Record read;
  EXPECT_TRUE(read.ParseFromArray(form.bytes().data(), static_cast<int>(form.bytes().size())));
  EXPECT_EQ(read.SerializeAsString(), form.bytes()) << read.ShortDebugString();
  return read;
}

absl::StatusOr<core::Leg> RoundTrip(const core::Leg& leg) {
  return DecodeLeg(Stored<pb::Leg>(EncodeLeg, leg));
}

absl::StatusOr<core::Payment> RoundTrip(const core::Payment& payment) {
  return DecodePayment(Stored<pb::PaymentRecord>(EncodePayment, payment));
}

absl::StatusOr<core::Purchase> RoundTrip(const core::Purchase& purchase) {
  return DecodePurchase(Stored<pb::RequestRecord>(EncodePurchase, purchase).purchase());
}

absl::StatusOr<core::Account> RoundTrip(const core::Account& account) {
  return DecodeAccount(Stored<pb::AccountRecord>(EncodeAccount, account));
}

TEST(LegCodecTest, EveryKindOfFactComesBack) {
  for (const core::Leg& leg : SampleLegs()) {
    SCOPED_TRACE(fmt::format("leg {}, kind {}", leg.sequence, leg.fact.index()));
    const absl::StatusOr<core::Leg> back = RoundTrip(leg);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->sequence, leg.sequence);
    EXPECT_TRUE(Same(back->fact, leg.fact));
  }
}

TEST(LegCodecTest, SamplesCoverEveryKind) {
  std::vector<bool> seen(std::variant_size_v<core::Fact>);
  for (const core::Leg& leg : SampleLegs()) seen[leg.fact.index()] = true;
  EXPECT_THAT(seen, ::testing::Each(true));
}

TEST(LegCodecTest, PaymentPurchaseAndAccountsComeBack) {
  const absl::StatusOr<core::Payment> payment = RoundTrip(SamplePayment());
  ASSERT_TRUE(payment.ok()) << payment.status();
  EXPECT_EQ(*payment, SamplePayment());
  const absl::StatusOr<core::Purchase> purchase = RoundTrip(SamplePurchase());
  ASSERT_TRUE(purchase.ok()) << purchase.status();
  EXPECT_EQ(*purchase, SamplePurchase());
  const pb::RequestRecord pointer = Stored<pb::RequestRecord>(EncodePointer, SamplePayment());
  EXPECT_EQ(pointer.payment().payment_id(), SamplePayment().id.number());
  EXPECT_EQ(pointer.payment().business_date(), SamplePayment().business_date.number());
  for (const core::Account& account : SampleAccounts()) {
    const absl::StatusOr<core::Account> back = RoundTrip(account);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(Same(*back, account)) << core::Name(account.kind);
  }
}

RC_GTEST_PROP(LegCodecPropertyTest, AnyFactComesBack, ()) {
  const core::Leg leg{*rc::gen::arbitrary<uint64_t>(), *AnyFact()};
  const absl::StatusOr<core::Leg> back = RoundTrip(leg);
  RC_ASSERT(back.status() == absl::OkStatus());
  RC_ASSERT(back->sequence == leg.sequence);
  RC_ASSERT(Same(back->fact, leg.fact));
}

RC_GTEST_PROP(LegCodecPropertyTest, AnyPaymentComesBack, ()) {
  const core::Payment payment = *AnyPayment();
  const absl::StatusOr<core::Payment> back = RoundTrip(payment);
  RC_ASSERT(back.status() == absl::OkStatus());
  RC_ASSERT(*back == payment);
}

RC_GTEST_PROP(LegCodecPropertyTest, AnyPurchaseComesBack, ()) {
  const core::Purchase purchase = *AnyPurchase();
  const absl::StatusOr<core::Purchase> back = RoundTrip(purchase);
  RC_ASSERT(back.status() == absl::OkStatus());
  RC_ASSERT(*back == purchase);
}

RC_GTEST_PROP(LegCodecPropertyTest, AnyAccountComesBack, ()) {
  const core::Account account = *AnyAccount();
  const absl::StatusOr<core::Account> back = RoundTrip(account);
  RC_ASSERT(back.status() == absl::OkStatus());
  RC_ASSERT(Same(*back, account));
}

// --- damage ---

template <typename Record>
struct Damage {
  std::function<void(Record&)> make;
  std::string fault;  // is found, and says this
};

TEST(LegCodecDamageTest, OfALegIsFoundAndNamed) {
  const auto legs = SampleLegs();
  const auto encoded = [&](auto wanted) {
    for (const core::Leg& leg : legs) {
      if (std::holds_alternative<decltype(wanted)>(leg.fact)) return Stored<pb::Leg>(EncodeLeg, leg);
    }
    return pb::Leg();
  };
  const pb::Leg status = encoded(core::StationStatusSet());
  const pb::Leg cut = encoded(core::DayCut());
  const pb::Leg accepted = encoded(core::PaymentAccepted());
  const pb::Leg moved = encoded(core::PaymentMoved());
  struct Case {
    pb::Leg leg;
    Damage<pb::Leg> damage;
  };
  const Case cases[] = {
      {status, {[](pb::Leg& l) { l.clear_fact(); }, "leg 3: fact: a leg of no known kind"}},
      {status, {[](pb::Leg& l) { l.mutable_station_status_set()->set_status(0); }, "station_status_set.status: 0"}},
      {status, {[](pb::Leg& l) { l.mutable_station_status_set()->set_status(6); }, "station_status_set.status: 6"}},
      {cut, {[](pb::Leg& l) { l.mutable_day_cut()->set_closed_date(20261131); }, "day_cut.closed_date: 20261131"}},
      {cut, {[](pb::Leg& l) { l.mutable_day_cut()->clear_opened_date(); }, "day_cut.opened_date: 0"}},
      {accepted, {[](pb::Leg& l) { l.mutable_payment_accepted()->set_state(2); }, "payment_accepted.state: 2"}},
      {accepted, {[](pb::Leg& l) { l.mutable_payment_accepted()->set_state(77); }, "payment_accepted.state: 77"}},
      {accepted, {[](pb::Leg& l) { l.mutable_payment_accepted()->set_state(3); }, "payment_accepted.decline"}},
      {accepted, {[](pb::Leg& l) { l.mutable_payment_accepted()->mutable_decline(); }, "payment_accepted.decline"}},
      {accepted,
       {[](pb::Leg& l) {
          l.mutable_payment_accepted()->set_state(3);
          l.mutable_payment_accepted()->mutable_decline()->set_reason(99);
        },
        "decline.reason: 99"}},
      {moved, {[](pb::Leg& l) { l.mutable_payment_moved()->set_event(14); }, "payment_moved.event: 14"}},
      {moved, {[](pb::Leg& l) { l.mutable_payment_moved()->clear_state(); }, "payment_moved.state: 0"}},
      {moved, {[](pb::Leg& l) { l.mutable_payment_moved()->mutable_decline()->set_reason(0); }, "decline.reason: 0"}},
      {moved, {[](pb::Leg& l) { l.mutable_payment_moved()->mutable_reopened()->set_state(0); }, "payment.state: 0"}},
      {moved,
       {[](pb::Leg& l) { l.mutable_payment_moved()->mutable_resolution()->set_verdict(4); }, "resolution.verdict: 4"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.damage.fault);
    pb::Leg leg = c.leg;
    ASSERT_TRUE(DecodeLeg(leg).ok());
    c.damage.make(leg);
    const absl::StatusOr<core::Leg> decoded = DecodeLeg(leg);
    ASSERT_TRUE(absl::IsDataLoss(decoded.status())) << decoded.status();
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(c.damage.fault));
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(fmt::format("leg {}: ", leg.sequence())));
  }
}

TEST(LegCodecDamageTest, OfAPaymentIsFoundAndNamed) {
  using R = pb::PaymentRecord;
  const Damage<R> damages[] = {
      {[](R& r) { r.set_state(11); }, "payment.state: 11"},
      {[](R& r) { r.clear_business_date(); }, "payment.business_date: 0"},
      {[](R& r) { r.clear_history(); }, "payment.history: has 0 entries"},
      {[](R& r) {
         while (r.history_size() <= static_cast<int>(core::kMaxStateChanges)) *r.add_history() = r.history(0);
       },
       "payment.history: has 33 entries; expected 1 to 32"},
      {[](R& r) { r.mutable_history(1)->set_state(0); }, "payment.history: an entry"},
      {[](R& r) { r.mutable_history(1)->set_business_date(1); }, "payment.history: an entry"},
      {[](R& r) { r.set_state(2); }, "payment.history: does not end with the state"},
      {[](R& r) { r.mutable_history()->DeleteSubrange(0, 2); }, "payment.history: starts in REVIEW"},
      {[](R& r) { r.mutable_decline()->set_reason(18); }, "decline.reason: 18"},
  };
  for (const Damage<R>& damage : damages) {
    SCOPED_TRACE(damage.fault);
    R record = Stored<R>(EncodePayment, SamplePayment());
    damage.make(record);
    const absl::StatusOr<core::Payment> decoded = DecodePayment(record);
    ASSERT_TRUE(absl::IsDataLoss(decoded.status())) << decoded.status();
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(damage.fault));
  }
}

TEST(LegCodecDamageTest, OfAPurchaseOrAnAccountIsFoundAndNamed) {
  pb::PurchaseRecord purchase = Stored<pb::RequestRecord>(EncodePurchase, SamplePurchase()).purchase();
  purchase.set_business_date(20260230);
  const absl::Status purchase_fault = DecodePurchase(purchase).status();
  ASSERT_TRUE(absl::IsDataLoss(purchase_fault));
  EXPECT_THAT(std::string(purchase_fault.message()), HasSubstr("purchase.business_date: 20260230"));

  using R = pb::AccountRecord;
  const Damage<R> damages[] = {
      {[](R& r) { r.set_kind(0); }, "account.kind: 0"},
      {[](R& r) { r.set_kind(7); }, "account.kind: 7"},
      {[](R& r) { r.set_status(9); }, "account.status: 9"},
      {[](R& r) { r.clear_opened_date(); }, "account.opened_date: 0"},
  };
  for (const Damage<R>& damage : damages) {
    SCOPED_TRACE(damage.fault);
    R record = Stored<R>(EncodeAccount, SampleAccounts().front());
    damage.make(record);
    const absl::StatusOr<core::Account> decoded = DecodeAccount(record);
    ASSERT_TRUE(absl::IsDataLoss(decoded.status())) << decoded.status();
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(damage.fault));
  }
}

}  // namespace
}  // namespace waystation::storage
