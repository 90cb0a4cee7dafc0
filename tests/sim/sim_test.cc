// The simulation itself: it replays, and it finds what is planted.

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/sim/doubles.h"
#include "tests/sim/world.h"

namespace waystation::sim {
namespace {

// What the program prints.
std::string OutputOf(const std::string& arguments) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen((std::string(SIM_PROGRAM) + " " + arguments).c_str(), "r"), &pclose);
  std::string output;
  char buffer[4'096];
  while (const size_t read = std::fread(buffer, 1, sizeof(buffer), pipe.get())) output.append(buffer, read);
  return output;
}

TEST(SimulationTest, ASeedIsReplayedStepForStepInAnotherProcess) {
  // Hash tables have another order in each process: nothing may depend on it.
  size_t traced = 0;
  for (const char* seed : {"3", "5", "8"}) {
    const std::string first = OutputOf(std::string("--seed ") + seed);
    EXPECT_NE(first.find("all invariants held"), std::string::npos) << first.substr(first.size() / 2);
    traced += first.size();
    EXPECT_EQ(first, OutputOf(std::string("--seed ") + seed));
  }
  // A seed may come to a short run; three of them to a long one.
  EXPECT_GT(traced, 15'000u);
}

TEST(SimulationTest, SeedsDiffer) {
  EXPECT_NE(OutputOf("--seed 3"), OutputOf("--seed 5"));
}

// Not one run in silence where two were asked for.
TEST(SimulationTest, OptionsThatContradictEachOtherAreRefused) {
  const std::pair<const char*, const char*> rows[] = {
      {"--seeds 5 --seed 3", "--seeds and --seed are two kinds of run; expected one"},
      {"--minutes 1 --seeds 5", "--seeds and --minutes are two kinds of run; expected one"},
      {"--outage 1 --seed 3", "--seed and --outage are two kinds of run; expected one"},
      {"--outage 1 --fault release-on-timeout", "--fault plants nothing in an --outage"},
      {"--seed 3 --first 2", "--first says nothing of a run of one --seed"}};
  for (const auto& [arguments, fault] : rows) {
    const std::string output = OutputOf(std::string(arguments) + " 2>&1; echo status $?");
    EXPECT_EQ(output.rfind(std::string("sim: ") + fault, 0), 0u) << arguments << ": " << output;
    EXPECT_NE(output.find("status 1"), std::string::npos) << output;
  }
}

struct Planted {
  Fault fault;
  // It is found within so many seeds.
  uint64_t within;
};

class PlantedFaultTest : public ::testing::TestWithParam<Planted> {};

TEST_P(PlantedFaultTest, IsFound) {
  const auto [fault, within] = GetParam();
  for (uint64_t seed = 1; seed <= within; ++seed) {
    const Outcome outcome = World(seed, nullptr, fault).Run();
    if (outcome.broken.empty()) continue;
    std::printf("%s: found with seed %llu of at most %llu: %s\n", std::string(Name(fault)).c_str(),
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(within), outcome.broken.c_str());
    EXPECT_EQ(World(seed, nullptr, std::nullopt).Run().broken, "") << "it is not the planted fault that was found";
    return;
  }
  FAIL() << Name(fault) << " was not found within " << within << " seeds";
}

std::string TestName(const ::testing::TestParamInfo<Planted>& planted) {
  std::string name(Name(planted.param.fault));
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Simulation, PlantedFaultTest,
                         ::testing::Values(Planted{Fault::kReleaseOnTimeout, 20}, Planted{Fault::kCaptureTwice, 20},
                                           Planted{Fault::kAnswerBeforeCommit, 5}, Planted{Fault::kIdForgotten, 30},
                                           Planted{Fault::kReversalDropped, 150}, Planted{Fault::kWrongColumn, 50},
                                           Planted{Fault::kSnapshotAhead, 100}, Planted{Fault::kResend, 20},
                                           Planted{Fault::kFailedCommitIgnored, 50},
                                           Planted{Fault::kDenialBelieved, 300}, Planted{Fault::kCancelDropped, 150},
                                           Planted{Fault::kAdviceDenialFrees, 100}),
                         &TestName);

}  // namespace
}  // namespace waystation::sim
