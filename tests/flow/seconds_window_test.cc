#include "switch/flow/seconds_window.h"

#include <gtest/gtest.h>

namespace waystation::flow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Window = SecondsWindow<2>;
using Counts = Window::Counts;

core::SteadyTime At(milliseconds time) {
  return core::SteadyTime() + time;
}

TEST(SecondsWindowTest, CountsWhatIsRecentEnough) {
  Window window;
  window.Add(0, At(milliseconds(500)));
  window.Add(1, At(milliseconds(999)));
  window.Add(1, At(seconds(9)));
  EXPECT_EQ(window.Sum(At(seconds(9)), seconds(10)), (Counts{1, 2}));
  EXPECT_EQ(window.Sum(At(milliseconds(9'999)), seconds(10)), (Counts{1, 2}));
  EXPECT_EQ(window.Sum(At(seconds(10)), seconds(10)), (Counts{0, 1}));
  EXPECT_EQ(window.Sum(At(seconds(59)), Window::kLength), (Counts{1, 2}));
  EXPECT_EQ(window.Sum(At(seconds(60)), Window::kLength), (Counts{0, 1}));
  EXPECT_EQ(window.Sum(At(seconds(69)), Window::kLength), (Counts{0, 0}));
}

TEST(SecondsWindowTest, ASecondTakesThePlaceOfThatOfAMinuteBefore) {
  Window window;
  window.Add(0, At(seconds(5)));
  window.Add(0, At(seconds(65)));
  EXPECT_EQ(window.Sum(At(seconds(65)), Window::kLength), (Counts{1, 0}));
  // What comes too late to be counted does no harm.
  window.Add(1, At(seconds(5)));
  EXPECT_EQ(window.Sum(At(seconds(65)), Window::kLength), (Counts{1, 0}));
}

}  // namespace
}  // namespace waystation::flow
