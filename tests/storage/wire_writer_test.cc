#include "storage/wire_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "waystation/journal/v1/journal.pb.h"

namespace waystation::storage {
namespace {

namespace pb = waystation::journal::v1;

TEST(WireWriterTest, NumbersOfEveryLengthAreThoseOfProtobuf) {
  WireWriter form;
  for (int bit = 0; bit <= 64; ++bit) {
    const uint64_t power = bit == 64 ? 0 : uint64_t{1} << bit;
    for (const uint64_t number : {power - 1, power}) {
      pb::AccountRecord record;
      record.set_station(number);
      record.set_balance_fen(static_cast<int64_t>(number));
      record.set_reserved_fen(static_cast<int64_t>(number));
      form.Clear();
      form.Number(pb::AccountRecord::kStationFieldNumber, number);
      form.Signed(pb::AccountRecord::kBalanceFenFieldNumber, static_cast<int64_t>(number));
      form.Number(pb::AccountRecord::kReservedFenFieldNumber, number);
      EXPECT_EQ(form.bytes(), record.SerializeAsString()) << number;
    }
  }
}

TEST(WireWriterTest, MessagesOfEveryLengthAreThoseOfProtobuf) {
  for (const size_t length : {0, 1, 124, 125, 126, 127, 128, 16'379, 16'380, 16'381, 16'384, 3'000'000}) {
    const std::string text(length, 'x');
    pb::Leg leg;
    leg.mutable_payment_moved()->mutable_reopened()->set_request_id(text);
    leg.mutable_payment_moved()->mutable_resolution();
    WireWriter form;
    form.Message(pb::Leg::kPaymentMovedFieldNumber, [&] {
      form.Message(pb::PaymentMoved::kReopenedFieldNumber,
                   [&] { form.Text(pb::PaymentRecord::kRequestIdFieldNumber, text); });
      form.Message(pb::PaymentMoved::kResolutionFieldNumber, [] {});
    });
    EXPECT_TRUE(form.bytes() == leg.SerializeAsString()) << length;
  }
}

TEST(WireWriterTest, RepeatedNumbersAreThoseOfProtobuf) {
  pb::StationRegistered record;
  WireWriter form;
  form.Message(pb::StationRegistered::kSigningInstitutionsFieldNumber, [&] {
    for (const uint64_t number : {uint64_t{0}, uint64_t{300}, std::numeric_limits<uint64_t>::max()}) {
      record.add_signing_institutions(number);
      form.Bare(number);
    }
  });
  EXPECT_EQ(form.bytes(), record.SerializeAsString());
}

TEST(WireWriterTest, IsEmptyOnceCleared) {
  WireWriter form;
  EXPECT_TRUE(form.empty());
  form.Text(1, "text");
  EXPECT_FALSE(form.empty());
  form.Clear();
  EXPECT_TRUE(form.empty());
  EXPECT_EQ(form.bytes(), "");
}

}  // namespace
}  // namespace waystation::storage
