#include "switch/ctl/biller_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waystation::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Biller Gas() {
  v1::Biller gas;
  gas.set_biller_id("gas");
  gas.set_name("Gas");
  gas.set_status(v1::BILLER_STATUS_ENABLED);
  gas.set_service_hours("06:00-23:30");
  gas.set_time_limit_ms(5'000);
  gas.set_max_in_flight(100);
  gas.set_max_waiting(50);
  v1::BillerLane& lane = *gas.mutable_lane();
  lane.set_breaker(v1::BREAKER_STATE_CLOSED);
  lane.set_breaker_since_ms(1'795'248'306'123);
  lane.set_in_flight(3);
  lane.set_resolving(1);
  lane.mutable_last_minute()->set_approved(120);
  lane.mutable_last_minute()->set_unknown(2);
  return gas;
}

TEST(BillerDetailsTest, ABillerInService) {
  const std::string text = BillerDetails(Gas());
  for (const char* line : {"service hours     06:00-23:30 UTC+8\n", "most in flight    100\n", "most waiting      50\n",
                           "takes payments  yes\n", "breaker         CLOSED since 2026-11-21 16:05:06.123 UTC+8\n",
                           "in flight       3 of stations, 1 of the switch's own\n", "waiting         0\n",
                           "last minute     120 approved, 0 declined, 0 not sent, 2 unknown, 0 refused by the switch\n",
                           "last error      none since the start\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("next probe")));
  EXPECT_THAT(text, Not(HasSubstr("overdue")));
}

TEST(BillerDetailsTest, ABillerThatDoesNotAnswer) {
  v1::Biller gas = Gas();
  v1::BillerLane& lane = *gas.mutable_lane();
  lane.set_breaker(v1::BREAKER_STATE_OPEN);
  lane.set_next_probe_at_ms(1'795'248'311'000);
  lane.set_out_of_service("no answers from the biller since 16:05:06 (China time)");
  lane.set_overdue(7);
  lane.mutable_last_error()->set_at_ms(1'795'248'306'123);
  lane.mutable_last_error()->set_operation("pay");
  lane.mutable_last_error()->set_cause("no answer by the deadline");
  const std::string text = BillerDetails(gas);
  for (const char* line : {"takes payments  NO: no answers from the biller since 16:05:06 (China time)\n",
                           "next probe      2026-11-21 16:05:11.000 UTC+8\n",
                           "overdue         7: given up after their deadline, and not done with\n",
                           "last error      2026-11-21 16:05:06.123 UTC+8, pay: no answer by the deadline\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(BillerDetailsTest, ABillerThatIsTriedAgain) {
  v1::Biller gas = Gas();
  v1::BillerLane& lane = *gas.mutable_lane();
  lane.set_breaker(v1::BREAKER_STATE_HALF_OPEN);
  EXPECT_THAT(BillerDetails(gas), HasSubstr("takes payments  a few at a time, until one succeeds\n"));
  lane.set_out_of_service("no answers from the biller since 16:05:06 (China time); it is being tried again");
  EXPECT_THAT(BillerDetails(gas), HasSubstr("takes payments  NO: no answers"));
}

TEST(BillerDetailsTest, ADisabledBillerIsOperationsDoing) {
  v1::Biller gas = Gas();
  gas.set_status(v1::BILLER_STATUS_DISABLED);
  EXPECT_THAT(BillerDetails(gas), HasSubstr("NO: disabled by operations"));
}

TEST(BillerDetailsTest, WithoutALaneTheCardAlone) {
  v1::Biller gas = Gas();
  gas.clear_lane();
  EXPECT_THAT(BillerDetails(gas), Not(HasSubstr("breaker")));
}

}  // namespace
}  // namespace waystation::ctl
