// The proofs are worth something only if they fail when they should: each fault that is planted must be found.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/crash/io_error_proof.h"
#include "tests/crash/power_loss_proof.h"

namespace waystation::crash {
namespace {

// A fault is to be found within so many power cuts.
constexpr uint64_t kCuts = 60;

void ExpectFound(Planted planted) {
  const PowerLossReport report = ProvePowerLoss(kCuts, 1, planted);
  EXPECT_THAT(report.faults, ::testing::SizeIs(1)) << report.cuts << " cuts";
  std::printf("after %d cuts: %s\n", static_cast<int>(report.cuts),
              report.faults.empty() ? "nothing" : report.faults[0].c_str());
}

TEST(PowerLossProofTest, FindsFileSyncsThatDoNothing) {
  ExpectFound(Planted::kFileSyncsDoNothing);
}

TEST(PowerLossProofTest, FindsFolderSyncsThatDoNothing) {
  ExpectFound(Planted::kFolderSyncsDoNothing);
}

TEST(PowerLossProofTest, FindsAnswersBeforeTheCommit) {
  ExpectFound(Planted::kAnswersBeforeCommit);
}

TEST(IoErrorProofTest, FindsErrorsThatAreNotReported) {
  const IoErrorReport report = ProveIoErrors(100, 1, true);
  EXPECT_THAT(report.faults, ::testing::SizeIs(1));
  std::printf("after %d runs: %s\n", static_cast<int>(report.runs),
              report.faults.empty() ? "nothing" : report.faults[0].c_str());
}

}  // namespace
}  // namespace waystation::crash
