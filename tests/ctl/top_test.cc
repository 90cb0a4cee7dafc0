// `switchctl top` on a terminal: it refreshes, takes keys, and leaves the terminal as it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "switch/ctl/table.h"
#include "tests/ctl/fake_switch.h"
#include "tests/ctl/pseudo_terminal.h"
#include "tests/ctl/run_switchctl.h"

namespace waystation::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kEnter[] = "\x1b[?1049h";
constexpr char kLeave[] = "\x1b[?1049l";
constexpr char kShowCursor[] = "\x1b[?25h";
constexpr char kHome[] = "\x1b[H";

class TopTest : public testing::Test {
 protected:
  TopTest() {
    fake_.operations.statistics.set_started_at_ms(1);
    v1::Biller* biller = fake_.admin.billers.add_billers();
    biller->set_biller_id("mobile");
    biller->set_max_in_flight(100);
    fake_.operations.statistics.add_lanes()->set_biller_id("mobile");
  }

  PseudoTerminal Run(unsigned short columns = 80) {
    return PseudoTerminal({WS_SWITCHCTL, "--address", fake_.address(), "top", "--interval", "0.1"}, columns, 24);
  }
  // The longest line of what was drawn.
  static size_t Widest(const std::string& shown) {
    size_t widest = 0;
    std::string line;
    bool escaped = false;
    for (const char c : shown + "\n") {
      if (c == '\n' || c == '\r') {
        widest = std::max(widest, DisplayWidth(line));
        line.clear();
      } else if (c == '\x1b') {
        escaped = true;
      } else if (escaped) {
        escaped = !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
      } else {
        line += c;
      }
    }
    return widest;
  }

  FakeSwitch fake_;
};

TEST_F(TopTest, RefreshesUntilQAndLeavesTheTerminalAsItWas) {
  PseudoTerminal terminal = Run();
  terminal.ReadUntil(kEnter);
  terminal.ReadUntil("since the start");
  EXPECT_FALSE(terminal.IsAsAShellHasIt());
  // Each look has one leg more.
  terminal.ReadUntil("leg 3 ");
  terminal.ReadUntil("leg 4 ");
  terminal.Type("q");
  std::string rest;
  EXPECT_EQ(terminal.WaitForEnd(&rest), 0);
  EXPECT_THAT(rest, AllOf(HasSubstr(kLeave), HasSubstr(kShowCursor)));
  EXPECT_TRUE(terminal.IsAsAShellHasIt());
}

TEST_F(TopTest, CtrlCAndSignalsEndItAsWell) {
  for (const int signal : {0, SIGTERM, SIGINT, SIGHUP}) {
    PseudoTerminal terminal = Run();
    terminal.ReadUntil("q quit");
    if (signal == 0) {
      terminal.Type("\x03");
    } else {
      terminal.Signal(signal);
    }
    std::string rest;
    EXPECT_EQ(terminal.WaitForEnd(&rest), 0) << signal;
    EXPECT_THAT(rest, HasSubstr(kLeave)) << signal;
    EXPECT_TRUE(terminal.IsAsAShellHasIt()) << signal;
  }
}

TEST_F(TopTest, FollowsTheSizeOfItsWindow) {
  PseudoTerminal terminal = Run();
  terminal.ReadUntil("q quit");
  terminal.Resize(40, 12);
  // The line of keys is cut as well.
  terminal.ReadUntil("q quit   p pause   s lanes by name or...");
  terminal.ReadUntil(kHome);
  EXPECT_LE(Widest(terminal.ReadUntil(kHome)), 40U);
}

TEST_F(TopTest, PausesAndGoesOn) {
  PseudoTerminal terminal = Run();
  terminal.ReadUntil("leg 3 ");
  terminal.Type("p");
  terminal.ReadUntil("paused");
  const int looks = fake_.operations.looks;
  terminal.Type("s");
  terminal.ReadUntil("paused");
  EXPECT_EQ(fake_.operations.looks, looks);
  terminal.Type("p");
  terminal.ReadUntil(fmt::format("leg {} ", looks + 1));
}

TEST_F(TopTest, SaysThatTheSwitchDoesNotAnswerAndGoesOn) {
  PseudoTerminal terminal = Run();
  terminal.ReadUntil("leg 3 ");
  fake_.operations.fails = true;
  terminal.ReadUntil("NO ANSWER for ");
  fake_.operations.fails = false;
  EXPECT_THAT(terminal.ReadUntil(fmt::format("leg {} ", fake_.operations.looks + 1)), Not(HasSubstr(kLeave)));
}

TEST_F(TopTest, PrintsScreensOneAfterTheOther) {
  const Ran once = RunWith({"--address", fake_.address(), "top", "--once", "--interval", "0.1"});
  EXPECT_EQ(once.exit, 0) << once.err;
  EXPECT_THAT(once.out, AllOf(HasSubstr("leg 2 "), HasSubstr("mobile"), Not(HasSubstr("\x1b"))));
  const Ran two = RunWith({"--address", fake_.address(), "top", "--batch", "2", "--interval", "0.1"});
  EXPECT_THAT(two.out, AllOf(HasSubstr("leg 4 "), HasSubstr("leg 5 "), Not(HasSubstr("leg 3 "))));
  const Ran json = RunWith({"--address", fake_.address(), "--json", "top", "--once", "--interval", "0.1"});
  EXPECT_THAT(json.out, HasSubstr("\"lastSequence\":\"7\""));
}

TEST_F(TopTest, ASwitchThatDoesNotAnswerAtFirstIsAnError) {
  fake_.operations.fails = true;
  const Ran ran = RunWith({"--address", fake_.address(), "top", "--once"});
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("switchctl top: UNAVAILABLE: busy"));
}

}  // namespace
}  // namespace waystation::ctl
