#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waystation::crash {

// What is planted to see that the proof finds it.
enum class Planted { kNothing, kFileSyncsDoNothing, kFolderSyncsDoNothing, kAnswersBeforeCommit };

struct PowerLossReport {
  uint64_t cuts = 0;
  uint64_t cuts_while_opening = 0;  // start-up's recovery did not get to its end
  uint64_t stores = 0;              // lives of a store, each with several cuts
  uint64_t changes = 0;             // changes to the disk
  uint64_t payments = 0;
  uint64_t answers = 0;
  uint64_t unanswered = 0;
  uint64_t day_cuts = 0;
  std::vector<std::string> faults;  // each names its store's seed and the cut
};

// Cuts the power of a ledger at `cuts` random changes to its disk, while it works or while it recovers from the cut
// before; forgets what was not synced; starts it again, and holds it against the books. Stops at the first store with
// faults. RocksDB's own threads change the disk when they come to it, so that a seed replays the requests and the
// losses, but not always the very same moment.
PowerLossReport ProvePowerLoss(uint64_t cuts, uint64_t seed, Planted planted);

}  // namespace waystation::crash
