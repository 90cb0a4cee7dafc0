#include "bench/message_size.h"

#include <gtest/gtest.h>

#include "bench/echo.pb.h"

namespace waystation::bench {
namespace {

// The length on the wire of a message around as many bytes as PayloadFor says.
size_t Filled(size_t message_bytes) {
  EchoRequest request;
  request.mutable_payload()->assign(PayloadFor(message_bytes), 'x');
  return request.ByteSizeLong();
}

TEST(MessageSize, AnEchoIsAsLongAsAPaymentOrAByteShorter) {
  EchoRequest request;
  const size_t request_bytes = TypicalPayRequest().ByteSizeLong();
  request.mutable_payload()->assign(PayloadFor(request_bytes), 'x');
  EXPECT_EQ(request.ByteSizeLong(), request_bytes);

  EchoResponse response;
  const size_t response_bytes = TypicalPayResponse().ByteSizeLong();
  response.set_payload(request.payload());
  response.mutable_filler()->assign(PayloadFor(response_bytes - response.ByteSizeLong()), 'y');
  EXPECT_GE(response.ByteSizeLong(), response_bytes - 1);
  EXPECT_LE(response.ByteSizeLong(), response_bytes);
}

TEST(MessageSize, PayloadFillsItsMessageOnBothSidesOfTheLongFrame) {
  for (const size_t bytes : {3u, 64u, 129u, 131u, 132u, 400u, 16'000u}) EXPECT_EQ(Filled(bytes), bytes);
  EXPECT_EQ(Filled(130), 129u);
  EXPECT_EQ(PayloadFor(0), 0u);
  EXPECT_EQ(PayloadFor(2), 0u);
}

}  // namespace
}  // namespace waystation::bench
