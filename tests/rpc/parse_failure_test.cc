#include "switch/rpc/parse_failure.h"

#include "gtest/gtest.h"
#include "waystation/v1/admin_service.pb.h"
#include "waystation/v1/payment_service.pb.h"

namespace waystation::rpc {
namespace {

constexpr char kNotUtf8[] = "\xC3\x28";

// A field of text or of a message, encoded; number and size below 16 and 128.
std::string Field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

std::string BadText(const std::string& field) {
  return field + ": is not valid UTF-8; expected text in UTF-8";
}

constexpr char kNoPay[] = "the request is not a waystation.v1.PayRequest message; expected its protobuf encoding";

TEST(ParseFailure, NamesTheFieldWhoseTextIsNotUtf8) {
  const auto& pay = *v1::PayRequest::descriptor();
  EXPECT_EQ(DescribeParseFailure(pay, Field(1, kNotUtf8)), BadText("station_id"));
  EXPECT_EQ(DescribeParseFailure(pay, Field(7, kNotUtf8)), BadText("inquiry_token"));
  EXPECT_EQ(DescribeParseFailure(pay, Field(1, "good") + Field(3, "a\xff")), BadText("request_id"));
  EXPECT_EQ(DescribeParseFailure(pay, Field(5, "\xe4\xbd") + Field(3, "a\xff")), BadText("customer_number"))
      << "the first one that stands there";
  // Numbers and fields of another version stand in between.
  EXPECT_EQ(DescribeParseFailure(pay, "\x30\x05" + Field(15, kNotUtf8) + Field(2, kNotUtf8)), BadText("operator_id"));
}

TEST(ParseFailure, NamesAFieldOfARepeatedOrNestedMessage) {
  EXPECT_EQ(DescribeParseFailure(*v1::RegisterStationRequest::descriptor(), Field(3, "44") + Field(3, kNotUtf8)),
            BadText("signing_institutions"));
  EXPECT_EQ(DescribeParseFailure(*v1::PayResponse::descriptor(), Field(1, Field(10, Field(3, kNotUtf8)))),
            BadText("payment.decline.text"));
  EXPECT_EQ(DescribeParseFailure(*v1::InquireResponse::descriptor(), Field(2, Field(2, kNotUtf8))),
            BadText("decline.biller_code"));
}

TEST(ParseFailure, SaysThatItIsNoSuchMessage) {
  const auto& pay = *v1::PayRequest::descriptor();
  EXPECT_EQ(DescribeParseFailure(pay, "\x0a\x7f short"), kNoPay);
  EXPECT_EQ(DescribeParseFailure(pay, std::string(1, '\0')), kNoPay);
  EXPECT_EQ(DescribeParseFailure(pay, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), kNoPay);
  EXPECT_EQ(DescribeParseFailure(pay, "\x0a\xff\xff\xff\xff\x0f"), kNoPay) << "a length of 4 GB";
  EXPECT_EQ(DescribeParseFailure(pay, "\x0b\x0c"), kNoPay) << "an empty group";
}

TEST(ParseFailure, EndsOnMessagesThatAreNestedWithoutEnd) {
  std::string bytes = kNotUtf8;
  for (int i = 0; i < 30; ++i) bytes = Field(1, bytes);
  EXPECT_NE(DescribeParseFailure(*v1::PayResponse::descriptor(), bytes), "");
}

}  // namespace
}  // namespace waystation::rpc
